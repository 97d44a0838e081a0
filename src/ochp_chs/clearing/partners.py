"""Managing partners: each function is one transaction and refuses with a DomainError."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ochp_chs.clearing.errors import (
    PartnerNameInvalid,
    PartnerUnknown,
    PartyIdInvalid,
    PartyIdTaken,
    PartyIdUnknown,
    RoleMissing,
    SettingInvalid,
    constraints_explained,
)
from ochp_chs.ochp.identifiers import InvalidIdentifier, party_id_key
from ochp_chs.ochp.reading import Reading
from ochp_chs.ochp.roles import Role
from ochp_chs.repository import partners as store
from ochp_chs.repository.engine import Database
from ochp_chs.repository.partners import Partner, Party

NAME_CHARACTERS_MAX = 64
CDRS_PER_ANSWER_MAX = 1_000_000_000

#: The roles that speak for party IDs; an NSP has none.
ROLES_WITH_PARTY_IDS = (Role.CPO, Role.EMP, Role.PSO)


@dataclass(frozen=True, slots=True)
class SettingChanges:
    """New values of a partner's settings; None leaves one as it is."""

    reading: Reading | None = None
    empty_set_withdraws: bool | None = None
    #: 0: no limit.
    cdrs_per_answer_max: int | None = None


def is_partner_name(text: str) -> bool:
    """Tell whether a partner could have this name: 1 to 64 visible characters, inner spaces too."""
    return (
        0 < len(text) <= NAME_CHARACTERS_MAX
        and text.isprintable()
        and text == text.strip()
        and not text.startswith("-")
    )


def add_partner(
    database: Database,
    name: str,
    password_hash: str,
    *,
    roles: Collection[Role],
    party_ids: Iterable[str] = (),
    settings: SettingChanges | None = None,
) -> Partner:
    """Add a partner. A party ID counts for all of its roles, or for one as in `cpo=DE*ABC`."""
    if not is_partner_name(name):
        raise PartnerNameInvalid(
            f"{name!r} cannot be a partner's name: 1 to {NAME_CHARACTERS_MAX} visible characters"
            " are wanted, without a space at either end and without a dash at the start."
        )
    if not roles:
        raise RoleMissing(f"The partner {name!r} needs at least one role.")
    settings = settings or SettingChanges()
    limit = _checked_limit(settings.cdrs_per_answer_max)
    with database.begin() as connection:
        with constraints_explained(name):
            partner_id = store.insert_partner(
                connection,
                name,
                password_hash,
                reading=settings.reading or Reading.TOLERANT,
                empty_set_withdraws=bool(settings.empty_set_withdraws),
                cdrs_per_answer_max=limit or None,
            )
        store.add_roles(connection, partner_id, roles)
        parties = _parties(party_ids, name, frozenset(roles))
        _refuse_taken(store.add_parties(connection, partner_id, parties))
        return _known(store.find_partner(connection, name), name)


def grant(
    database: Database,
    name: str,
    *,
    roles: Collection[Role] = (),
    party_ids: Iterable[str] = (),
) -> Partner:
    """Give a partner more roles and party IDs; what it has already is no error.

    A new role comes with the party IDs that are named, not with those of the other roles: under
    the same ID, another company may be the provider.
    """
    with database.begin() as connection:
        partner = _known(store.find_partner(connection, name), name)
        new_roles = frozenset(roles) - partner.roles
        store.add_roles(connection, partner.id, new_roles)
        parties = _parties(party_ids, name, partner.roles | new_roles)
        _refuse_taken(store.add_parties(connection, partner.id, parties))
        return _known(store.find_partner(connection, name), name)


def revoke(
    database: Database,
    name: str,
    *,
    roles: Collection[Role] = (),
    party_ids: Iterable[str] = (),
) -> Partner:
    """Take roles (with their party IDs) and party IDs from a partner, who keeps one role or more.

    A party ID goes in all roles that hold it, or in one as in `cpo=DE*ABC`.
    """
    with database.begin() as connection:
        partner = _known(store.find_partner(connection, name), name)
        for role in sorted(frozenset(roles) - partner.roles):
            raise RoleMissing(f"The partner {name!r} does not have the role {role}.")
        if not partner.roles - frozenset(roles):
            raise RoleMissing(f"The partner {name!r} needs at least one role: disable it instead.")
        store.remove_parties(connection, partner.id, _held(partner, party_ids))
        store.remove_roles(connection, partner.id, roles)
        return _known(store.find_partner(connection, name), name)


