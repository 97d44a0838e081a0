"""The life of a CDR between zeep clients, against the real server."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.acceptance.harness import Server
from tests.acceptance.test_zeep import Partners, code

CDR_ID, EVSE_ID = "DECPOZEEP1", "DE*CPO*EZEEP*1"


@pytest.fixture
def partners(server: Server) -> Iterator[Partners]:
    partners = Partners(server, "?wsdl")
    yield partners
    partners.close()


def cdr(status: str, energy: str, cost: str) -> dict[str, Any]:
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    begin, end = (
        {"LocalDateTime": f"{moment:%Y-%m-%dT%H:%M:%S}+00:00"}
        for moment in (start, start + timedelta(hours=1))
    )
    return {
        "CdrId": CDR_ID,
        "evseId": EVSE_ID,
        "emtId": {"instance": "04AB", "tokenType": "rfid"},
        "contractId": "DE-EMP-C00000001",
        "status": {"CdrStatusType": status},
        "startDateTime": begin,
        "endDateTime": end,
        "chargePointAddress": {
            "address": "Straße 1",
            "city": "Köln",
            "zipCode": "50667",
            "country": "DEU",
        },
        "chargePointType": "AC",
        "connectorType": {
            "connectorStandard": {"ConnectorStandard": "IEC_62196_T2"},
            "connectorFormat": {"ConnectorFormat": "Socket"},
        },
        "chargingPeriods": [
            {
                "startDateTime": begin,
                "endDateTime": end,
                "billingItem": {"BillingItemType": "energy"},
                "billingValue": energy,
                "itemPrice": "0.30",
                "periodCost": cost,
            }
        ],
        "totalCost": cost,
        "currency": "EUR",
    }


def confirm(partners: Partners, wish: str) -> str:
    entries = {wish: [{"cdrId": CDR_ID, "evseId": EVSE_ID}]}
    # The response holds nothing but the result, and zeep leaves out what is around it.
    return code({"result": partners.call("emp", "ConfirmCDRs", **entries)})


def test_sent_declined_revised_approved(partners: Partners) -> None:
    assert code(partners.call("cpo", "AddCDRs", [cdr("new", "10", "3.00")])) == "ok"
    (received,) = partners.call("emp", "GetCDRs")["cdrInfoArray"]
    assert received["CdrId"] == CDR_ID
    assert received["status"]["CdrStatusType"] == "accepted"
    assert received["chargePointAddress"]["city"] == "Köln"
    assert confirm(partners, "declined") == "ok"
    (declined,) = partners.call("cpo", "CheckCDRs")["cdrInfoArray"]
    assert declined["status"]["CdrStatusType"] == "declined"
    assert code(partners.call("cpo", "AddCDRs", [cdr("revised", "9", "2.70")])) == "ok"
    (revised,) = partners.call("emp", "GetCDRs", {"CdrStatusType": "revised"})["cdrInfoArray"]
    assert revised["totalCost"] == pytest.approx(2.7)
    assert confirm(partners, "approved") == "ok"
    asked = {"CdrStatusType": "approved"}
    (approved,) = partners.call("cpo", "CheckCDRs", asked)["cdrInfoArray"]
    assert approved["CdrId"] == CDR_ID


def test_implausible_one_is_named(partners: Partners) -> None:
    wrong = cdr("new", "10", "2.00") | {"CdrId": "DECPOZEEP2", "currency": "XYZ"}
    answer = partners.call("cpo", "AddCDRs", [wrong])
    assert code(answer) == "format"
    assert answer["implausibleCdrsArray"] == ["DECPOZEEP2"]
    assert "period-cost" in answer["result"]["resultDescription"]
    assert "currency-code" in answer["result"]["resultDescription"]
