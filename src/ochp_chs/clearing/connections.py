"""Managing roaming connections: each function is one transaction and may refuse by DomainError."""

from collections.abc import Collection

from ochp_chs.clearing.errors import ConnectionUnknown, NothingFlows, PartnerUnknown
from ochp_chs.ochp.flows import flows_between, limits_allowing
from ochp_chs.ochp.roles import Carries, Role
from ochp_chs.repository import connections as store
from ochp_chs.repository.connections import Change, RoamingConnection
from ochp_chs.repository.engine import Database
from ochp_chs.repository.partners import Partner, find_partner


def connect(
    database: Database, one: str, other: str, only: Collection[Carries] | None = None
) -> Change:
    """Join two partners, or set anew what their connection is limited to (`only`; None: nothing).

    A limit that narrows or widens counts at once. NothingFlows if the roles leave nothing to carry.
    """
    with database.begin() as connection:
        first, second = (_known(find_partner(connection, name), name) for name in (one, other))
        _check_flows(first, second, only)
        return store.connect(connection, first.id, second.id, _shortest(only))


def disconnect(database: Database, one: str, other: str) -> None:
    """End a connection; what it carried is no longer handed out. ConnectionUnknown if none is."""
    with database.begin() as connection:
        first, second = (_known(find_partner(connection, name), name) for name in (one, other))
        if not store.disconnect(connection, first.id, second.id):
            raise ConnectionUnknown(one, other)


def get_connection(database: Database, one: str, other: str) -> RoamingConnection:
    """Give the connection of two partners, in any order; ConnectionUnknown if there is none."""
    for connection in list_connections(database, one):
        if {connection.first, connection.second} == {one, other}:
            return connection
    raise ConnectionUnknown(one, other)


def list_connections(database: Database, name: str | None = None) -> tuple[RoamingConnection, ...]:
    """List the connections of one partner, or all."""
    with database.begin() as connection:
        partner = None if name is None else _known(find_partner(connection, name), name)
        return store.list_connections(connection, None if partner is None else partner.id)


def carried(connection: RoamingConnection) -> tuple[Carries, ...]:
    """Give what flows over a connection as of now: what the roles allow, within its limits.

    The single look-up is named only where the whole list is withheld.
    """
    possible = flows_between(connection.first_roles, connection.second_roles)
    limits = connection.carries
    if limits is not None:
        possible = frozenset(k for k in possible if limits.intersection(limits_allowing(k)))
    if Carries.TOKENS in possible:
        possible -= {Carries.TOKEN_LOOKUP}
    return tuple(kind for kind in Carries if kind in possible)


def _known(partner: Partner | None, name: str) -> Partner:
    if partner is None:
        raise PartnerUnknown(name)
    return partner


def _check_flows(one: Partner, other: Partner, only: Collection[Carries] | None) -> None:
    if one.id == other.id:
        raise NothingFlows(f"The partner {one.name!r} cannot be connected to itself.")
    possible = flows_between(one.roles, other.roles)
    if not possible:
        raise NothingFlows(
            f"Nothing can flow between {_described(one)} and {_described(other)}:"
            " OCHP knows no data that goes from one of these roles to the other."
        )
    impossible = frozenset(only or ()) - possible
    if impossible:
        raise NothingFlows(
            f"Between {_described(one)} and {_described(other)}, {_listed(impossible)} cannot"
            f" flow; what can is {_listed(possible)}."
        )
    if only is not None and not only:
        raise NothingFlows("A connection that is limited to nothing carries nothing: end it.")


def _shortest(only: Collection[Carries] | None) -> Collection[Carries] | None:
    # The list includes the look-up: one text for one meaning, so that nothing seems to change.
    if only is None or Carries.TOKENS not in only:
        return only
    return frozenset(only) - {Carries.TOKEN_LOOKUP}


def _described(partner: Partner) -> str:
    return f"{partner.name!r} ({', '.join(role for role in Role if role in partner.roles)})"


def _listed(kinds: Collection[Carries]) -> str:
    return ", ".join(kind for kind in Carries if kind in kinds)
