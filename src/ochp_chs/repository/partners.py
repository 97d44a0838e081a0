"""Partners: who may log in, in which roles and for which party IDs.

Each request reads its partner: a change counts with the next one (PROTOCOL, "Who is calling").
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from ochp_chs.ochp.reading import Reading
from ochp_chs.ochp.roles import Role
from ochp_chs.repository import changes
from ochp_chs.repository.constraints import constraints_named
from ochp_chs.repository.engine import Connection, Database, asked
from ochp_chs.repository.query import Query
from ochp_chs.repository.tables import partner, partner_party, partner_role, roaming_connection

PARTNERS_LISTED_MAX = 10_000

#: Rows that need not be made partners again.
_ROWS_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Party:
    """A party ID in one role: the key that IDs are compared by, and the text to show."""

    role: Role
    party_id: str
    shown_as: str


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner with its roles, party IDs and settings, as of one moment."""

    id: int
    name: str
    password_hash: str = field(repr=False)
    reading: Reading
    empty_set_withdraws: bool
    #: None: no limit.
    cdrs_per_answer_max: int | None
    created_at: datetime
    disabled_at: datetime | None
    roles: frozenset[Role]
    parties: tuple[Party, ...]

    @property
    def disabled(self) -> bool:
        """A disabled partner cannot log in."""
        return self.disabled_at is not None

    def party_ids(self, *roles: Role) -> frozenset[str]:
        """Give the party IDs, as keys, that the partner may speak for in any of these roles."""
        return frozenset(party.party_id for party in self.parties if party.role in roles)


def partners_statement() -> sa.Select[Any]:
    """Select partners with roles and parties as arrays: one round trip, index look-ups only."""
    roles = sa.select(partner_role.c.role).where(partner_role.c.partner_id == partner.c.id)
    parties = (
        sa.select(
            postgresql.array(
                [partner_party.c.role, partner_party.c.party_id, partner_party.c.shown_as]
            )
        )
        .where(partner_party.c.partner_id == partner.c.id)
        .order_by(partner_party.c.role, partner_party.c.party_id)
    )
    return sa.select(
        partner.c.id,
        partner.c.name,
        partner.c.password_hash,
        partner.c.reading,
        partner.c.empty_set_withdraws,
        partner.c.cdrs_per_answer_max,
        partner.c.created_at,
        partner.c.disabled_at,
        sa.func.array(
            roles.correlate(partner).scalar_subquery(), type_=postgresql.ARRAY(sa.Text)
        ).label("roles"),
        sa.func.array(
            parties.correlate(partner).scalar_subquery(),
            type_=postgresql.ARRAY(sa.Text, dimensions=2),
        ).label("parties"),
    )


def named_partner_statement() -> sa.Select[Any]:
    """Select the partner of the name :name (index uq_partner_name)."""
    return partners_statement().where(partner.c.name == sa.bindparam("name"))


# Built once: every request asks this.
_FIND = Query(named_partner_statement())


def partner_of(row: Sequence[Any]) -> Partner:
    """The partner in a row of `partners_statement`."""
    *plain, roles, parties = row
    return _partner_of(*plain, tuple(roles), tuple(map(tuple, parties)))


# Mostly, the row is the same as with the request before.
@lru_cache(maxsize=_ROWS_KEPT)
def _partner_of(
    number: int,
    name: str,
    password_hash: str,
    reading: str,
    empty_set: bool,
    cdrs_max: int | None,
    created: datetime,
    disabled: datetime | None,
    roles: tuple[str, ...],
    parties: tuple[tuple[str, str, str], ...],
) -> Partner:
    return Partner(
        id=number,
        name=name,
        password_hash=password_hash,
        reading=Reading(reading),
        empty_set_withdraws=empty_set,
        cdrs_per_answer_max=cdrs_max,
        created_at=created,
        disabled_at=disabled,
        roles=frozenset(map(Role, roles)),
        parties=tuple(Party(Role(role), party_id, shown) for role, party_id, shown in parties),
    )


def find_partner(at: Connection | Database, name: str) -> Partner | None:
    """Find the partner of exactly this name, disabled or not, by one indexed statement."""
    rows = asked(at, _FIND, {"name": name})
    return partner_of(rows[0]) if rows else None


def list_partners(
    connection: sa.Connection, *, rows_max: int = PARTNERS_LISTED_MAX
) -> tuple[Partner, ...]:
    """List partners by name, at most `rows_max` of them (index uq_partner_name)."""
    statement = partners_statement().order_by(partner.c.name).limit(rows_max)
    return tuple(partner_of(row) for row in connection.execute(statement))


def insert_partner(
    connection: sa.Connection,
    name: str,
    password_hash: str,
    *,
    reading: Reading = Reading.TOLERANT,
    empty_set_withdraws: bool = False,
    cdrs_per_answer_max: int | None = None,
) -> int:
    """Insert a partner without roles and give its id; ConstraintBroken if the name is taken."""
    statement = (
        sa.insert(partner)
        .values(
            name=name,
            password_hash=password_hash,
            reading=reading.value,
            empty_set_withdraws=empty_set_withdraws,
            cdrs_per_answer_max=cdrs_per_answer_max,
        )
        .returning(partner.c.id)
    )
    with constraints_named():
        partner_id: int = connection.execute(statement).scalar_one()
    return partner_id


