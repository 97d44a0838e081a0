"""Rows that nobody needs any more, erased in batches.

Changes. A delta asks for the changes of a feed since a moment, and for the records that carry
their ids (repository/delta.py). A change that no record carries adds nothing to any delta, however
far back it is asked for. And none will carry it again: its records get its id in the transaction
that writes the change itself, as the last thing; from its commit on, records only leave it for
later changes. So once a snapshot shows the change and no record of it, it may go, at any age, and
the promise of repository/changes.py stands: the change that a record carries is never erased, and
withdrawn records stay. A download that is running has its snapshot, and a replica replays in order.
The latest change of each feed stays too, so that its time is at hand.

Live states. One that ended long ago says of an EVSE only that it is unknown. If there is no such
EVSE any more, or no such parking spot, that is said by nothing as well; whoever has the state
knows from its ttl that it is over.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from ochp_chs.repository.charge_points import CHARGE_POINTS
from ochp_chs.repository.feeds import Feed
from ochp_chs.repository.live_status import LIVE_STATUS
from ochp_chs.repository.tables import change, charge_point, live_status
from ochp_chs.repository.tariffs import TARIFFS
from ochp_chs.repository.tokens import TOKENS

FOLLOWED = (TOKENS, CHARGE_POINTS, TARIFFS, LIVE_STATUS)

#: Rows that one statement erases at most.
BATCH_ROWS = 20_000


def prune_changes(connection: sa.Connection, feed: Feed) -> int:
    """Erase some changes of a feed that no record carries; returns how many that were."""
    later = change.alias("later")
    latest = sa.select(sa.func.max(later.c.changed_at)).where(later.c.feed == feed.name)
    carried = sa.exists().where(feed.table.c.change_id == change.c.id)
    unneeded = (
        sa.select(change.c.id)
        .where(change.c.feed == feed.name, change.c.changed_at < latest.scalar_subquery(), ~carried)
        .limit(BATCH_ROWS)
    )
    return connection.execute(change.delete().where(change.c.id.in_(unneeded))).rowcount


def prune_live_status(connection: sa.Connection, before: datetime) -> int:
    """Erase some states that ended before then, of what is not there any more."""
    statement = live_status.delete().where(
        live_status.c.key.in_(sa.select(live_status.c.key).where(_gone(before)).limit(BATCH_ROWS)),
        # Again, for a state that was sent while this waited for its row.
        live_status.c.expires_at < before,
    )
    return connection.execute(statement).rowcount


def _gone(before: datetime) -> sa.ColumnElement[bool]:
    columns: Any = charge_point.c
    state = live_status.c
    is_current = columns.withdrawn_at.is_(None)
    evse = sa.exists().where(columns.evse_key == state.key, is_current)
    # The array operator, which ix_charge_point_parking_keys serves.
    spot = sa.exists().where(
        columns.parking_keys.contains(postgresql.array([state.key])), is_current
    )
    return sa.and_(state.expires_at < before, ~evse, ~spot)
