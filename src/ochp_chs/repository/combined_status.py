"""The combined status of EVSEs: their own states with those of their parking spots.

Which parking spots an EVSE has is said by its operator's charge point data.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import array

from ochp_chs.ochp.records.status import Kind, Major
from ochp_chs.ochp.roles import Carries, Role
from ochp_chs.repository.charge_points import CHARGE_POINTS
from ochp_chs.repository.delta import changes_since, stream
from ochp_chs.repository.feeds import utc_text
from ochp_chs.repository.live_status import (
    EVSE_STATUS,
    LIVE_STATUS,
    UNKNOWN_EVSE,
    after_attributes,
    has_expired,
    has_expired_between,
)
from ochp_chs.repository.tables import (
    charge_point,
    live_status,
    partner_party,
    roaming_connection,
)

_BLOCKED = ' major="not-available" minor="blocked"'


@dataclass(frozen=True, slots=True)
class ParkingSource:
    """A parking operator whose states count for the EVSEs of an operator."""

    operator: str
    parking_operator: str
    #: All its states are new to that operator since this moment.
    visible_since: datetime


@dataclass(frozen=True, slots=True)
class View:
    """Whose EVSEs are asked for, and whose parking states count for them."""

    operators: Sequence[str]
    #: Parking operators that count with every operator: the caller is connected to them itself.
    parking_operators: Sequence[str]
    #: Pairs of operator and parking operator.
    parking_of: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Since:
    """What limits an answer: to changes since a moment, and to all of the new operators."""

    moment: datetime
    new_operators: Sequence[str]


def list_parking_sources(
    connection: sa.Connection, operators: Sequence[str]
) -> Sequence[ParkingSource]:
    """Whose parking states count for these operators' EVSEs: their own and their partners'."""
    mine, theirs = partner_party.alias("mine"), partner_party.alias("theirs")
    low, high = roaming_connection.c.low_partner_id, roaming_connection.c.high_partner_id
    limits = roaming_connection.c.carries
    own = (
        sa.select(mine.c.party_id, theirs.c.party_id, theirs.c.granted_at)
        .join_from(mine, theirs, theirs.c.partner_id == mine.c.partner_id)
        .where(theirs.c.role.in_([Role.CPO.value, Role.PSO.value]))
    )
    since = sa.func.greatest(roaming_connection.c.connected_at, theirs.c.granted_at)
    flowing = [
        sa.select(mine.c.party_id, theirs.c.party_id, since)
        .join_from(mine, roaming_connection, here == mine.c.partner_id)
        .join(theirs, theirs.c.partner_id == there)
        .where(
            theirs.c.role == Role.PSO.value,
            sa.or_(limits.is_(None), sa.literal(Carries.LIVE_STATUS.value) == sa.any_(limits)),
        )
        for here, there in ((low, high), (high, low))
    ]
    wanted = (mine.c.role == Role.CPO.value, mine.c.party_id.in_(operators))
    statement = sa.union_all(*(select.where(*wanted) for select in (own, *flowing)))
    return [ParkingSource(*row) for row in connection.execute(statement)]


def stream_combined(
    connection: sa.Connection, view: View, at: datetime, since: Since | None
) -> Iterator[Sequence[str]]:
    """The payloads, in blocks; see `combined`."""
    return stream(connection, combined(view, at, since))


def combined(view: View, at: datetime, since: Since | None) -> sa.Select[str]:
    """One payload for each EVSE of the operators; since a moment, for each that may be another.

    An available EVSE with parking spots that are all not available is blocked, until the first of
    these states ends; every other EVSE has its own state, unknown without any.
    """
    touched = None if since is None else _touched(view, since, at).cte("touched")
    evse = _charge_points(view, touched).cte("evse")
    own = _own_states(view, touched).subquery("own")
    spots = _spots(evse, view, at).subquery("spots")
    nameless = sa.literal(f"{UNKNOWN_EVSE}><evseId>") + evse.c.evse_id + "</evseId>"
    blocked = (
        sa.literal(_BLOCKED)
        + _ttl(sa.func.least(own.c.expires_at, spots.c.ends_at))
        + after_attributes(own)
    )
    shown = sa.case(
        (own.c.key.is_(None), nameless),
        (has_expired(own, at), sa.literal(UNKNOWN_EVSE) + after_attributes(own)),
        (sa.and_(own.c.major == Major.AVAILABLE.value, spots.c.all_taken), blocked),
        else_=own.c.payload,
    )
    return sa.select(shown).select_from(
        evse.outerjoin(own, own.c.key == evse.c.evse_key, full=True).outerjoin(
            spots, spots.c.evse_key == evse.c.evse_key
        )
    )


def _charge_points(view: View, touched: sa.CTE | None) -> sa.Select[Any]:
    columns = charge_point.c
    statement = sa.select(
        columns.evse_key, columns.evse_id, columns.operator, columns.parking_keys
    ).where(columns.operator.in_(view.operators), columns.withdrawn_at.is_(None))
    return statement if touched is None else statement.where(_among(columns.evse_key, touched))


def _own_states(view: View, touched: sa.CTE | None) -> sa.Select[Any]:
    columns = live_status.c
    statement = sa.select(columns.key, columns.major, columns.expires_at, columns.payload).where(
        EVSE_STATUS.belongs_to(view.operators)
    )
    return statement if touched is None else statement.where(_among(columns.key, touched))


def _among(key: sa.ColumnElement[str], touched: sa.CTE) -> sa.ColumnElement[bool]:
    return key.in_(sa.select(touched.c.key))


def _spots(evse: sa.CTE, view: View, at: datetime) -> sa.Select[tuple[str, bool, datetime]]:
    """Of each EVSE with parking spots: are all not available, and when does the first of that end.

    A spot whose state is not known, or not to be seen, may be free.
    """
    spot = (
        sa.func.unnest(evse.c.parking_keys)
        .table_valued(sa.column("key", sa.Text), name="spot")
        .render_derived()
        .lateral()
    )
    state = live_status.alias("state")
    counts = sa.or_(
        state.c.operator.in_(view.parking_operators),
        sa.tuple_(evse.c.operator, state.c.operator).in_(view.parking_of),
    )
    is_taken = sa.and_(state.c.major == Major.NOT_AVAILABLE.value, ~has_expired(state, at))
    same = sa.and_(state.c.key == spot.c.key, state.c.kind == Kind.PARKING.value, counts)
    return (
        sa.select(
            evse.c.evse_key,
            sa.func.bool_and(sa.func.coalesce(is_taken, sa.false())).label("all_taken"),
            sa.func.min(state.c.expires_at).label("ends_at"),
        )
        .select_from(evse.join(spot, sa.true()).outerjoin(state, same))
        .where(evse.c.parking_keys.is_not(None))
        .group_by(evse.c.evse_key)
    )


def _ttl(ends_at: sa.ColumnElement[datetime]) -> sa.ColumnElement[str]:
    return sa.func.coalesce(sa.literal(' ttl="') + utc_text(ends_at) + '"', "")


def _touched(view: View, since: Since, at: datetime) -> sa.CompoundSelect[str]:
    """The keys of EVSEs of which anything changed or ended: state, charge point, parking spot."""
    state_changes = changes_since(LIVE_STATUS, since.moment)
    point_changes = changes_since(CHARGE_POINTS, since.moment)
    states = live_status.outerjoin(state_changes, state_changes.c.id == live_status.c.change_id)
    is_another = sa.or_(
        state_changes.c.id.is_not(None), has_expired_between(live_status, since.moment, at)
    )
    parking = (
        sa.select(live_status.c.key)
        .select_from(states)
        .where(live_status.c.kind == Kind.PARKING.value, is_another)
        .subquery("parking")
    )
    points = charge_point.c
    ours = points.operator.in_(view.operators)
    return sa.union(
        sa.select(live_status.c.key)
        .select_from(states)
        .where(EVSE_STATUS.belongs_to(view.operators), is_another),
        sa.select(points.evse_key).where(ours, points.change_id.in_(sa.select(point_changes.c.id))),
        # Served by ix_charge_point_parking_keys.
        sa.select(points.evse_key)
        .join(parking, points.parking_keys.contains(array([parking.c.key])))
        .where(ours, points.parking_keys.is_not(None)),
        sa.select(live_status.c.key).where(EVSE_STATUS.belongs_to(since.new_operators)),
        sa.select(points.evse_key).where(points.operator.in_(since.new_operators)),
    )
