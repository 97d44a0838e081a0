"""Partners who follow a feed by deltas, uploads that are held half-way, and broken protections."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from lxml import etree

from ochp_chs.config import Settings
from ochp_chs.ochp.times import format_date_time
from ochp_chs.repository.engine import Database
from ochp_chs.repository.feeds import Feed, Lock
from ochp_chs.repository.tables import change
from tests.support.charge_points import charge_point_xml
from tests.support.edge import Edge, O
from tests.support.endpoints import SECRET_KEY
from tests.support.live_status import evse_xml
from tests.support.tariffs import individual_xml, tariff_xml
from tests.support.tokens import token_xml

#: Version of a record that was withdrawn.
GONE = -1

#: Version of each record, by its key.
Versions = dict[str, int]

FOLLOWER = "follower"

_LONG_AGO = "2000-01-01T00:00:00Z"
_VERSIONS_BEGIN = datetime(2090, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Chapter:
    """One feed as its partners know it. Records are numbers of a sender, with a version."""

    name: str
    sends: str
    follows: str
    update: str
    #: None: there is no Set.
    replace: str | None
    ask: str
    since: str
    answer: str
    #: XML of a record: the sender's number, its key, its version.
    record: Callable[[int, int, int], str]
    read: Callable[[etree._Element], tuple[str, int]]


def _token(sender: int, key: int, version: int) -> str:
    contract_id = f"DE-S{sender:02d}-C{key:08d}"
    return token_xml(_uid(sender, key), contract_id=contract_id, printed_number=f"v{version}")


def _uid(sender: int, key: int) -> str:
    return f"04{sender:02X}{key:08X}"


def _read_token(element: etree._Element) -> tuple[str, int]:
    expiry = element.findtext(f"{O}expiryDate/{O}DateTime") or ""
    printed = element.findtext(f"{O}printedNumber") or ""
    version = int(printed[1:]) if expiry.startswith("2099") else GONE
    return (element.findtext(f"{O}contractId") or ""), version


def _evse_id(sender: int, key: int) -> str:
    return f"DE*S{sender:02d}*E{key}"


def _charge_point(sender: int, key: int, version: int) -> str:
    return charge_point_xml(_evse_id(sender, key), location_id=f"L{key}", name=f"v{version}")


def _read_charge_point(element: etree._Element) -> tuple[str, int]:
    status = element.findtext(f"{O}status/{O}ChargePointStatusType")
    name = element.findtext(f"{O}locationName") or ""
    version = GONE if status == "Closed" else int(name[1:])
    return (element.findtext(f"{O}evseId") or ""), version


def _state(sender: int, key: int, version: int) -> str:
    ends_at = _VERSIONS_BEGIN + timedelta(seconds=version)
    return evse_xml(_evse_id(sender, key), ttl=format_date_time(ends_at))


def _read_state(element: etree._Element) -> tuple[str, int]:
    ends_at = datetime.fromisoformat(element.get("ttl") or "")
    return (element[0].text or ""), int((ends_at - _VERSIONS_BEGIN).total_seconds())


def _tariff(sender: int, key: int, version: int) -> str:
    return tariff_xml(individual_xml(f"{version}.0"), tariff_id=f"DE*S{sender:02d}*T{key}")


def _read_tariff(element: etree._Element) -> tuple[str, int]:
    price = element.findtext(f".//{O}itemPrice") or ""
    return (element.findtext(f"{O}tariffId") or ""), int(float(price))


CHAPTERS = (
    Chapter(
        "tokens",
        sends="emp",
        follows="cpo",
        update="UpdateRoamingAuthorisationList",
        replace="SetRoamingAuthorisationList",
        ask="GetRoamingAuthorisationListUpdates",
        since="lastUpdate",
        answer="roamingAuthorisationInfo",
        record=_token,
        read=_read_token,
    ),
    Chapter(
        "charge-points",
        sends="cpo",
        follows="nsp",
        update="UpdateChargePointList",
        replace="SetChargepointList",
        ask="GetChargePointListUpdates",
        since="lastUpdate",
        answer="chargePointInfoArray",
        record=_charge_point,
        read=_read_charge_point,
    ),
    Chapter(
        "tariffs",
        sends="cpo",
        follows="emp",
        update="UpdateTariffs",
        replace=None,
        ask="GetTariffUpdates",
        since="lastUpdate",
        answer="TariffInfoArray",
        record=_tariff,
        read=_read_tariff,
    ),
    Chapter(
        "live-status",
        sends="cpo",
        follows="nsp",
        update="UpdateStatus",
        replace=None,
        ask="GetStatus",
        since="startDateTime",
        answer="evse",
        record=_state,
        read=_read_state,
    ),
)


def server_on(database: Database, *, tolerance_s: int = 0) -> Edge:
    """A server of its own on a database, with the right time."""
    settings = Settings(clock_tolerance_s=tolerance_s, secret_key=SECRET_KEY)
    return Edge(database, lambda: datetime.now(UTC), settings)


def add_market(edge: Edge, chapter: Chapter, senders: int) -> None:
    """Add the follower, and numbered senders that are connected to it."""
    follower_party = {"emp": ("DE-FOL",), "cpo": ("DE*FOL",)}.get(chapter.follows, ())
    edge.partner(FOLLOWER, chapter.follows, *follower_party)
    for number in range(senders):
        edge.partner(sender_name(number), chapter.sends, f"DES{number:02d}")
        edge.connect(sender_name(number), FOLLOWER)


def sender_name(number: int) -> str:
    return f"sender-{number}"


@dataclass
class Sender:
    """One partner's uploads, and what has therefore to reach every follower."""

    chapter: Chapter
    number: int
    committed: Versions = field(default_factory=dict)

    def update(self, edge: Edge, records: Mapping[int, int]) -> None:
        """Add or change records: versions by key."""
        self._send(edge, self.chapter.update, records)

    def replace(self, edge: Edge, records: Mapping[int, int]) -> None:
        """Send the whole list; what is not in it is gone."""
        assert self.chapter.replace is not None
        self._send(edge, self.chapter.replace, records)
        kept = self.versions(records)
        self.committed = {key: kept.get(key, GONE) for key in self.committed}

    def content(self, records: Mapping[int, int]) -> str:
        """The records as XML."""
        return "".join(self.chapter.record(self.number, *each) for each in records.items())

    def note(self, records: Mapping[int, int]) -> None:
        """Take note of records that were taken."""
        self.committed |= self.versions(records)

    def _send(self, edge: Edge, operation: str, records: Mapping[int, int]) -> None:
        reply = edge.call(sender_name(self.number), operation, self.content(records), valid=False)
        assert reply.result == "ok", reply.description or reply.fault
        self.note(records)

    def versions(self, records: Mapping[int, int]) -> Versions:
        """The same by the keys that followers know."""
        elements = etree.fromstring(f'<all xmlns="{O[1:-1]}">{self.content(records)}</all>')
        return dict(map(self.chapter.read, elements))