def change_settings(database: Database, name: str, changes: SettingChanges) -> Partner:
    """Set what is given and leave the rest."""
    limit = _checked_limit(changes.cdrs_per_answer_max)
    with database.begin() as connection:
        partner = _known(store.find_partner(connection, name), name)
        withdraws = changes.empty_set_withdraws
        with constraints_explained(name):
            store.update_settings(
                connection,
                partner.id,
                reading=changes.reading or partner.reading,
                empty_set_withdraws=(
                    partner.empty_set_withdraws if withdraws is None else withdraws
                ),
                cdrs_per_answer_max=partner.cdrs_per_answer_max if limit is None else limit or None,
            )
        return _known(store.find_partner(connection, name), name)


def set_password_hash(database: Database, name: str, password_hash: str) -> None:
    """Replace a partner's password; the old one is refused from the next request on."""
    with database.begin() as connection:
        partner = _known(store.find_partner(connection, name), name)
        store.set_password_hash(connection, partner.id, password_hash)


def set_disabled(database: Database, name: str, *, disabled: bool) -> Partner:
    """End a partner's log-in, or allow it again; what it sent stays until a connection is ended."""
    change = store.disable_partner if disabled else store.enable_partner
    with database.begin() as connection:
        change(connection, _known(store.find_partner(connection, name), name).id)
        return _known(store.find_partner(connection, name), name)


def get_partner(database: Database, name: str) -> Partner:
    """Give the partner of this name; PartnerUnknown if there is none."""
    with database.begin() as connection:
        return _known(store.find_partner(connection, name), name)


def list_partners(database: Database) -> tuple[Partner, ...]:
    """List all partners by name."""
    with database.begin() as connection:
        return store.list_partners(connection)


def _known(partner: Partner | None, name: str) -> Partner:
    if partner is None:
        raise PartnerUnknown(name)
    return partner


def _refuse_taken(taken: Iterable[tuple[Party, str]]) -> None:
    for party, owner in taken:
        raise PartyIdTaken(party.shown_as, party.role, owner)


def _checked_limit(cdrs_per_answer_max: int | None) -> int | None:
    if cdrs_per_answer_max is not None and not 0 <= cdrs_per_answer_max <= CDRS_PER_ANSWER_MAX:
        raise SettingInvalid(
            f"The largest number of CDRs per answer must be 1 to {CDRS_PER_ANSWER_MAX},"
            " or 0 for no limit."
        )
    return cdrs_per_answer_max


def _parties(texts: Iterable[str], name: str, roles: frozenset[Role]) -> tuple[Party, ...]:
    """Read party IDs as typed, each for one role or for all of these roles that have party IDs."""
    parties: dict[tuple[Role, str], Party] = {}
    for text in texts:
        wanted, shown_as, key = _read(text)
        speaking = [role for role in ROLES_WITH_PARTY_IDS if role in roles]
        if wanted is not None and wanted not in speaking:
            raise RoleMissing(f"The partner {name!r} has no role {wanted} for {shown_as}.")
        if not speaking:
            raise RoleMissing(f"A partner that is only nsp has no party ID; {shown_as} was given.")
        for role in speaking if wanted is None else [wanted]:
            parties[role, key] = Party(role, key, shown_as)
    return tuple(parties.values())


def _held(partner: Partner, texts: Iterable[str]) -> list[tuple[Role, str]]:
    """Read party IDs as typed, each in the role or in all roles in which the partner holds it."""
    held: list[tuple[Role, str]] = []
    for text in texts:
        wanted, _, key = _read(text)
        found = [
            (party.role, key)
            for party in partner.parties
            if party.party_id == key and wanted in {None, party.role}
        ]
        if not found:
            raise PartyIdUnknown(text, partner.name)
        held += found
    return held


def _read(text: str) -> tuple[Role | None, str, str]:
    """Split `cpo=DE*ABC` or `DE*ABC` into the role, the ID as typed, and its key."""
    prefix, equals, rest = text.strip().rpartition("=")
    try:
        return (Role(prefix.lower()) if equals else None), rest, party_id_key(rest)
    except (InvalidIdentifier, ValueError):
        raise PartyIdInvalid(text) from None
