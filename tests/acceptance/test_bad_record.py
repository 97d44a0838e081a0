"""One record that is wrong among ten thousand, and a message that breaks off."""

import pytest

from ochp_chs.ochp.schema import message_schema
from tests.acceptance.harness import SERVICE, Server, message, streamed, wait_until
from tests.support.tokens import token_xml

SET = "SetRoamingAuthorisationList"
UPDATE = "UpdateRoamingAuthorisationList"
RECORDS = 10_000
BAD = 6_789


def instance(number: int) -> str:
    return f"04{number:08X}"


def listed(server: Server) -> int:
    reply = server.call("cpo", "GetRoamingAuthorisationList")
    assert reply.result == "ok"
    return len(reply.elements("roamingAuthorisationInfoArray"))


@pytest.fixture
def emptied(server: Server) -> Server:
    """The EMP's list holds one token, and no other."""
    assert server.call("emp", SET, token_xml("04AA")).result == "ok"
    return server


@pytest.mark.parametrize(
    ("wrong", "field", "value", "rule", "echoed"),
    [
        ({"contract_id": "DE-EMP"}, "contractId", "DE-EMP", "schema", False),
        ({"expiry": "2090-13-01T00:00:00Z"}, "expiryDate/DateTime", "2090-13-01", "time", True),
        ({"contract_id": "DE-XYZ-C00000001"}, "contractId", "DEXYZ", "contract-provider", True),
        ({"token_type": "remote"}, "EmtId/tokenType", "remote", "token-type-remote", True),
    ],
)
def test_one_bad_record_among_ten_thousand(
    emptied: Server, wrong: dict[str, str], field: str, value: str, rule: str, echoed: bool
) -> None:
    records = [
        token_xml(instance(number), **(wrong if number == BAD else {}))
        for number in range(1, RECORDS + 1)
    ]
    reply = emptied.post(streamed("emp", SET, records))
    message_schema().assertValid(reply.body)
    assert reply.result == "partly"
    assert f"{RECORDS - 1} of {RECORDS} records accepted, 1 refused" in reply.description
    assert f"#{BAD} token {instance(BAD)}" in reply.description
    assert f"{field} '{value}" in reply.description
    assert f"({rule}): " in reply.description
    assert len(reply.elements("refusedRoamingAuthorisationInfo")) == echoed
    assert listed(emptied) == RECORDS - 1


@pytest.mark.parametrize(
    "tail",
    [
        pytest.param(b"<roamingAuthorisationInfoArray><EmtId>", id="ends inside a record"),
        pytest.param(b"</wrong>", id="tags do not match"),
        pytest.param(b"&undeclared;", id="undeclared entity"),
        pytest.param(b"<!-- -- -->", id="malformed comment"),
        pytest.param(b"\x00", id="null character"),
        pytest.param(b"\xff\xfe", id="not UTF-8"),
        pytest.param(b"<x:y/>", id="undeclared prefix"),
        pytest.param(b"<unknown/>", id="element that is no record"),
    ],
)
@pytest.mark.parametrize("operation", [SET, UPDATE])
def test_broken_tail_after_nine_thousand_good_records(
    emptied: Server, operation: str, tail: bytes
) -> None:
    records = "".join(token_xml(instance(number)) for number in range(9_000))
    head, end = message("emp", operation, records + "\0").split(b"\0")
    reply = emptied.post(head + tail + end)
    assert reply.fault or reply.result == "format"
    assert reply.status == (500 if reply.fault else 200)
    assert listed(emptied) == 1


def test_sender_that_goes_away_after_nine_thousand_records(emptied: Server) -> None:
    content = message("emp", SET, "".join(token_xml(instance(n)) for n in range(9_000)))
    logged = len(emptied.log)
    connection = emptied.connection()
    connection.putrequest("POST", SERVICE)
    connection.putheader("Content-Length", str(len(content)))
    connection.endheaders(content[:-1000])
    connection.close()
    wait_until(lambda: "broke off" in emptied.log[logged:], 10)
    assert listed(emptied) == 1
