"""Merging staged rows into their table: one statement, and what did not change is not touched."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ochp_chs.repository.feeds import Feed
from ochp_chs.repository.tables import change_id as change_ids


def lock_uploads(connection: sa.Connection, feed: Feed, partner_id: int) -> int:
    """Let one partner's uploads of one kind merge one after the other.

    Two Sets at once would each withdraw what the other brings, and two merges of the same keys
    in different order would deadlock. Held until the transaction ends. Returns, by the same round
    trip, a new change id for the upload's records to carry.
    """
    lock = {"kind": int(feed.upload_lock), "partner_id": partner_id}
    identifier: int = connection.execute(_LOCK_UPLOADS, lock).one()[1]
    return identifier


_LOCK_UPLOADS = sa.select(
    sa.func.pg_advisory_xact_lock(
        sa.bindparam("kind", type_=sa.Integer), sa.bindparam("partner_id", type_=sa.Integer)
    ),
    change_ids.next_value(),
)


def has_nothing(connection: sa.Connection, feed: Feed, owners: Sequence[str]) -> bool:
    """Whether there is no record of the owners at all, not even a withdrawn one."""
    stored = sa.select(sa.literal(1)).where(feed.table.c[feed.owner].in_(owners)).limit(1)
    return connection.execute(stored).first() is None


def merge(
    connection: sa.Connection,
    feed: Feed,
    columns: Sequence[str],
    source: sa.FromClause,
    change_id: int,
) -> int:
    """Insert what is new, replace what differs; returns how many rows that were."""
    return connection.execute(merge_statement(feed, columns, source, change_id)).rowcount


def merge_statement(
    feed: Feed, columns: Sequence[str], source: sa.FromClause, change_id: int
) -> sa.Insert:
    """What `merge` executes, for who merges many parts from one table."""
    table = feed.table
    same_key = sa.and_(*[table.c[name] == source.c[name] for name in feed.key])
    # By one look into the key's index for each row, whatever the planner thinks: joining a part of
    # a list with the whole table by any other way would read the table once for every part.
    stored = sa.select(table).where(same_key).offset(0).lateral("stored")
    # Without the anti-join, ON CONFLICT would lock (and log) every row that did not change.
    differs = [stored.c[feed.key[0]].is_(None), stored.c.payload != source.c.payload]
    if feed.withdrawal is not None:
        differs.append(stored.c.withdrawn_at.is_not(None))
    changed = (
        sa.select(*[source.c[name] for name in columns], sa.literal(change_id))
        .select_from(source.outerjoin(stored, sa.true()))
        .where(sa.or_(*differs))
    )
    statement = insert(feed.table).from_select([*columns, "change_id"], changed)
    replaced = [name for name in (*columns, "change_id") if name not in feed.key]
    return statement.on_conflict_do_update(
        index_elements=list(feed.key),
        set_={
            **{name: statement.excluded[name] for name in replaced},
            **({} if feed.withdrawal is None else {"withdrawn_at": None}),
        },
    )


def withdraw_missing(
    connection: sa.Connection,
    feed: Feed,
    owners: Sequence[str],
    source: sa.FromClause,
    retained: sa.FromClause | None,
    change_id: int,
    at: datetime,
) -> int:
    """Withdraw what the owners had and a Set left out; returns how many rows that were.

    `retained` has keys of refused records: their earlier versions stay as they were.
    """
    table = feed.table
    if feed.withdrawal is None:
        raise ValueError(f"of {feed.name} nothing is ever withdrawn")
    incoming = sa.exists().where(*[source.c[name] == table.c[name] for name in feed.key])
    statement = (
        table.update()
        .where(
            table.c[feed.owner].in_(owners),
            table.c.withdrawn_at.is_(None),
            # What this Set has just brought need not be looked for; an index leaves it out.
            sa.or_(table.c.change_id < change_id, table.c.change_id > change_id),
            ~incoming,
        )
        .values(change_id=change_id, **feed.withdrawal(at))
    )
    if retained is not None:
        column = feed.retained
        statement = statement.where(~sa.exists().where(retained.c[column] == table.c[column]))
    return connection.execute(statement).rowcount