def update_settings(
    connection: sa.Connection,
    partner_id: int,
    *,
    reading: Reading,
    empty_set_withdraws: bool,
    cdrs_per_answer_max: int | None,
) -> None:
    """Store a partner's settings; ConstraintBroken if the database does not allow one of them."""
    statement = (
        sa.update(partner)
        .where(partner.c.id == partner_id)
        .values(
            reading=reading.value,
            empty_set_withdraws=empty_set_withdraws,
            cdrs_per_answer_max=cdrs_per_answer_max,
        )
    )
    with constraints_named():
        connection.execute(statement)


def disable_partner(connection: sa.Connection, partner_id: int) -> None:
    """End the partner's log-in; who is disabled already keeps the first time."""
    now = sa.func.coalesce(partner.c.disabled_at, sa.func.now())
    connection.execute(sa.update(partner).where(partner.c.id == partner_id).values(disabled_at=now))


def enable_partner(connection: sa.Connection, partner_id: int) -> None:
    """Let the partner log in again."""
    connection.execute(
        sa.update(partner).where(partner.c.id == partner_id).values(disabled_at=None)
    )


def set_password_hash(
    connection: sa.Connection, partner_id: int, password_hash: str, *, instead_of: str | None = None
) -> None:
    """Store a password's hash; with `instead_of`, only where that is still the stored one."""
    statement = sa.update(partner).where(partner.c.id == partner_id)
    if instead_of is not None:
        statement = statement.where(partner.c.password_hash == instead_of)
    connection.execute(statement.values(password_hash=password_hash))


def add_roles(connection: sa.Connection, partner_id: int, roles: Collection[Role]) -> None:
    """Add roles; those that the partner has already stay as they are."""
    if not roles:
        return
    rows = [{"partner_id": partner_id, "role": role.value} for role in sorted(roles)]
    connection.execute(postgresql.insert(partner_role).values(rows).on_conflict_do_nothing())
    _renew_connections(connection, partner_id)


def remove_roles(connection: sa.Connection, partner_id: int, roles: Collection[Role]) -> None:
    """Remove roles and the party IDs held in them."""
    names = [role.value for role in roles]
    for table in (partner_party, partner_role):
        connection.execute(
            sa.delete(table).where(table.c.partner_id == partner_id, table.c.role.in_(names))
        )
    _renew_connections(connection, partner_id)


def add_parties(
    connection: sa.Connection, partner_id: int, parties: Sequence[Party]
) -> tuple[tuple[Party, str], ...]:
    """Add party IDs; those that another partner holds are not added but given with its name.

    Waits for a transaction that is about to take the same ID: afterwards, one of the two has it.
    """
    if not parties:
        return ()
    rows = [
        {
            "partner_id": partner_id,
            "role": party.role.value,
            "party_id": party.party_id,
            "shown_as": party.shown_as,
        }
        # In one order for everybody, so that two who take the same IDs cannot wait for each other.
        for party in sorted(parties, key=lambda party: (party.role, party.party_id))
    ]
    statement = (
        postgresql.insert(partner_party)
        .values(rows)
        .on_conflict_do_nothing(constraint="pk_partner_party")
        .returning(partner_party.c.role, partner_party.c.party_id)
    )
    with constraints_named():
        added = {(row.role, row.party_id) for row in connection.execute(statement)}
    if added:
        _renew_connections(connection, partner_id)
    held = [party for party in parties if (party.role.value, party.party_id) not in added]
    owners = {role: owners_of(connection, role, {p.party_id for p in held}) for role in Role}
    return tuple(
        (party, owner)
        for party in held
        for owner_id, owner in [owners[party.role][party.party_id]]
        if owner_id != partner_id
    )


def remove_parties(
    connection: sa.Connection, partner_id: int, parties: Collection[tuple[Role, str]]
) -> None:
    """Remove party IDs, given as (role, key); what is not there is passed over."""
    keys = [(role.value, party_id) for role, party_id in parties]
    connection.execute(
        sa.delete(partner_party).where(
            partner_party.c.partner_id == partner_id,
            sa.tuple_(partner_party.c.role, partner_party.c.party_id).in_(keys),
        )
    )
    _renew_connections(connection, partner_id)


def owners_of(
    connection: sa.Connection, role: Role, party_ids: Collection[str]
) -> dict[str, tuple[int, str]]:
    """Find whom party IDs speak for in a role: key -> (partner id, name), unknown ones absent."""
    statement = (
        sa.select(partner_party.c.party_id, partner.c.id, partner.c.name)
        .join(partner, partner.c.id == partner_party.c.partner_id)
        .where(
            partner_party.c.role == role.value,
            partner_party.c.party_id == sa.any_(sa.literal(sorted(party_ids), _TEXTS)),
        )
    )
    return {party_id: (id_, name) for party_id, id_, name in connection.execute(statement)}


def _renew_connections(connection: sa.Connection, partner_id: int) -> None:
    # What a partner sees, and what it is sent, follows from roles and party IDs on both sides. When
    # those change, data older than the partner's last poll becomes visible to it (or a tariff that
    # named it no longer does), and a delta since that poll would never hold it. A connection that
    # counts as new makes the next delta complete; what is sent twice is harmless.
    changes.lock_connections(connection)
    connection.execute(
        sa.update(roaming_connection)
        .where(
            (roaming_connection.c.low_partner_id == partner_id)
            | (roaming_connection.c.high_partner_id == partner_id)
        )
        .values(connected_at=changes.connection_time())
    )


_TEXTS = postgresql.ARRAY(sa.Text)
