"""The one road of every downloaded list: whose data it is, since when, as one snapshot."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import islice

from ochp_chs.clearing.exchange import (
    Answer,
    Blocks,
    Call,
    ClearingHouse,
    Elements,
    no_connection,
    primed,
)
from ochp_chs.clearing.read_ahead import read_ahead
from ochp_chs.ochp.results import Result, ResultCode
from ochp_chs.ochp.roles import Carries
from ochp_chs.repository import changes, delta
from ochp_chs.repository.connections import Source, sources_of
from ochp_chs.repository.engine import Connection
from ochp_chs.repository.feeds import Feed

_BLOCKS_AT_HAND = 2
_BLOCKS_AHEAD = 4

#: Streams blocks of payloads from a connection.
Read = Callable[[Connection], Iterator[Sequence[str]]]


def full_list(
    house: ClearingHouse, call: Call, feed: Feed, carries: Carries, element: str
) -> Answer:
    """All current records of the partners whose data flows to the caller."""
    sources = sources_for(house, call, carries, feed)
    if not sources:
        return no_connection(call.operation)
    read = partial(
        delta.stream_current,
        feed=feed,
        parties=[source.party_id for source in sources],
        at=house.clock(),
    )
    return _feed_answer(house, call, feed, read, element)


def updates(
    house: ClearingHouse,
    call: Call,
    feed: Feed,
    carries: Carries,
    element: str,
    last_update: datetime,
) -> Answer:
    """Everything that changed at or after `last_update`, reaching back by the clock tolerance."""
    sources = sources_for(house, call, carries, feed)
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
    return _feed_answer(house, call, feed, read, element)


def sources_for(
    house: ClearingHouse, call: Call, carries: Carries, *feeds: Feed
) -> Sequence[Source]:
    """Whose data flows to the caller; and every change that has its time is committed by then."""
    with house.database.begin() as connection:
        # First wait, then look: a connection that is being made has its time already, too.
        changes.await_publishers(connection, *feeds)
        sources = sources_of(connection, call.partner.id, carries)
    return [
        source
        for source in sources
        if all(feed.sources is None or source.role in feed.sources for feed in feeds)
    ]


def streamed_answer(
    house: ClearingHouse,
    read: Read,
    element: str,
    *,
    has_result: bool = True,
    with_attributes: bool = False,
) -> Answer:
    """The answer with what `read` streams from one snapshot."""
    blocks = primed(_stream(house, read))
    result = Result(ResultCode.OK, "Complete.") if has_result else None
    return Answer(result, [Elements(element, blocks, with_attributes)])


def _feed_answer(house: ClearingHouse, call: Call, feed: Feed, read: Read, element: str) -> Answer:
    return streamed_answer(
        house,
        read,
        element,
        has_result=call.operation.has_result,
        with_attributes=feed.with_attributes,
    )


def _stream(house: ClearingHouse, read: Read) -> Blocks:
    with house.database.snapshot() as connection:
        blocks = read(connection)
        # Most answers have no more than this, which a second thread would only hold up.
        yield from islice(blocks, _BLOCKS_AT_HAND)
        if (next_block := next(blocks, None)) is None:
            return
        yield next_block
        # While one block is on its way to the client, the database finds the next.
        with read_ahead(blocks, _BLOCKS_AHEAD) as ahead:
            yield from ahead
