"""Full lists and deltas: what a partner gets of one feed, as statements and as streams."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import cast

import sqlalchemy as sa

from ochp_chs.repository.feeds import Feed
from ochp_chs.repository.tables import change

#: Payloads are handed on in blocks of this many.
BLOCK_ROWS = 500


def current_records(feed: Feed, parties: Sequence[str], at: datetime) -> sa.Select[tuple[str]]:
    """The payloads of a full list. Served by the index on owner."""
    table = feed.table
    return sa.select(table.c.payload).where(table.c[feed.owner].in_(parties), feed.is_current(at))


def changed_records(
    feed: Feed,
    followed: Sequence[str],
    new: Sequence[str],
    since: datetime,
    at: datetime,
) -> sa.CompoundSelect[tuple[str]]:
    """The payloads of a delta: what changed at or after `since`, withdrawn records included.

    Of `new` parties, whose data flows to the caller only since then, it is all that is current
    besides. Served by the indexes on (feed, changed_at) and on (owner, change_id).
    """
    table = feed.table
    changes = sa.select(change.c.id).where(change.c.feed == feed.name, change.c.changed_at >= since)
    owner = table.c[feed.owner]
    is_changed = table.c.change_id.in_(changes)
    return sa.union_all(
        sa.select(table.c.payload).where(owner.in_([*followed, *new]), is_changed),
        sa.select(table.c.payload).where(owner.in_(new), feed.is_current(at), ~is_changed),
    )


def stream_current(
    connection: sa.Connection, feed: Feed, parties: Sequence[str], at: datetime
) -> Iterator[Sequence[str]]:
    """The payloads of a full list, in blocks."""
    return _stream(connection, current_records(feed, parties, at))


def stream_changed(
    connection: sa.Connection,
    feed: Feed,
    followed: Sequence[str],
    new: Sequence[str],
    since: datetime,
    at: datetime,
) -> Iterator[Sequence[str]]:
    """The payloads of a delta, in blocks; see `changed_records`."""
    return _stream(connection, changed_records(feed, followed, new, since, at))


def _stream(
    connection: sa.Connection, statement: sa.Select[tuple[str]] | sa.CompoundSelect[tuple[str]]
) -> Iterator[Sequence[str]]:
    # A server-side cursor: memory does not grow with the list.
    result = connection.execution_options(stream_results=True, max_row_buffer=BLOCK_ROWS).execute(
        statement
    )
    yield from cast(Iterator[Sequence[str]], result.scalars().partitions(BLOCK_ROWS))
