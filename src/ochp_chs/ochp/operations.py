"""The operations of OCHP 1.4 and OCHP direct 0.2 that a clearing house answers, as one table.

Names are the WSDL's, odd spelling included.
"""

from dataclasses import dataclass
from enum import StrEnum

from ochp_chs.ochp.roles import Role

NAMESPACE = "http://ochp.eu/1.4"


class Endpoint(StrEnum):
    """The three endpoints of the contract, as URL paths."""

    SERVICE = "/service/ochp/v1.4"
    LIVE = "/live/ochp/v1.4"
    DIRECT = "/direct/ochp/v1.4"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the contract.

    ``records`` names the repeated elements of the request and their XSD type; ``refused`` the
    element of the response in which refused records are echoed, where there is one.
    """

    name: str
    request: str
    response: str
    endpoint: Endpoint
    roles: frozenset[Role]
    records: tuple[tuple[str, str], ...] = ()
    refused: str | None = None
    has_result: bool = True
    #: The repeated elements must occur at least once.
    records_required: bool = True


def _operation(
    name: str,
    *roles: Role,
    message: str | None = None,
    endpoint: Endpoint = Endpoint.SERVICE,
    records: tuple[tuple[str, str], ...] = (),
    refused: str | None = None,
    has_result: bool = True,
    records_required: bool = True,
) -> Operation:
    message = message or name
    return Operation(
        name=name,
        request=f"{message}Request",
        response=f"{message}Response",
        endpoint=endpoint,
        roles=frozenset(roles),
        records=records,
        refused=refused,
        has_result=has_result,
        records_required=records_required,
    )


_TOKENS = (("roamingAuthorisationInfoArray", "RoamingAuthorisationInfo"),)
_CHARGE_POINTS = (("chargePointInfoArray", "ChargePointInfo"),)

OPERATIONS: tuple[Operation, ...] = (
    _operation("AddCDRs", Role.CPO, records=(("cdrInfoArray", "CDRInfo"),)),
    _operation("GetCDRs", Role.EMP),
    _operation("CheckCDRs", Role.CPO),
    _operation("GetRoamingAuthorisationList", Role.CPO),
    _operation(
        "SetRoamingAuthorisationList",
        Role.EMP,
        records=_TOKENS,
        refused="refusedRoamingAuthorisationInfo",
    ),
    _operation("GetChargePointList", Role.NSP, Role.EMP),
    _operation(
        "SetChargepointList",
        Role.CPO,
        message="SetChargePointList",
        records=_CHARGE_POINTS,
        refused="refusedChargePointInfo",
    ),
    _operation("GetRoamingAuthorisationListUpdates", Role.CPO),
    _operation(
        "UpdateRoamingAuthorisationList",
        Role.EMP,
        records=_TOKENS,
        refused="refusedRoamingAuthorisationInfo",
    ),
    _operation(
        "ConfirmCDRs",
        Role.EMP,
        records=(("approved", "ConfirmedCdr"), ("declined", "ConfirmedCdr")),
        records_required=False,
    ),
    _operation("GetChargePointListUpdates", Role.NSP, Role.EMP),
    _operation(
        "UpdateChargePointList",
        Role.CPO,
        records=_CHARGE_POINTS,
        refused="refusedChargePointInfo",
    ),
    _operation(
        "UpdateTariffs",
        Role.CPO,
        records=(("TariffInfoArray", "TariffInfo"),),
        refused="refusedTariffInfo",
    ),
    _operation("GetTariffUpdates", Role.EMP),
    _operation("GetSingleRoamingAuthorisation", Role.CPO),
    _operation(
        "UpdateStatus",
        Role.CPO,
        Role.PSO,
        endpoint=Endpoint.LIVE,
        records=(("evse", "EvseStatusType"), ("parking", "ParkingStatusType")),
        records_required=False,
    ),
    _operation("GetStatus", Role.CPO, Role.EMP, Role.NSP, endpoint=Endpoint.LIVE, has_result=False),
    _operation(
        "AddServiceEndpoints",
        Role.CPO,
        Role.EMP,
        endpoint=Endpoint.DIRECT,
        records=(
            ("providerEndpointArray", "ProviderEndpoint"),
            ("operatorEndpointArray", "OperatorEndpoint"),
        ),
        records_required=False,
    ),
    _operation("GetServiceEndpoints", Role.CPO, Role.EMP, endpoint=Endpoint.DIRECT),
)

BY_NAME = {operation.name: operation for operation in OPERATIONS}
BY_REQUEST = {operation.request: operation for operation in OPERATIONS}

#: Other names under which a request is understood: the specification's prose calls the single
#: look-up differently from its WSDL.
REQUEST_ALIASES = {
    "RequestSingleRoamingAuthorisationRequest": "GetSingleRoamingAuthorisationRequest",
}