@dataclass
class Follower:
    """Asks for what changed since it asked last, by a clock that is off by `skew`."""

    chapter: Chapter
    skew: timedelta = timedelta(0)
    known: Versions = field(default_factory=dict)
    last_update: str = _LONG_AGO

    def poll(self, edge: Edge) -> Versions:
        """What the answer brings; it is known from then on."""
        asked_at = format_date_time(datetime.now(UTC) + self.skew)
        since = self.chapter.since
        content = f"<{since}><DateTime>{self.last_update}</DateTime></{since}>"
        reply = edge.call(FOLLOWER, self.chapter.ask, content, valid=False)
        assert reply.fault is None, reply.fault
        assert reply.result in ("ok", None), reply.description
        answer = dict(map(self.chapter.read, reply.elements(self.chapter.answer)))
        self.known |= answer
        self.last_update = asked_at
        return answer

    def lacks(self, committed: Versions) -> set[str]:
        """The keys of records of which the last version was never given out to this follower."""
        return {key for key, version in committed.items() if self.known.get(key) != version}


Publish = Callable[[sa.Connection, Feed, int], None]


class Gate:
    """Holds the uploads of one thread, before or after their change is published."""

    def __init__(self, publish: Publish, *, after: bool) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()
        self._publish = publish
        self._after = after
        self._thread: int | None = None

    def hold_this_thread(self) -> None:
        self._thread = threading.get_ident()

    def __call__(self, connection: sa.Connection, feed: Feed, identifier: int) -> None:
        """Stands in for changes.publish."""
        held = threading.get_ident() == self._thread
        if held and not self._after:
            self._wait()
        self._publish(connection, feed, identifier)
        if held and self._after:
            self._wait()

    def _wait(self) -> None:
        self.reached.set()
        assert self.opened.wait(30)


@contextmanager
def held_upload(gate: Gate, upload: Callable[[], None]) -> Iterator[Callable[[], None]]:
    """Begin an upload that stops at the gate; what is given ends it."""
    failures: list[BaseException] = []

    def run() -> None:
        gate.hold_this_thread()
        try:
            upload()
        except BaseException as error:
            failures.append(error)
            gate.reached.set()

    thread = threading.Thread(target=run)

    def finish() -> None:
        gate.opened.set()
        thread.join(30)
        assert not thread.is_alive()
        assert not failures, failures

    thread.start()
    try:
        assert gate.reached.wait(30)
        yield finish
    finally:
        gate.opened.set()
        thread.join(30)


# What is often done instead. Each of these loses changes.


def publish_begin_of_transaction(connection: sa.Connection, feed: Feed, identifier: int) -> None:
    """The time is PostgreSQL's now(): when the transaction began."""
    connection.execute(
        sa.select(sa.func.pg_advisory_xact_lock_shared(int(Lock.PUBLISH), feed.number))
    )
    connection.execute(
        change.insert().values(id=identifier, feed=feed.name, changed_at=sa.func.now())
    )


def publish_without_lock(connection: sa.Connection, feed: Feed, identifier: int) -> None:
    """The time is that of the statement, and no poll can see that it is there already."""
    connection.execute(
        change.insert().values(id=identifier, feed=feed.name, changed_at=sa.func.clock_timestamp())
    )


def await_nobody(_connection: sa.Connection, *_feeds: Feed) -> None:
    """Polls do not wait for changes between their lock and their commit."""
