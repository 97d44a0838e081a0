"""The demo partners: who they are, and whom they are connected to."""

from dataclasses import dataclass

from ochp_chs.clearing import connections, partners
from ochp_chs.clearing.errors import ConnectionUnknown, DomainError
from ochp_chs.clearing.passwords import Passwords
from ochp_chs.ochp.roles import Role
from ochp_chs.repository.engine import Database


class DemoUnwanted(DomainError):
    """The demo partners, whose passwords everybody knows, do not belong into this database."""


@dataclass(frozen=True, slots=True)
class DemoPartner:
    """A partner of the demo; its name is its user name."""

    name: str
    roles: tuple[Role, ...]
    party_ids: tuple[str, ...]
    #: Names of partners that come earlier in the list.
    connected_to: tuple[str, ...] = ()


CPO = DemoPartner("demo-cpo", (Role.CPO,), ("DE*CPO",))
EMP = DemoPartner("demo-emp", (Role.EMP,), ("DE-EMP",), ("demo-cpo",))
NSP = DemoPartner("demo-nsp", (Role.NSP,), (), ("demo-cpo",))
PSO = DemoPartner("demo-pso", (Role.PSO,), ("DE*PSO",), ("demo-cpo",))
CPO2 = DemoPartner("demo-cpo2", (Role.CPO,), ("NL*CP2",), ("demo-emp", "demo-nsp"))
EMP2 = DemoPartner("demo-emp2", (Role.EMP, Role.NSP), ("emp=NL-EM2",))

PARTNERS = (CPO, EMP, NSP, PSO, CPO2, EMP2)


def password_of(name: str) -> str:
    """The password of a demo partner."""
    return f"{name}-secret"


def load_partners(database: Database, passwords: Passwords, *, only_among_themselves: bool) -> None:
    """Add the demo partners and connections that are not there; what is there stays as it is.

    `only_among_themselves`: raise DemoUnwanted, and add nobody, if there are other partners and
    no demo partners yet. Raises DomainError where another partner stands in the way.
    """
    known = {partner.name for partner in partners.list_partners(database)}
    missing = [partner for partner in PARTNERS if partner.name not in known]
    if only_among_themselves and known and len(missing) == len(PARTNERS):
        raise DemoUnwanted(
            f"the database of OCHP_CHS_DATABASE_URL has partners already ({min(known)!r}, for one);"
            " the demo partners, whose passwords everybody knows, are not added to them"
        )
    for partner in missing:
        partners.add_partner(
            database,
            partner.name,
            passwords.hashed(password_of(partner.name)),
            roles=partner.roles,
            party_ids=partner.party_ids,
        )
    for partner in PARTNERS:
        for other in partner.connected_to:
            _connect(database, partner.name, other)


def _connect(database: Database, one: str, other: str) -> None:
    # Connecting again would lift the limits of a connection that is there.
    try:
        connections.get_connection(database, one, other)
    except ConnectionUnknown:
        connections.connect(database, one, other)
