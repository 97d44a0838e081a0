"""All 19 operations by zeep: the good, the refused and the empty case of each, in one story.

Clients are made from the contract as it is served and, where it is at hand, from the reference;
there every answer is validated against the reference too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from zeep import Client
from zeep.exceptions import Fault
from zeep.plugins import HistoryPlugin
from zeep.wsse.username import UsernameToken

from ochp_chs.ochp.operations import BY_NAME, NAMESPACE, OPERATIONS, Endpoint
from ochp_chs.ochp.schema import message_schema
from tests.acceptance.harness import Server
from tests.support.cdrs import cdr_xml, confirmation_xml, period_xml
from tests.support.charge_points import charge_point_xml
from tests.support.edge import SOAP, O
from tests.support.endpoints import operator_xml, provider_xml
from tests.support.live_status import evse_xml
from tests.support.tariffs import individual_xml, tariff_xml
from tests.support.tokens import token_xml

REFERENCE = Path(__file__).parents[3] / "shared" / "reference" / "ochp-1.4"
_WSDL = {
    Endpoint.SERVICE: "ochp.wsdl",
    Endpoint.LIVE: "ochp.wsdl",
    Endpoint.DIRECT: "ochp-direct.wsdl",
}
_BINDINGS = {
    Endpoint.SERVICE: "eCHS-OCHP_1.4",
    Endpoint.LIVE: "eCHS-OCHP_1.4-live",
    Endpoint.DIRECT: "eCHS-OCHP_1.4-direct",
}
CONTRACTS = ["served", *(["reference"] if REFERENCE.exists() else [])]

#: What an operation without a result answers in a case that others refuse by one.
FAULT = "fault"
#: An answer without a result.
ANSWERED = "answered"


@dataclass(frozen=True)
class Case:
    """One call: what it must answer, and how many records come back in which element."""

    operation: str
    partner: str
    content: str
    result: str
    records: dict[str, int]


def case(
    operation: str, partner: str, content: str = "", result: str = "ok", **records: int
) -> Case:
    return Case(operation, partner, content, result, records)


def story() -> list[Case]:
    """Empty before anything is there, then everything once, with what is refused beside it."""
    return [*_empty(), *_tokens(), *_charge_points(), *_live(), *_tariffs(), *_cdrs(), *_direct()]


_SINCE = "<lastUpdate><DateTime>2000-01-01T00:00:00Z</DateTime></lastUpdate>"
_EMT_ID = "<emtId><instance>04A1</instance><tokenType>rfid</tokenType></emtId>"


def _empty() -> list[Case]:
    nothing_there = [
        case("GetRoamingAuthorisationList", "cpo", roamingAuthorisationInfoArray=0),
        case("GetRoamingAuthorisationListUpdates", "cpo", _SINCE, roamingAuthorisationInfo=0),
        case("GetSingleRoamingAuthorisation", "cpo", _EMT_ID, "invalid-id"),
        case("GetChargePointList", "nsp", chargePointInfoArray=0),
        case("GetChargePointListUpdates", "nsp", _SINCE, chargePointInfoArray=0),
        case("GetStatus", "nsp", "", ANSWERED, evse=0),
        case("GetTariffUpdates", "emp", TariffInfoArray=0),
        case("GetCDRs", "emp", cdrInfoArray=0),
        case("CheckCDRs", "cpo", cdrInfoArray=0),
        case("GetServiceEndpoints", "emp", operatorEndpointArray=0),
    ]
    nothing_sent = [
        case("SetRoamingAuthorisationList", "emp", "", "format"),
        case("UpdateRoamingAuthorisationList", "emp", "", "format"),
        case("SetChargepointList", "cpo", "", "format"),
        case("UpdateChargePointList", "cpo", "", "format"),
        case("UpdateTariffs", "cpo", "", "format"),
        case("AddCDRs", "cpo", "", "format"),
        case("UpdateStatus", "cpo"),
        case("ConfirmCDRs", "emp"),
        case("AddServiceEndpoints", "emp"),
    ]
    return nothing_there + nothing_sent


def _tokens() -> list[Case]:
    own, foreign = token_xml("04A1"), token_xml("04A2", contract_id="DE-XYZ-C00000001")
    refused = {"refusedRoamingAuthorisationInfo": 1}
    return [
        case("SetRoamingAuthorisationList", "emp", own),
        Case("SetRoamingAuthorisationList", "emp", foreign, "invalid-id", refused),
        case("UpdateRoamingAuthorisationList", "emp", token_xml("04A3")),
        Case("UpdateRoamingAuthorisationList", "emp", own + foreign, "partly", refused),
        case("GetRoamingAuthorisationList", "cpo", roamingAuthorisationInfoArray=2),
        case("GetRoamingAuthorisationList", "emp", "", "not-authorized"),
        case("GetRoamingAuthorisationListUpdates", "cpo", _SINCE, roamingAuthorisationInfo=2),
        case("GetRoamingAuthorisationListUpdates", "cpo2", _SINCE, "roaming"),
        case("GetSingleRoamingAuthorisation", "cpo", _EMT_ID, roamingAuthorisationInfo=1),
        case("GetSingleRoamingAuthorisation", "cpo2", _EMT_ID, "roaming"),
    ]


def _charge_points() -> list[Case]:
    foreign = charge_point_xml("NL*XYZ*E1")
    refused = {"refusedChargePointInfo": 1}
    return [
        case("SetChargepointList", "cpo", charge_point_xml("DE*CPO*E1")),
        Case("SetChargepointList", "cpo", foreign, "invalid-id", refused),
        case("UpdateChargePointList", "cpo", charge_point_xml("DE*CPO*E2")),
        Case("UpdateChargePointList", "cpo", foreign, "invalid-id", refused),
        case("GetChargePointList", "nsp", chargePointInfoArray=2),
        case("GetChargePointList", "cpo", "", "not-authorized"),
        case("GetChargePointListUpdates", "emp", _SINCE, chargePointInfoArray=2),
        case("GetChargePointListUpdates", "nsp2", _SINCE, "roaming"),
    ]


def _live() -> list[Case]:
    return [
        case("UpdateStatus", "cpo", evse_xml("DE*CPO*E1", "available")),
        case("UpdateStatus", "cpo", evse_xml("NL*XYZ*E1", "available"), "invalid-id"),
        case("GetStatus", "nsp", "", ANSWERED, evse=1),
        case("GetStatus", "nsp", "<statusType>combined</statusType>", ANSWERED, combined=2),
        case("GetStatus", "pso", "", FAULT),
    ]


def _tariffs() -> list[Case]:
    foreign = _tariff().replace("DE*CPO*T1", "NL*XYZ*T1")
    return [
        case("UpdateTariffs", "cpo", _tariff()),
        Case("UpdateTariffs", "cpo", foreign, "invalid-id", {"refusedTariffInfo": 1}),
        case("GetTariffUpdates", "emp", TariffInfoArray=1),
        case("GetTariffUpdates", "cpo", "", "not-authorized"),
    ]


def _tariff() -> str:
    # zeep cannot write an element that is there and empty.
    limit = "<maxEnergy>1000.0</maxEnergy>"
    return tariff_xml(
        individual_xml(restriction=limit), individual_xml("1.0", "DEEMP", restriction=limit)
    )


def _cdrs() -> list[Case]:
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    begin, end = ((start + timedelta(hours=h)).isoformat() for h in (0, 1))
    cdr = cdr_xml(
        start=begin,
        end=end,
        duration=None,
        periods=[period_xml(cost="3.00", start=begin, end=end)],
    )
    foreign = cdr.replace("DE*CPO*E1234*1", "NL*XYZ*E1")
    return [
        case("AddCDRs", "cpo", cdr, implausibleCdrsArray=0),
        case("AddCDRs", "cpo", foreign, "invalid-id", implausibleCdrsArray=1),
        case("GetCDRs", "emp", cdrInfoArray=1),
        case("GetCDRs", "cpo", "", "not-authorized"),
        case("ConfirmCDRs", "emp", confirmation_xml("declined")),
        case("ConfirmCDRs", "emp", confirmation_xml("declined", "DECPO9"), "invalid-id"),
        case("CheckCDRs", "cpo", cdrInfoArray=1),
        case("CheckCDRs", "cpo2", "", "roaming"),
    ]


def _direct() -> list[Case]:
    return [
        case("AddServiceEndpoints", "emp", provider_xml("a-token")),
        case("AddServiceEndpoints", "cpo", operator_xml("b-token")),
        case("AddServiceEndpoints", "cpo", provider_xml("c-token"), "invalid-id"),
        case("GetServiceEndpoints", "emp", operatorEndpointArray=1),
        case("GetServiceEndpoints", "cpo", providerEndpointArray=1),
        case("GetServiceEndpoints", "cpo2", "", "roaming"),
    ]


class Partners:
    """Calls by zeep, with the answer's XML as it came over the wire."""

    def __init__(self, server: Server, contract: str) -> None:
        self._server = server
        self._contract = contract
        self._history = HistoryPlugin()
        self._clients: dict[tuple[str, Endpoint], Client] = {}

    def close(self) -> None:
        for client in self._clients.values():
            client.transport.session.close()

    def answer(self, asked: Case) -> etree._Element:
        """The Body's first element in the answer to a asked."""
        operation = BY_NAME[asked.operation]
        if not asked.content and operation.records and operation.records_required:
            # zeep does not send a list that the contract wants filled; other clients do.
            return self._server.call(asked.partner, asked.operation).body
        client = self._client(asked.partner, operation.endpoint)
        address = f"{self._server.address}{operation.endpoint}"
        service = client.create_service(f"{{{NAMESPACE}}}{_BINDINGS[operation.endpoint]}", address)
        try:
            service[asked.operation](**_arguments(client, operation.request, asked.content))
        except Fault:
            assert asked.result == FAULT
        return self._history.last_received["envelope"].find(f"{{{SOAP}}}Body")[0]

    def _client(self, partner: str, endpoint: Endpoint) -> Client:
        if (partner, endpoint) not in self._clients:
            wsdl = (
                str(REFERENCE / _WSDL[endpoint])
                if self._contract == "reference"
                else f"{self._server.address}{endpoint}?wsdl"
            )
            wsse = UsernameToken(partner, f"{partner}-secret")
            self._clients[partner, endpoint] = Client(wsdl, wsse=wsse, plugins=[self._history])
        return self._clients[partner, endpoint]


