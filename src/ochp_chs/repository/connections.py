"""Roaming connections: who is joined to whom, and whose data therefore flows to whom.

Nothing here is cached: a connection that was made, limited or ended counts with the next request.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from ochp_chs.ochp.flows import flow_pairs, limits_allowing
from ochp_chs.ochp.roles import Carries, Role
from ochp_chs.repository import changes
from ochp_chs.repository.constraints import constraints_named
from ochp_chs.repository.engine import Connection, Database, asked
from ochp_chs.repository.query import Query
from ochp_chs.repository.tables import partner, partner_party, partner_role, roaming_connection

CONNECTIONS_LISTED_MAX = 100_000

_TEXTS = postgresql.ARRAY(sa.Text)


@dataclass(frozen=True, slots=True)
class Connected:
    """A party ID on the other side of a connection, with the partner that it speaks for."""

    party_id: str
    role: Role
    partner_id: int
    #: All that the party ID has is new to the other side since this moment.
    visible_since: datetime


#: Whose data flows to the caller.
Source = Connected
#: To whom the caller's data flows.
Sink = Connected


class Change(StrEnum):
    """What connecting two partners did."""

    CONNECTED = "connected"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class RoamingConnection:
    """One roaming connection as people see it; the older partner comes first."""

    first: str
    first_roles: frozenset[Role]
    second: str
    second_roles: frozenset[Role]
    #: None: everything that the roles allow.
    carries: frozenset[Carries] | None
    connected_at: datetime


def connect(
    connection: sa.Connection,
    one_id: int,
    other_id: int,
    carries: Collection[Carries] | None = None,
) -> Change:
    """Join two partners, or set what their connection is limited to (None: nothing).

    ConstraintBroken if both are the same partner.
    """
    changes.lock_connections(connection)
    low, high = sorted((one_id, other_id))
    limit = None if carries is None else sorted(kind.value for kind in set(carries))
    insert = postgresql.insert(roaming_connection).values(
        low_partner_id=low,
        high_partner_id=high,
        carries=limit,
        connected_at=changes.connection_time(),
    )
    upsert: sa.Executable = insert.on_conflict_do_update(
        constraint="pk_roaming_connection",
        # What a limit withheld so far is new to the other side when the limit falls.
        set_={
            "carries": insert.excluded.carries,
            "connected_at": insert.excluded.connected_at,
        },
        where=roaming_connection.c.carries.is_distinct_from(insert.excluded.carries),
        # xmax is 0 in a row version that was inserted and not updated.
    ).returning(sa.literal_column("roaming_connection.xmax = 0"))
    with constraints_named():
        inserted = connection.execute(upsert).scalar_one_or_none()
    if inserted is None:
        return Change.UNCHANGED
    return Change.CONNECTED if inserted else Change.CHANGED


def disconnect(connection: sa.Connection, one_id: int, other_id: int) -> bool:
    """End a connection; False if there was none."""
    low, high = sorted((one_id, other_id))
    statement = sa.delete(roaming_connection).where(
        roaming_connection.c.low_partner_id == low, roaming_connection.c.high_partner_id == high
    )
    return connection.execute(statement).rowcount > 0


def list_connections(
    connection: sa.Connection,
    partner_id: int | None = None,
    *,
    rows_max: int = CONNECTIONS_LISTED_MAX,
) -> tuple[RoamingConnection, ...]:
    """List connections by the partners' names, of one partner or of all."""
    statement = connections_statement().limit(rows_max)
    if partner_id is not None:
        statement = statement.where(_joins(partner_id))
    return tuple(
        RoamingConnection(
            first=row.first,
            first_roles=frozenset(map(Role, row.first_roles)),
            second=row.second,
            second_roles=frozenset(map(Role, row.second_roles)),
            carries=None if row.carries is None else frozenset(map(Carries, row.carries)),
            connected_at=row.connected_at,
        )
        for row in connection.execute(statement)
    )


def connections_statement() -> sa.Select[Any]:
    """Select every connection with both partners' names and roles, for people."""
    low, high = partner.alias("low"), partner.alias("high")
    return (
        sa.select(
            low.c.name.label("first"),
            _roles_of(low).label("first_roles"),
            high.c.name.label("second"),
            _roles_of(high).label("second_roles"),
            roaming_connection.c.carries,
            roaming_connection.c.connected_at,
        )
        .join_from(roaming_connection, low, low.c.id == roaming_connection.c.low_partner_id)
        .join(high, high.c.id == roaming_connection.c.high_partner_id)
        .order_by(low.c.name, high.c.name)
    )


def _roles_of(alias: sa.FromClause) -> sa.ColumnElement[Any]:
    roles = sa.select(partner_role.c.role).where(partner_role.c.partner_id == alias.c.id)
    return sa.func.array(roles.correlate(alias).scalar_subquery(), type_=_TEXTS)


def sources_of(
    at: Connection | Database, partner_id: int, carries: Carries | tuple[Carries, ...]
) -> tuple[Source, ...]:
    """Give the party IDs whose data of this kind flows to the partner, by one statement.

    Empty: the partner has no connection for such data (PROTOCOL, "Results": `roaming`). Of several
    kinds, any one is enough. A source that was disabled is among them: disabling a partner ends
    its log-in, while its cards and its charge points go on working for the others; only ending
    the connection takes them away.
    """
    return _connected(at, partner_id, carries, to_partner=True)


