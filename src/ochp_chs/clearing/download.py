"""The one road of every downloaded list: whose data it is, since when, as one snapshot."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial

from ochp_chs.clearing.exchange import (
    Answer,
    Blocks,
    Call,
    ClearingHouse,
    Elements,
    no_connection,
    primed,
)
from ochp_chs.ochp.results import Result, ResultCode
from ochp_chs.ochp.roles import Carries
from ochp_chs.repository import changes, delta
from ochp_chs.repository.connections import Source, sources_of
from ochp_chs.repository.engine import Connection
from ochp_chs.repository.feeds import Feed

#: Streams blocks of payloads from a connection.
Read = Callable[[Connection], Iterator[Sequence[str]]]


def full_list(
    house: ClearingHouse, call: Call, feed: Feed, carries: Carries, element: str
) -> Answer:
    """All current records of the partners whose data flows to the caller."""
    sources = _sources(house, call, feed, carries)
    if not sources:
        return no_connection(call.operation)
    read = partial(
        delta.stream_current,
        feed=feed,
        parties=[source.party_id for source in sources],
        at=house.clock(),
    )
    return _answer(house, read, element)


def updates(
    house: ClearingHouse,
    call: Call,
    feed: Feed,
    carries: Carries,
    element: str,
    last_update: datetime,
) -> Answer:
    """Everything that changed at or after `last_update`, reaching back by the clock tolerance."""
    sources = _sources(house, call, feed, carries)
    if not sources:
        return no_connection(call.operation)
    since = last_update - house.clock_tolerance
    read = partial(
        delta.stream_changed,
        feed=feed,
        followed=[source.party_id for source in sources if source.visible_since < since],
        new=[source.party_id for source in sources if source.visible_since >= since],
        since=since,
        at=house.clock(),
    )
    return _answer(house, read, element)


def _sources(house: ClearingHouse, call: Call, feed: Feed, carries: Carries) -> Sequence[Source]:
    """Whose data flows to the caller; and every change that has its time is committed by then."""
    with house.database.begin() as connection:
        sources = sources_of(connection, call.partner.id, carries)
        if sources:
            changes.await_publishers(connection, feed)
    return sources


def _answer(house: ClearingHouse, read: Read, element: str) -> Answer:
    blocks = primed(_stream(house, read))
    return Answer(Result(ResultCode.OK, "Complete."), [Elements(element, blocks)])


def _stream(house: ClearingHouse, read: Read) -> Blocks:
    with house.database.snapshot() as connection:
        yield from read(connection)
