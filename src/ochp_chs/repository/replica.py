"""Reading from a replica that lags: only once it shows all that the primary showed.

The promise of changes.py is about one server: what a poll cannot yet see carries a later time. A
replica shows less than its primary, so that a poll there would miss changes which the partner's
next poll takes for answered. Hence each snapshot there waits for the primary's position.
"""

import time
from dataclasses import dataclass

import sqlalchemy as sa

_FIRST_PAUSE_S = 0.002
_PAUSE_S_MAX = 0.05


@dataclass(frozen=True, slots=True)
class Position:
    """Where a primary's write-ahead log was at a moment, and which server that was."""

    lsn: str
    started_at: str


# What is visible has been flushed, and what has been flushed is sent to replicas: the flushed
# position is enough, and it is one that they reach soon. Only without synchronous commits is
# something visible before it is flushed; the position of what was merely inserted has that too, but
# may wait for a later flush.
_POSITION = sa.text(
    "SELECT CAST(CASE current_setting('synchronous_commit') WHEN 'off'"
    " THEN pg_current_wal_insert_lsn() ELSE pg_current_wal_flush_lsn() END AS text),"
    " CAST(pg_postmaster_start_time() AS text)"
)

_PROGRESS = sa.text(
    "SELECT pg_is_in_recovery(), pg_last_wal_replay_lsn() >= CAST(:lsn AS pg_lsn),"
    " CAST(pg_postmaster_start_time() AS text)"
)


def current_position(primary: sa.Connection) -> Position:
    """The position before which everything lies that the primary shows at this moment."""
    return Position(*primary.execute(_POSITION).one())


def catches_up(replica: sa.Connection, position: Position, timeout_s: float) -> bool:
    """Wait until a replica has replayed all up to a position; False if it does not in time.

    Whatever was begun on the connection is rolled back: the next statement begins a transaction
    whose snapshot has it all. A server that replays nothing is either the primary itself, known by
    the moment since when it runs, or a former replica that goes its own way: never.
    """
    deadline = time.monotonic() + timeout_s
    pause_s = _FIRST_PAUSE_S
    while True:
        replays, has_replayed, started_at = replica.execute(_PROGRESS, {"lsn": position.lsn}).one()
        # A snapshot is older than what the same transaction reads of the progress.
        replica.rollback()
        if not replays:
            return bool(started_at == position.started_at)
        if has_replayed:
            return True
        if time.monotonic() + pause_s > deadline:
            return False
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, _PAUSE_S_MAX)