def sinks_of(
    connection: sa.Connection, partner_id: int, carries: Carries | tuple[Carries, ...]
) -> tuple[Sink, ...]:
    """Give the party IDs to which the partner's data of this kind flows, by one statement.

    A receiver without any party ID (every NSP) is not among them: ask `is_connected`.
    """
    return _connected(connection, partner_id, carries, to_partner=False)


def is_connected(
    connection: sa.Connection,
    source_id: int,
    sink_id: int,
    carries: Carries | tuple[Carries, ...],
) -> bool:
    """Tell whether data of this kind flows from one partner to another, by one statement."""
    low, high = sorted((source_id, sink_id))
    parameters = {"source": source_id, "sink": sink_id, "low": low, "high": high}
    statement = is_connected_statement(_kinds(carries))
    return bool(connection.execute(statement, parameters).scalar_one())


def _connected(
    at: Connection | Database,
    partner_id: int,
    carries: Carries | tuple[Carries, ...],
    *,
    to_partner: bool,
) -> tuple[Connected, ...]:
    query = _connected_query(_kinds(carries), to_partner=to_partner)
    return tuple(
        Connected(party_id, Role(role), other_id, visible_since)
        for party_id, role, other_id, visible_since in asked(at, query, {"partner_id": partner_id})
    )


def _kinds(carries: Carries | tuple[Carries, ...]) -> tuple[Carries, ...]:
    return (carries,) if isinstance(carries, Carries) else carries


@cache
def _connected_query(kinds: tuple[Carries, ...], *, to_partner: bool) -> Query:
    return Query(connected_statement(kinds, to_partner=to_partner))


def connected_statement(
    kinds: tuple[Carries, ...],
    *,
    to_partner: bool,
    me: sa.ColumnElement[int] | None = None,
) -> sa.Select[Any]:
    """Select the parties on the other side of :partner_id's connections, as far as data flows.

    `me` is the partner's id, where the statement finds it itself.

    Served by pk_roaming_connection, ix_roaming_connection_high_partner_id and
    ix_partner_party_partner_id.
    """
    me = sa.bindparam("partner_id", type_=sa.Integer) if me is None else me
    other_side = sa.case(
        (roaming_connection.c.low_partner_id == me, roaming_connection.c.high_partner_id),
        else_=roaming_connection.c.low_partner_id,
    )
    party = partner_party.c
    return (
        sa.select(
            party.party_id,
            party.role,
            party.partner_id,
            sa.func.greatest(roaming_connection.c.connected_at, party.granted_at).label(
                "visible_since"
            ),
        )
        .join_from(roaming_connection, partner_party, party.partner_id == other_side)
        .where(
            _joins(me),
            sa.or_(
                *[
                    sa.and_(party.role == theirs.value, _has_role(me, mine), _let_through(limits))
                    for theirs, mine, limits in _flows(kinds, to_partner=to_partner)
                ]
            ),
        )
    )


@cache
def is_connected_statement(kinds: tuple[Carries, ...]) -> sa.Select[Any]:
    """Select whether data flows from :source to :sink, whose ids in order are :low and :high."""
    source, sink = (sa.bindparam(name, type_=sa.Integer) for name in ("source", "sink"))
    flows = [
        sa.and_(_has_role(source, (sends,)), _has_role(sink, receive), _let_through(limits))
        for sends, receive, limits in _flows(kinds, to_partner=True)
    ]
    return sa.select(
        sa.exists().where(
            roaming_connection.c.low_partner_id == sa.bindparam("low", type_=sa.Integer),
            roaming_connection.c.high_partner_id == sa.bindparam("high", type_=sa.Integer),
            sa.or_(*flows),
        )
    )


def _flows(
    kinds: tuple[Carries, ...], *, to_partner: bool
) -> list[tuple[Role, tuple[Role, ...], tuple[Carries, ...]]]:
    """Who on the other side exchanges it with which roles of the partner's, under which limits."""
    # Written into the statement as conditions: joined as rows of a VALUES list, they cost
    # PostgreSQL three times the time to plan, and SQLAlchemy compiles VALUES anew each time.
    limits: dict[tuple[Role, Role], set[Carries]] = {}
    for kind in kinds:
        for source, sink in flow_pairs(kind):
            pair = (source, sink) if to_partner else (sink, source)
            limits.setdefault(pair, set()).update(limits_allowing(kind))
    mine: dict[tuple[Role, tuple[Carries, ...]], set[Role]] = {}
    for (theirs, own), allowing in limits.items():
        mine.setdefault((theirs, tuple(sorted(allowing))), set()).add(own)
    return [
        (theirs, tuple(sorted(own)), allowing) for (theirs, allowing), own in sorted(mine.items())
    ]


def _has_role(partner_id: sa.ColumnElement[int], roles: tuple[Role, ...]) -> sa.ColumnElement[bool]:
    own = partner_role.alias("own")
    return sa.exists().where(
        own.c.partner_id == partner_id, own.c.role == sa.any_(_text_array(roles))
    )


def _let_through(limits: tuple[Carries, ...]) -> sa.ColumnElement[bool]:
    column = roaming_connection.c.carries
    return sa.or_(column.is_(None), column.overlap(_text_array(limits)))


def _text_array(names: Collection[StrEnum]) -> sa.ColumnElement[Any]:
    return sa.literal([name.value for name in names], _TEXTS)


def _joins(partner_id: int | sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    return (roaming_connection.c.low_partner_id == partner_id) | (
        roaming_connection.c.high_partner_id == partner_id
    )