def _arguments(client: Client, request: str, content: str) -> dict[str, Any]:
    """A request's content as zeep's own objects, by the names of its fields."""
    xml = etree.fromstring(f'<{request} xmlns="{NAMESPACE}">{content}</{request}>')
    element = client.get_element(f"{O}{request}")
    value = element.parse(xml, client.wsdl.types)
    return {} if value is None else {name: value[name] for name in value if value[name]}


def reference_schema() -> etree.XMLSchema:
    """The published schema of all messages, those of OCHP direct included."""
    path = REFERENCE / "ochp-direct.wsdl"
    inline = etree.parse(str(path)).find(".//{http://www.w3.org/2001/XMLSchema}schema")
    return etree.XMLSchema(etree.fromstring(etree.tostring(inline), base_url=str(path)))


@pytest.fixture(params=CONTRACTS)
def partners(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Partners]:
    server = Server(tmp_path)
    try:
        server.start()
        for name, roles, party_ids in (
            ("emp", "emp", ["DE-EMP"]),
            ("cpo", "cpo", ["DE*CPO"]),
            ("cpo2", "cpo", ["NL*CP2"]),
            ("nsp", "nsp", []),
            ("nsp2", "nsp", []),
            ("pso", "pso", ["DE*PSO"]),
        ):
            server.partner(name, roles, *party_ids)
        for other in ("emp", "nsp", "pso"):
            server.connect("cpo", other)
        partners = Partners(server, request.param)
        yield partners
        partners.close()
    finally:
        server.stop()


def test_every_operation_answers_as_the_contract_says(partners: Partners) -> None:
    schemas = [message_schema(), *([reference_schema()] if REFERENCE.exists() else [])]
    cases = story()
    assert {each.operation for each in cases} == {operation.name for operation in OPERATIONS}
    for each in cases:
        answer = partners.answer(each)
        assert _result(answer) == each.result, (each, etree.tostring(answer))
        if each.result != FAULT:
            for schema in schemas:
                schema.assertValid(answer)
        found = {name: len(answer.findall(f"{O}{name}")) for name in each.records}
        assert found == each.records, each


def _result(answer: etree._Element) -> str:
    if answer.tag == f"{{{SOAP}}}Fault":
        return FAULT
    return answer.findtext(f"{O}result/{O}resultCode/{O}resultCode") or ANSWERED
