"""Who reads: partners who follow by deltas, and those who ask for everything, or for one token."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from lxml import etree

from ochp_chs.ochp.times import format_date_time
from tests.faults.traffic import chapters, endpoints
from tests.faults.traffic.cdrs import Cdr
from tests.faults.traffic.chapters import Chapter
from tests.faults.traffic.contents import content_of
from tests.faults.traffic.line import Line, NoAnswer, Surprise, is_refusal_of_service
from tests.support.edge import O, Reply

_LONG_AGO = "2000-01-01T00:00:00Z"


class NotServed(Exception):
    """The clearing house said clearly that it is in trouble, or nothing whole at all."""


def ask(line: Line, partner: str, operation: str, content: str = "", *also: str) -> Reply:
    """The answer to a question: result `ok`, or none where the operation has none, or `also`."""
    try:
        reply = line.send(partner, operation, content)
    except NoAnswer as error:
        raise NotServed(str(error)) from error
    if reply.status == 200 and reply.fault is None and reply.result in ("ok", None, *also):
        return reply
    if is_refusal_of_service(reply):
        raise NotServed(reply.description or reply.fault)
    raise Surprise(
        f"{operation} of {partner}: {reply.status} {reply.result} {reply.description} {reply.fault}"
    )


def _read(
    reply: Reply, element: str, read: Callable[[etree._Element], tuple[str, str]]
) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in map(read, reply.elements(element)):
        if key in found:
            raise Surprise(f"{key} is given out twice in one answer")
        found[key] = value
    return found


@dataclass
class Follower:
    """Asks for what changed since it asked last; a broken answer counts for nothing."""

    partner: str
    chapter: Chapter
    line: Line
    known: dict[str, str] = field(default_factory=dict)
    last_update: str = _LONG_AGO
    polls: int = 0

    def step(self, _dice: random.Random) -> None:
        """Poll once; raises NotServed."""
        asked_at = format_date_time(datetime.now(UTC))
        since = self.chapter.since
        content = (
            f"<{since}><DateTime>{self.last_update}</DateTime></{since}>{self.chapter.question}"
        )
        reply = ask(self.line, self.partner, self.chapter.delta, content)
        self.known |= _read(reply, self.chapter.delta_element, self.chapter.read)
        self.last_update = asked_at
        self.polls += 1


def full_list(line: Line, partner: str, chapter: Chapter) -> Mapping[str, str]:
    """All that a partner is given of a chapter now."""
    reply = ask(line, partner, chapter.full, chapter.question)
    return _read(reply, chapter.full_element, chapter.read)


def all_cdrs(line: Line, number: int) -> Mapping[str, Cdr]:
    """All CDRs between the CPO and the EMP of this number, as these two see them."""
    asked = [
        *((f"emp{number}", "GetCDRs", s) for s in ("accepted", "revised", "approved", "rejected")),
        (f"cpo{number}", "CheckCDRs", "declined"),
    ]
    found: dict[str, Cdr] = {}
    for partner, operation, status in asked:
        wanted = f"<cdrStatus><CdrStatusType>{status}</CdrStatusType></cdrStatus>"
        for record in ask(line, partner, operation, wanted).elements("cdrInfoArray"):
            key = record.findtext(f"{O}CdrId") or ""
            if key in found:
                raise Surprise(f"the CDR {key} is given out twice")
            status_shown = record.findtext(f"{O}status/{O}CdrStatusType") or ""
            found[key] = Cdr(status_shown, (), content_of(record, "status"))
    return found


def all_endpoints(line: Line, partner: str) -> Mapping[str, str]:
    """The endpoints that a partner is given."""
    reply = ask(line, partner, "GetServiceEndpoints")
    element = "providerEndpointArray" if partner == "cpo1" else "operatorEndpointArray"
    return _read(reply, element, endpoints.read)


def single_token(line: Line, partner: str, instance: str) -> str | None:
    """What is known of one token; None: nothing."""
    content = f"<emtId><instance>{instance}</instance><tokenType>rfid</tokenType></emtId>"
    reply = ask(line, partner, "GetSingleRoamingAuthorisation", content, "invalid-id")
    if reply.result == "invalid-id":
        return None
    (record,) = reply.elements("roamingAuthorisationInfo")
    return content_of(record)


@dataclass
class Asker:
    """Asks for whole lists and for single tokens; what they say is compared when all is quiet."""

    line: Line
    answers: int = 0

    def step(self, dice: random.Random) -> None:
        """Ask for something; raises NotServed."""
        ways: Sequence[Callable[[], object]] = (
            lambda: full_list(self.line, "cpo1", chapters.TOKENS),
            lambda: full_list(self.line, "nsp", chapters.CHARGE_POINTS),
            lambda: full_list(self.line, "nsp", chapters.COMBINED),
            lambda: full_list(self.line, "emp2", chapters.TARIFFS),
            lambda: ask(self.line, "emp1", "GetCDRs"),
            lambda: ask(self.line, "cpo2", "CheckCDRs"),
            lambda: all_endpoints(self.line, dice.choice(("cpo1", "emp1"))),
            *[lambda: single_token(self.line, "cpo2", f"0401{dice.randrange(60):08X}")] * 8,
        )
        dice.choice(ways)()
        self.answers += 1


def all_followers(line: Callable[[bool], Line]) -> Sequence[Follower]:
    """Those who follow, each chapter by partners of different kinds."""
    wanted = (
        ("cpo1", chapters.TOKENS),
        ("cpo2", chapters.TOKENS),
        ("nsp", chapters.CHARGE_POINTS),
        ("emp1", chapters.CHARGE_POINTS),
        ("emp1", chapters.TARIFFS),
        ("emp2", chapters.TARIFFS),
        ("nsp", chapters.EVSE_STATES),
        ("emp2", chapters.EVSE_STATES),
        ("nsp", chapters.PARKING_STATES),
        ("nsp", chapters.COMBINED),
    )
    return [
        Follower(partner, chapter, line(place % 2 == 0))
        for place, (partner, chapter) in enumerate(wanted)
    ]
