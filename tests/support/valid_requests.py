"""A valid request of each operation, as one partner of all roles sends it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from ochp_chs.ochp.operations import BY_NAME, NAMESPACE
from tests.support.cdrs import cdr_xml, confirmation_xml, period_xml
from tests.support.charge_points import charge_point_xml, parking_xml
from tests.support.edge import Edge
from tests.support.endpoints import operator_xml, provider_xml
from tests.support.live_status import evse_xml
from tests.support.live_status import parking_xml as parking_status_xml
from tests.support.tariffs import individual_xml, tariff_xml
from tests.support.tokens import token_xml

#: Who sends them: roles and party IDs.
PARTNER = ("all", "cpo emp nsp pso", "DE-EMP", "DE*CPO", "DE*PSO")

_EMT_ID = (
    '<emtId representation="plain"><instance>04A1B2C3D4E5F6</instance><tokenType>rfid</tokenType>'
    "<tokenSubType>mifareCls</tokenSubType></emtId>"
)
_SINCE = "<lastUpdate><DateTime>2000-01-01T00:00:00Z</DateTime></lastUpdate>"


def add_partner(edge: Edge) -> None:
    """Add the partner who sends them, and another that it is connected to."""
    name, roles, *party_ids = PARTNER
    edge.partner(name, roles, *party_ids)
    edge.partner("other", "cpo emp", "NL-EMP", "NL*CPO")
    edge.connect(name, "other")


def contents() -> Mapping[str, str]:
    """What stands inside of the request element, by operation."""
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    begin, end = ((start + timedelta(hours=hours)).isoformat() for hours in (0, 1))
    cdr = cdr_xml(
        contract_id="NL-EMP-C00000001",
        start=begin,
        end=end,
        duration="001:00:00",
        tariff_id="DE*CPO*T1",
        meter_id="meter 1",
        periods=[period_xml(cost="3.00", start=begin, end=end)],
    )
    charge_point = charge_point_xml(
        timestamp="2020-01-01T00:00:00Z",
        related='<relatedLocation lat="50.941278" lon="6.958281" type="entrance"/>',
        telephone="<telephoneNumber>+49 221 1</telephoneNumber>",
        parking=parking_xml("DE*PSO*P1"),
    )
    token = token_xml(representation="plain", printed_number="12-34")
    return {
        "AddCDRs": cdr,
        "GetCDRs": "<cdrStatus><CdrStatusType>accepted</CdrStatusType></cdrStatus>",
        "CheckCDRs": "<cdrStatus><CdrStatusType>declined</CdrStatusType></cdrStatus>",
        "GetRoamingAuthorisationList": "",
        "SetRoamingAuthorisationList": token,
        "GetChargePointList": "",
        "SetChargepointList": charge_point,
        "GetRoamingAuthorisationListUpdates": _SINCE,
        "UpdateRoamingAuthorisationList": token,
        "ConfirmCDRs": confirmation_xml("approved") + confirmation_xml("declined", "DECPO2"),
        "GetChargePointListUpdates": _SINCE,
        "UpdateChargePointList": charge_point,
        "UpdateTariffs": tariff_xml(individual_xml(), individual_xml("1.0", "NLEMP")),
        "GetTariffUpdates": _SINCE,
        "GetSingleRoamingAuthorisation": _EMT_ID,
        "UpdateStatus": (
            evse_xml("DE*CPO*E1234*1", "not-available", "charging", ttl="2099-12-31T23:59:59Z")
            + parking_status_xml("DE*PSO*P1")
            + "<ttl><DateTime>2099-12-31T23:59:59Z</DateTime></ttl>"
        ),
        "GetStatus": (
            "<startDateTime><DateTime>2000-01-01T00:00:00Z</DateTime></startDateTime>"
            "<statusType>combined</statusType>"
        ),
        "AddServiceEndpoints": provider_xml() + operator_xml(),
        "GetServiceEndpoints": "",
    }


def requests() -> Mapping[str, str]:
    """The whole request element, by operation."""
    return {
        name: f'<{BY_NAME[name].request} xmlns="{NAMESPACE}">{content}</{BY_NAME[name].request}>'
        for name, content in contents().items()
    }
