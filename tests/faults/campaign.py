"""The course of every fault: traffic, the fault, the end of the fault, and a look at everything."""

import random
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tests.faults.audit.given_out import audit_given_out
from tests.faults.audit.stored import audit_stored
from tests.faults.audit.verdict import Verdict
from tests.faults.site import Site
from tests.faults.traffic.line import Line
from tests.faults.traffic.traffic import Traffic

#: How much traffic there is before a fault, so that it comes at any moment of any message.
_BEFORE_S = (0.2, 1.5)


class Strike(Protocol):
    """A fault: one module of tests/faults/strikes each. Made for one time."""

    name: str
    #: How long the traffic goes on with the fault, at least and at most.
    lasts_s: tuple[float, float]
    #: How soon the server has to serve again after `heal`.
    back_within_s: float

    def inject(self, site: Site, dice: random.Random) -> None:
        """Break it."""

    def expect(self, site: Site, traffic: Traffic) -> None:
        """What must hold while it is broken; raises AssertionError."""

    def heal(self, site: Site) -> None:
        """Do what the world would do; nothing where the server comes back by itself."""


@dataclass
class Row:
    """What became of one kind of fault."""

    name: str
    times: int = 0
    survived: int = 0
    answered: int = 0
    unanswered: int = 0
    taken: int = 0
    lost: int = 0
    back_after_s: list[float] = field(default_factory=list)


class Campaign:
    """One site, one traffic, and any number of faults."""

    def __init__(self, site: Site, seed: int, rows: dict[str, Row] | None = None) -> None:
        self._site = site
        self.traffic = Traffic.to(site.address, seed)
        self._dice = random.Random(seed)
        self._line = Line(site.address)
        #: By name of the fault.
        self.rows: dict[str, Row] = {} if rows is None else rows

    def run(self, strikes: Iterable[Strike]) -> None:
        """One after the other."""
        for strike in strikes:
            self.strike(strike)

    def strike(self, strike: Strike) -> None:
        """Once; raises AssertionError with all that was lost."""
        row = self.rows.setdefault(strike.name, Row(strike.name))
        row.times += 1
        answered = self.traffic.answered
        self.traffic.start()
        try:
            self._wait(*_BEFORE_S)
            strike.inject(self._site, self._dice)
            self._wait(*strike.lasts_s)
            strike.expect(self._site, self.traffic)
            began = time.monotonic()
            strike.heal(self._site)
            self._site.wait_until_back(strike.back_within_s)
            row.back_after_s.append(time.monotonic() - began)
        finally:
            self.traffic.stop()
        row.answered += self.traffic.answered - answered
        row.unanswered += len(self.traffic.pending)
        verdict = self.audit()
        row.taken += len(verdict.taken)
        row.lost += len(verdict.problems)
        assert not verdict.problems, "\n".join([strike.name, *verdict.problems])
        row.survived += 1

    def audit(self) -> Verdict:
        """Look at everything; what was not answered is sent once more, and must change nothing."""
        verdict = Verdict()
        self._site.wait_until_quiet()
        with self._site.connection() as connection:
            audit_stored(connection, self.traffic.senders, verdict)
            for name in verdict.taken:
                book = self.traffic.senders[name].book
                upload = book.pending
                assert upload is not None
                book.acknowledge()
                book.send(upload)
            if verdict.problems:
                return verdict
            if self.traffic.pending:
                self.traffic.repeat()
                audit_stored(connection, self.traffic.senders, verdict)
        books = {name: sender.book for name, sender in self.traffic.senders.items()}
        audit_given_out(books, self.traffic.followers, self._line, self._dice, verdict)
        self.traffic.hang_up()
        return verdict

    def _wait(self, least: float, most: float) -> None:
        self.traffic.flow_for(self._dice.uniform(least, most))


_TITLES = ("fault", "times", "survived", "lost", "answered", "unanswered", "of these taken", "back")


def table(rows: Sequence[Row]) -> str:
    """What became of all faults, for people; `back`: after how long, at the median and at most."""
    lines = [_TITLES, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def _cells(row: Row) -> Sequence[str]:
    back = "-"
    if row.back_after_s:
        back = f"{statistics.median(row.back_after_s):.1f} s, {max(row.back_after_s):.1f} s"
    counts = (row.times, row.survived, row.lost, row.answered, row.unanswered, row.taken)
    return (row.name, *map(str, counts), back)
