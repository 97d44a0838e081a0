"""Partners' clients, made by zeep from the contract: ours as it is served, and the reference."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from zeep import Client
from zeep.helpers import serialize_object
from zeep.wsse.username import UsernameToken

from ochp_chs.ochp.operations import BY_NAME, NAMESPACE, Endpoint
from tests.acceptance.harness import Server

REFERENCE = Path(__file__).parents[3] / "shared" / "reference" / "ochp-1.4" / "ochp.wsdl"

#: Contracts a client can be made from: by address, by one file, by the reference if it is here.
CONTRACTS = ["?wsdl", "?singleWsdl", *(["reference"] if REFERENCE.exists() else [])]

_BINDINGS = {
    Endpoint.SERVICE: "eCHS-OCHP_1.4",
    Endpoint.LIVE: "eCHS-OCHP_1.4-live",
    Endpoint.DIRECT: "eCHS-OCHP_1.4-direct",
}


class Partners:
    """Calls the server with a zeep client for each partner."""

    def __init__(self, server: Server, contract: str) -> None:
        self._server = server
        self._contract = contract
        self._clients: dict[tuple[str, Endpoint], Client] = {}

    def close(self) -> None:
        for client in self._clients.values():
            client.transport.session.close()

    def call(self, partner: str, operation: str, *arguments: Any, **named: Any) -> Any:
        """Call an operation by its name in the WSDL; the answer as dictionaries and lists."""
        endpoint = BY_NAME[operation].endpoint
        client = self._client(partner, endpoint)
        service = client.create_service(
            f"{{{NAMESPACE}}}{_BINDINGS[endpoint]}", f"{self._server.address}{endpoint}"
        )
        return serialize_object(service[operation](*arguments, **named), dict)

    def _client(self, partner: str, endpoint: Endpoint) -> Client:
        key = (partner, endpoint)
        if key not in self._clients:
            wsdl = (
                str(REFERENCE)
                if self._contract == "reference"
                else f"{self._server.address}{endpoint}{self._contract}"
            )
            wsse = UsernameToken(partner, f"{partner}-secret")
            self._clients[key] = Client(wsdl, wsse=wsse)
        return self._clients[key]


@pytest.fixture(scope="module", params=CONTRACTS)
def partners(server: Server, request: pytest.FixtureRequest) -> Iterator[Partners]:
    partners = Partners(server, request.param)
    yield partners
    partners.close()


def token(instance: str, *, year: int = 2090, representation: str = "plain") -> dict[str, Any]:
    return {
        "EmtId": {"instance": instance, "tokenType": "rfid", "representation": representation},
        "contractId": "DE-EMP-C00000001",
        "printedNumber": f"{instance} é",
        "expiryDate": {"DateTime": f"{year}-12-31T23:59:59Z"},
    }


def code(answer: Any) -> str:
    return str(answer["result"]["resultCode"]["resultCode"])


def instances(records: list[Any] | None) -> list[str]:
    return sorted(record["EmtId"]["instance"] for record in records or [])


def set_list(partners: Partners) -> None:
    for sent in (["04AA", "04BB"], ["04BB", "04CC"]):
        answer = partners.call("emp", "SetRoamingAuthorisationList", list(map(token, sent)))
        assert code(answer) == "ok"
        listed = partners.call("cpo", "GetRoamingAuthorisationList")
        assert instances(listed["roamingAuthorisationInfoArray"]) == sent


def update_list(partners: Partners) -> None:
    partners.call("emp", "SetRoamingAuthorisationList", [token("04AA"), token("04BB")])
    answer = partners.call(
        "emp", "UpdateRoamingAuthorisationList", [token("04BB", year=2001), token("04DD")]
    )
    assert code(answer) == "ok"
    listed = partners.call("cpo", "GetRoamingAuthorisationList")
    assert instances(listed["roamingAuthorisationInfoArray"]) == ["04AA", "04DD"]


def get_list(partners: Partners) -> None:
    partners.call("emp", "SetRoamingAuthorisationList", [token("04AA")])
    answer = partners.call("cpo", "GetRoamingAuthorisationList")
    assert code(answer) == "ok"
    (record,) = answer["roamingAuthorisationInfoArray"]
    assert record["printedNumber"] == "04AA é"
    assert record["contractId"] == "DE-EMP-C00000001"
    assert record["EmtId"]["representation"] == "plain"
    assert record["expiryDate"]["DateTime"] == "2090-12-31T23:59:59Z"


def get_updates(partners: Partners) -> None:
    began = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    partners.call("emp", "SetRoamingAuthorisationList", [token("04AA"), token("04BB")])
    partners.call("emp", "SetRoamingAuthorisationList", [token("04BB")])
    answer = partners.call(
        "cpo", "GetRoamingAuthorisationListUpdates", lastUpdate={"DateTime": began}
    )
    assert code(answer) == "ok"
    changed = {
        record["EmtId"]["instance"]: record["expiryDate"]["DateTime"]
        for record in answer["roamingAuthorisationInfo"]
    }
    assert changed["04BB"] == "2090-12-31T23:59:59Z"
    assert began <= changed["04AA"] <= datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def get_single(partners: Partners) -> None:
    partners.call("emp", "SetRoamingAuthorisationList", [token("04AA")])
    asked = {
        "instance": hashlib.sha256(b"04AA").hexdigest(),
        "tokenType": "rfid",
        "representation": "sha-256",
    }
    answer = partners.call("cpo", "GetSingleRoamingAuthorisation", emtId=asked)
    assert code(answer) == "ok"
    assert answer["roamingAuthorisationInfo"]["EmtId"]["instance"] == "04AA"


#: Each operation with what shows that it works; an operation of a later chapter adds a line.
EXERCISES: dict[str, Callable[[Partners], None]] = {
    "SetRoamingAuthorisationList": set_list,
    "UpdateRoamingAuthorisationList": update_list,
    "GetRoamingAuthorisationList": get_list,
    "GetRoamingAuthorisationListUpdates": get_updates,
    "GetSingleRoamingAuthorisation": get_single,
}


@pytest.mark.parametrize("operation", EXERCISES)
def test_operation_by_zeep(partners: Partners, operation: str) -> None:
    EXERCISES[operation](partners)


def test_refused_records_come_back_typed(partners: Partners) -> None:
    foreign = token("04AA") | {"contractId": "DE-XYZ-C00000001"}
    answer = partners.call("emp", "UpdateRoamingAuthorisationList", [token("04BB"), foreign])
    assert code(answer) == "partly"
    assert instances(answer["refusedRoamingAuthorisationInfo"]) == ["04AA"]
