"""Who sends: one book each, and the dice decide what comes next."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from tests.faults.traffic import cdrs, chapters, endpoints, lists
from tests.faults.traffic.ledger import Book, Entries
from tests.faults.traffic.line import Line, NoAnswer, Surprise, is_refusal_of_service
from tests.faults.traffic.lists import Compose


@dataclass
class Sender:
    """Sends one message after the other; after one without an answer it stops and waits."""

    book: Book
    compose: Compose
    #: What the database has of the book.
    stored: Callable[[sa.Connection], Entries]
    line: Line
    #: Only the keys can be told from the database: the records are sealed in it.
    sealed: bool = False
    #: Why the last message was not answered.
    reason: str = ""

    def step(self, dice: random.Random) -> bool:
        """Send the next message; False if it was not answered."""
        upload = self.compose(self.book.entries, dice)
        self.book.send(upload)
        return self.deliver()

    def as_stored(self, entries: Entries) -> Entries:
        """What the database should have of these records."""
        return dict.fromkeys(entries, "") if self.sealed else entries

    def deliver(self) -> bool:
        """Send what is pending, perhaps once again; False if it was not answered."""
        upload = self.book.pending
        assert upload is not None
        try:
            reply = self.line.send(upload.partner, upload.operation, upload.content, upload.seconds)
        except NoAnswer as error:
            self.reason = str(error)
            return False
        if reply.result == upload.result:
            self.book.acknowledge()
            return True
        if not is_refusal_of_service(reply):
            raise Surprise(
                f"{self.book.name}: {upload.operation} was answered by {reply.status}"
                f" {reply.result} {reply.description or reply.fault}"
            )
        self.reason = f"{reply.status} {reply.headers} {reply.description or reply.fault}"
        return False


def all_senders(line: Callable[[bool], Line]) -> Mapping[str, Sender]:
    """Every operation that uploads, by name of the book."""
    wanted: dict[str, tuple[Compose, Callable[[sa.Connection], Entries]]] = {}
    for number in (1, 2):
        emp, cpo = f"DEEM{number}", f"DECP{number}"
        wanted[f"tokens of emp{number}"] = (lists.tokens(number), _of(chapters.TOKENS, emp))
        wanted[f"charge points of cpo{number}"] = (
            lists.charge_points(number),
            _of(chapters.CHARGE_POINTS, cpo),
        )
        wanted[f"tariffs of cpo{number}"] = (lists.tariffs(number), _of(chapters.TARIFFS, cpo))
        wanted[f"states of cpo{number}"] = (
            lists.evse_states(number),
            _of(chapters.EVSE_STATES, cpo),
        )
        wanted[f"CDRs of cpo{number}"] = (
            cdrs.billing(number),
            lambda connection, cpo=cpo: cdrs.stored(connection, cpo),
        )
    wanted["states of pso"] = (lists.parking_states(), _of(chapters.PARKING_STATES, "DEPSO"))
    for partner in ("emp1", "cpo1"):
        wanted[f"endpoints of {partner}"] = (
            endpoints.endpoints(partner),
            lambda connection, partner=partner: dict.fromkeys(
                endpoints.stored_keys(connection, partner), ""
            ),
        )
    return {
        name: Sender(
            Book(name), compose, stored, line(place % 2 == 0), sealed=name.startswith("endpoints")
        )
        for place, (name, (compose, stored)) in enumerate(wanted.items())
    }


def _of(chapter: chapters.Chapter, party: str) -> Callable[[sa.Connection], Entries]:
    return lambda connection: chapter.stored(connection, party)
