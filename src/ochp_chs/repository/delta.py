"""Full lists and deltas: what a partner gets of one feed, as statements and as streams."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain

import psycopg2
import sqlalchemy as sa

from ochp_chs.repository.feeds import Feed
from ochp_chs.repository.tables import change

#: Payloads are handed on in blocks of this many.
BLOCK_ROWS = 500


def current_records(feed: Feed, parties: Sequence[str], at: datetime) -> sa.Select[str]:
    """The payloads of a full list. Served by the index on owner."""
    return sa.select(feed.given_out(at)).where(feed.belongs_to(parties), feed.is_current(at))


def changed_records(
    feed: Feed,
    followed: Sequence[str],
    new: Sequence[str],
    since: datetime,
    at: datetime,
) -> sa.Select[str] | sa.CompoundSelect[str]:
    """The payloads of a delta: what changed at or after `since`, withdrawn records included.

    Of `new` parties, whose data flows to the caller only since then, it is all that is current
    besides. Served by the indexes on (feed, changed_at) and on (owner, change_id).
    """
    if feed.elapsed is not None:
        elapsed = feed.elapsed(since, at)
        return _changed_or_elapsed(feed, followed, new, since, at, elapsed)
    payload, is_changed = feed.given_out(at), feed.table.c.change_id.in_(_changes(feed, since))
    return sa.union_all(
        sa.select(payload).where(feed.belongs_to([*followed, *new]), is_changed),
        sa.select(payload).where(feed.belongs_to(new), feed.is_current(at), ~is_changed),
    )


def changes_since(feed: Feed, since: datetime) -> sa.Subquery:
    """The ids of a feed's changes at or after a moment, to be joined to records' `change_id`."""
    return _changes(feed, since).subquery(f"{feed.table.name}_changes")


def _changes(feed: Feed, since: datetime) -> sa.Select[tuple[int]]:
    return sa.select(change.c.id).where(change.c.feed == feed.name, change.c.changed_at >= since)


def _changed_or_elapsed(
    feed: Feed,
    followed: Sequence[str],
    new: Sequence[str],
    since: datetime,
    at: datetime,
    elapsed: sa.ColumnElement[bool],
) -> sa.Select[str]:
    # One pass over the owners' records: what elapsed is found by no index (see the table). A join
    # and not IN, which beside an OR would be asked again for each record once there are more
    # changes than fit into the memory of a hash.
    table, changes = feed.table, changes_since(feed, since)
    return (
        sa.select(feed.given_out(at))
        .select_from(table.outerjoin(changes, changes.c.id == table.c.change_id))
        .where(
            feed.belongs_to([*followed, *new]),
            sa.or_(
                changes.c.id.is_not(None),
                elapsed,
                sa.and_(feed.belongs_to(new), feed.is_current(at)),
            ),
        )
    )


def stream_current(
    connection: sa.Connection, feed: Feed, parties: Sequence[str], at: datetime
) -> Iterator[Sequence[str]]:
    """The payloads of a full list, in blocks."""
    return stream(connection, current_records(feed, parties, at))


def stream_changed(
    connection: sa.Connection,
    feed: Feed,
    followed: Sequence[str],
    new: Sequence[str],
    since: datetime,
    at: datetime,
) -> Iterator[Sequence[str]]:
    """The payloads of a delta, in blocks; see `changed_records`."""
    return stream(connection, changed_records(feed, followed, new, since, at))


def stream(
    connection: sa.Connection, statement: sa.Select[str] | sa.CompoundSelect[str]
) -> Iterator[Sequence[str]]:
    """The texts of a statement's one column, in blocks."""
    # A server-side cursor: memory does not grow with the list.
    result = connection.execution_options(stream_results=True, max_row_buffer=BLOCK_ROWS).execute(
        statement
    )
    first = result.scalars().fetchmany(BLOCK_ROWS)
    if not first:
        return
    yield first
    # From here on by the driver's own cursor, of which nothing is buffered: making rows of single
    # texts would take a fifth of a long list's time.
    try:
        while len(first) == BLOCK_ROWS and (rows := result.cursor.fetchmany(BLOCK_ROWS)):
            yield list(chain.from_iterable(rows))
    except psycopg2.Error as error:
        # As after any other statement that broke off: there may be nothing left to roll back.
        connection.invalidate(error)
        raise
    result.close()
