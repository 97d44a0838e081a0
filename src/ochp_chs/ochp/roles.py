"""The roles a partner can have, and what a roaming connection can carry between two of them."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """Market roles of OCHP 1.4 (specification, "Primary Stakeholders")."""

    CPO = "cpo"
    EMP = "emp"
    NSP = "nsp"
    PSO = "pso"


class Carries(StrEnum):
    """The kinds of data a roaming connection can be limited to.

    ``tokens`` is the list and the single look-up, ``token-lookup`` the single look-up alone.
    """

    TOKENS = "tokens"
    TOKEN_LOOKUP = "token-lookup"
    CDRS = "cdrs"
    TARIFFS = "tariffs"
    CHARGE_POINTS = "charge-points"
    LIVE_STATUS = "live-status"
    ENDPOINTS = "endpoints"


@dataclass(frozen=True, slots=True)
class Flow:
    """Data of one kind goes from partners in one role to partners in another."""

    carries: Carries
    source: Role
    sink: Role


#: What flows follows from the roles (PROTOCOL, "Who is calling").
FLOWS: tuple[Flow, ...] = (
    Flow(Carries.TOKENS, Role.EMP, Role.CPO),
    Flow(Carries.CDRS, Role.CPO, Role.EMP),
    Flow(Carries.TARIFFS, Role.CPO, Role.EMP),
    Flow(Carries.CHARGE_POINTS, Role.CPO, Role.EMP),
    Flow(Carries.CHARGE_POINTS, Role.CPO, Role.NSP),
    Flow(Carries.LIVE_STATUS, Role.CPO, Role.EMP),
    Flow(Carries.LIVE_STATUS, Role.CPO, Role.NSP),
    Flow(Carries.LIVE_STATUS, Role.PSO, Role.CPO),
    Flow(Carries.LIVE_STATUS, Role.PSO, Role.EMP),
    Flow(Carries.LIVE_STATUS, Role.PSO, Role.NSP),
    Flow(Carries.ENDPOINTS, Role.CPO, Role.EMP),
    Flow(Carries.ENDPOINTS, Role.EMP, Role.CPO),
)
