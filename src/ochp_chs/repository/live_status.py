"""Live status as a feed: states end by themselves, and are unknown from then on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ochp_chs.ochp.records.status import Kind
from ochp_chs.ochp.roles import Role
from ochp_chs.repository.feeds import Feed, Lock
from ochp_chs.repository.tables import charge_point, live_status

#: How a payload begins whose state is unknown; what follows is the bracket after the attributes.
UNKNOWN_EVSE = ' major="unknown"'
_UNKNOWN_PARKING = ' status="unknown"'

_LISTED_MAX = 100


def has_expired(state: sa.FromClause, at: datetime) -> sa.ColumnElement[bool]:
    """Which states are unknown at that time because their ttl has passed."""
    return sa.func.coalesce(state.c.expires_at <= at, sa.false(), type_=sa.Boolean)


def has_expired_between(
    state: sa.FromClause, since: datetime, at: datetime
) -> sa.ColumnElement[bool]:
    """Which states became unknown in that time."""
    return state.c.expires_at.between(since, at)


def after_attributes(state: sa.FromClause) -> sa.ColumnElement[str]:
    """A payload from the bracket after its attributes: what an expired state is left with."""
    # Attribute values are escaped, so the first bracket is that one.
    payload = state.c.payload
    return sa.func.substr(payload, sa.func.strpos(payload, ">"), type_=sa.Text)


def _shown(at: datetime) -> sa.ColumnElement[str]:
    """The payload; of an expired state the identifier alone, as unknown."""
    state = live_status
    unknown = sa.case((state.c.kind == Kind.EVSE.value, UNKNOWN_EVSE), else_=_UNKNOWN_PARKING)
    return sa.case(
        (has_expired(state, at), unknown + after_attributes(state)), else_=state.c.payload
    )


#: What UpdateStatus writes: both kinds.
LIVE_STATUS = Feed(
    name="live-status",
    number=4,
    upload_lock=Lock.UPLOAD_LIVE_STATUS,
    table=live_status,
    key=("key",),
    owner="operator",
    retained="key",
    is_current=lambda _at: sa.true(),
    shown=_shown,
    elapsed=lambda since, at: has_expired_between(live_status, since, at),
    with_attributes=True,
)

#: What GetStatus reads.
EVSE_STATUS = replace(
    LIVE_STATUS,
    only=live_status.c.kind == Kind.EVSE.value,
    sources=frozenset({Role.CPO}),
)
PARKING_STATUS = replace(
    LIVE_STATUS,
    only=live_status.c.kind == Kind.PARKING.value,
    sources=frozenset({Role.CPO, Role.PSO}),
)


@dataclass(frozen=True, slots=True)
class Named:
    """Some of the staged rows about which there is something to say, and how many there are."""

    #: Place in the message and payload of the first few, in order.
    rows: Sequence[tuple[int, str]]
    count: int


def with_default_ttl(source: sa.FromClause, ttl: datetime, text: str) -> sa.FromClause:
    """Staged rows, those without a ttl given this one, also in the payload."""
    bare = source.c.expires_at.is_(None)
    # The ttl is the last attribute in canonical order.
    bracket = sa.func.strpos(source.c.payload, ">")
    with_ttl = (
        sa.func.left(source.c.payload, bracket - 1) + f' ttl="{text}"' + after_attributes(source)
    )
    replaced: dict[str, sa.ColumnElement[Any]] = {
        "expires_at": sa.func.coalesce(source.c.expires_at, ttl),
        "payload": sa.case((bare, with_ttl), else_=source.c.payload),
    }
    columns = [replaced.get(column.name, column).label(column.name) for column in source.c]
    return sa.select(*columns).subquery("ending")


def list_without_ttl(connection: sa.Connection, source: sa.FromClause) -> Named:
    """Staged rows that have no ttl of their own."""
    return _first(connection, source, source.c.expires_at.is_(None))


def list_unknown_evses(connection: sa.Connection, source: sa.FromClause) -> Named:
    """Staged rows of EVSEs that charge point data does not know.

    One that was withdrawn is known, as closed: so pk_charge_point answers alone, without the table.
    """
    known = sa.exists().where(charge_point.c.evse_key == source.c.key)
    return _first(connection, source, sa.and_(source.c.kind == Kind.EVSE.value, ~known))


def _first(
    connection: sa.Connection, source: sa.FromClause, which: sa.ColumnElement[bool]
) -> Named:
    statement = (
        sa.select(source.c.position, source.c.payload, sa.func.count().over())
        .where(which)
        .order_by(source.c.position)
        .limit(_LISTED_MAX)
    )
    rows = connection.execute(statement).all()
    return Named([(position, payload) for position, payload, _ in rows], rows[0][2] if rows else 0)
