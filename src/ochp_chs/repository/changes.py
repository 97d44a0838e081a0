"""When a change happened, so that no partner who follows by deltas ever misses one."""

from datetime import datetime

import sqlalchemy as sa

from ochp_chs.repository.feeds import Feed, Lock
from ochp_chs.repository.steady_clock import SteadyClock
from ochp_chs.repository.tables import change
from ochp_chs.repository.tables.base import TIME

# The promise: no committed change is missing from what a partner gets over successive polls.
#
# A partner polls with the time of its last poll, and gets what changed at or after that second.
# So every change needs a time, and the time must be right in one sense only: whatever a poll could
# not yet see must carry a time that is not before that poll. The times at hand all break this.
# PostgreSQL's now() is the time a transaction began: an upload that took ten minutes commits with
# a time that every partner has polled past. A sequence number, or clock_timestamp() written with
# the record, is taken while the transaction is still open: shorter, but the same gap. And there is
# no time "of the commit" that a transaction could write into its own rows.
#
# So the time is not in the records. They carry the id of their upload's change, and the change row,
# the one place with the time, is written last, under a lock:
#
#   writer                                     reader (poll)
#   ------                                     -------------
#   stage, merge: records carry the id
#   lock PUBLISH of the feed, SHARED           lock PUBLISH of the feed, EXCLUSIVE
#   insert change (id, clock_timestamp())        ... waits for the writers between lock and commit
#   commit (releases the lock)                 release it, then take the snapshot and answer
#
# Let a poll get its exclusive lock at the time t. A writer that held the shared lock before t has
# committed (the lock is released after the commit has become visible), so the snapshot, taken
# later, has its changes. A writer that gets the lock after t reads the clock after t, so its change
# has a time after t, and the partner's next poll, which asks for what changed since this one was
# sent, includes it. There is no third kind. Writers share the lock: they wait for each other
# neither while merging nor while committing, and group commit keeps working; a reader holds it
# for no longer than it takes to release it.
#
# What remains is the partner's clock and the seconds of its lastUpdate. The second is rounded down
# by the format itself, and clearing/download.py asks for changes since that much earlier than the
# partner does, which OCHP_CHS_CLOCK_TOLERANCE_S says. A repeat is harmless, a gap is not.
#
# And PostgreSQL's clock, should it be set back: changes would get times that partners have polled
# past. A later time than the true one only repeats, so the latest of three is taken: the clock's,
# that of the feed's last change, and that of a clock of this process that cannot be set back
# (repository/steady_clock.py). The last change alone would not do: who polled after it has polled
# past it. What is more than a day ahead of PostgreSQL is not believed, or a clock that was in
# another year for a minute would make every delta a full list from then on.


#: Second key of the lock for connections, beside the feeds' numbers, which begin at 1.
_CONNECTIONS = 0


def publish(connection: sa.Connection, feed: Feed, identifier: int) -> None:
    """Write the change's time. Must be the transaction's last statement before its commit."""
    connection.execute(
        _PUBLISH,
        {
            "steady": _steady(),
            "lock": int(Lock.PUBLISH),
            "number": feed.number,
            "identifier": identifier,
            "feed_name": feed.name,
        },
    )


def _publish_statement() -> sa.Insert:
    # One round trip, and still the clock is read after the lock was granted: the row from which
    # the time is written exists only when the function in it has returned.
    granted = (
        sa.select(
            sa.func.pg_advisory_xact_lock_shared(
                sa.bindparam("lock", type_=sa.Integer), sa.bindparam("number", type_=sa.Integer)
            ).label("granted")
        )
        .cte("granted")
        .prefix_with("MATERIALIZED")
    )
    row = sa.select(
        sa.bindparam("identifier", type_=sa.BigInteger),
        sa.bindparam("feed_name", type_=sa.Text),
        sa.func.greatest(
            sa.func.clock_timestamp(),
            _believed(sa.bindparam("steady", type_=TIME)),
            _latest_change(change.c.feed == sa.bindparam("feed_name", type_=sa.Text)),
        ),
    ).select_from(granted)
    return change.insert().from_select(["id", "feed", "changed_at"], row)


def _believed(moment: sa.ColumnElement[datetime]) -> sa.ColumnElement[datetime]:
    """The moment, NULL if it is too far ahead."""
    return sa.case((moment <= _believed_until(), moment))


def _believed_until() -> sa.ColumnElement[datetime]:
    # Not clock_timestamp(): the index cannot be searched by what changes in the meantime.
    return sa.func.statement_timestamp() + _BELIEVED


def _latest_change(*which: sa.ColumnElement[bool]) -> sa.ScalarSelect[datetime]:
    # Served by ix_change_feed_changed_at, where it is about one feed.
    believed = change.c.changed_at <= _believed_until()
    return sa.select(sa.func.max(change.c.changed_at)).where(*which, believed).scalar_subquery()


#: How far a time may be ahead of PostgreSQL's clock to be taken in its place.
_BELIEVED = sa.literal_column("interval '1 day'", sa.Interval)

_steady = SteadyClock()
_PUBLISH = _publish_statement()


def connection_time() -> sa.ColumnElement[datetime]:
    """When a roaming connection is made that is committed now; see `lock_connections`."""
    return sa.func.greatest(sa.func.clock_timestamp(), _latest_change())


def lock_connections(connection: sa.Connection) -> None:
    """Before a roaming connection gets its time: it brings all that the other side has.

    Its time (roaming_connection.connected_at) is read like a change's, and by the same polls.
    """
    connection.execute(
        sa.select(sa.func.pg_advisory_xact_lock_shared(int(Lock.PUBLISH), _CONNECTIONS))
    )


def await_publishers(connection: sa.Connection, *feeds: Feed) -> None:
    """Wait until every change and every connection that has its time already is committed.

    In a transaction that ends at once, before the one that takes the snapshot.
    """
    numbers = [_CONNECTIONS, *(feed.number for feed in feeds)]
    connection.execute(
        sa.select(*[sa.func.pg_advisory_xact_lock(int(Lock.PUBLISH), n) for n in numbers])
    )
