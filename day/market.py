"""Who takes part: numbered CPOs and EMPs, who is connected to whom, and how much each has."""

from collections.abc import Iterator
from dataclasses import dataclass

from ochp_chs.clearing.connections import connect
from ochp_chs.clearing.partners import add_partner
from ochp_chs.clearing.passwords import Passwords
from ochp_chs.ochp.roles import Role
from tests.support.scale import Scale


@dataclass(frozen=True, slots=True)
class Market:
    """`partners` CPOs and as many EMPs; each is connected to two in five of the others."""

    partners: int = 50
    tokens: int = 500
    evses: int = 60
    tariffs: int = 4
    cdrs: int = 100

    def numbers(self) -> range:
        """The numbers of the CPOs, and of the EMPs."""
        return range(self.partners)

    def are_connected(self, cpo: int, emp: int) -> bool:
        """Whether data flows between the two."""
        return (3 * cpo + emp) % 5 < 2

    def emps_of(self, cpo: int) -> list[int]:
        """The EMPs that a CPO is connected to."""
        return [emp for emp in self.numbers() if self.are_connected(cpo, emp)]

    def cpos_of(self, emp: int) -> list[int]:
        """The CPOs that an EMP is connected to."""
        return [cpo for cpo in self.numbers() if self.are_connected(cpo, emp)]

    def pairs(self) -> Iterator[tuple[int, int]]:
        """All connections, as CPO and EMP."""
        return ((cpo, emp) for cpo in self.numbers() for emp in self.emps_of(cpo))


def cpo_name(number: int) -> str:
    """User name of a CPO."""
    return f"cpo-{number:02d}"


def emp_name(number: int) -> str:
    """User name of an EMP."""
    return f"emp-{number:02d}"


def open_market(scale: Scale, market: Market) -> None:
    """Add all partners, whose passwords are their names with `-secret`, and their connections."""
    passwords = Passwords()
    with scale.database() as database:
        for number in market.numbers():
            for name, role, party in (
                (cpo_name(number), Role.CPO, f"DE*Q{number:02d}"),
                (emp_name(number), Role.EMP, f"DE-P{number:02d}"),
            ):
                digest = passwords.hashed(f"{name}-secret")
                add_partner(database, name, digest, roles={role}, party_ids=[party])
        for cpo, emp in market.pairs():
            connect(database, cpo_name(cpo), emp_name(emp))
