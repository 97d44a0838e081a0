"""Requests as operations read them: records judged one by one, frames as a whole."""

from collections.abc import Sequence

import pytest

from ochp_chs.clearing.errors import FrameRefused
from ochp_chs.clearing.exchange import IncomingRecord
from ochp_chs.ochp.operations import BY_NAME, NAMESPACE
from ochp_chs.ochp.reading import Reading
from ochp_chs.soap.body import Limits
from ochp_chs.soap.envelope import open_envelope
from ochp_chs.soap.faults import SOAP_NAMESPACE
from ochp_chs.soap.message import SoapMessage
from ochp_chs.soap.shape import Shape
from tests.support.tokens import token_xml

LIMITS = Limits(1 << 30, 1 << 16, 1 << 20, 1, Shape(20, 20, 2000))
SET = "SetRoamingAuthorisationList"

#: A short message is parsed as a whole; a long one streams.
FILLINGS = {"short": "", "long": "".join(token_xml(f"05{n:06X}") for n in range(500))}


@pytest.fixture(params=FILLINGS.values(), ids=FILLINGS)
def filling(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def message(operation: str, content: str) -> SoapMessage:
    name = BY_NAME[operation].request
    xml = (
        f'<s:Envelope xmlns:s="{SOAP_NAMESPACE}"><s:Body><{name} xmlns="{NAMESPACE}">{content}'
        f"</{name}></s:Body></s:Envelope>"
    ).encode()
    chunks = (xml[start : start + 8192] for start in range(0, len(xml), 8192))
    return SoapMessage(open_envelope(chunks, None, LIMITS), BY_NAME[operation])


def read(content: str, reading: Reading = Reading.TOLERANT) -> Sequence[IncomingRecord]:
    # The elements are gone when the next block comes; what is looked at here is not.
    return [
        record._replace(position=record.position)
        for record in message(SET, content).records(reading)
    ]


def test_valid_records_are_numbered(filling: str) -> None:
    records = read(token_xml("04AA") + filling + token_xml("04BB"))
    assert [record.position for record in records] == list(range(1, len(records) + 1))
    assert not any(record.violations or record.repairs for record in records)


def test_bad_record_is_refused_alone(filling: str) -> None:
    bad = token_xml("04CC", contract_id="X")
    records = read(token_xml("04AA") + bad + filling + token_xml("04BB") + bad)
    wrong = [record.position for record in records if record.violations]
    assert wrong == [2, len(records)]
    assert records[1].violations[0].field == "contractId"


@pytest.mark.parametrize(
    "repairable",
    [
        token_xml(expiry="2099-12-31T23:59:59.000Z"),
        token_xml(expiry="2099-12-31T23:59:59+01:00"),
        token_xml(expiry="2099-12-31"),
        token_xml(representation="SHA256"),
        token_xml().replace("<EmtId>", "<emtId>").replace("</EmtId>", "</emtId>"),
        token_xml().replace("<expiryDate>", "<printedNumber/><expiryDate>"),
    ],
)
def test_tolerant_repairs_and_notes_what_strict_refuses(filling: str, repairable: str) -> None:
    (tolerant,) = [r for r in read(filling + repairable) if r.repairs or r.violations]
    (strict,) = [r for r in read(filling + repairable, Reading.STRICT) if r.violations]
    assert (bool(tolerant.repairs), bool(tolerant.violations)) == (True, False)
    assert tolerant.position == strict.position
    assert not strict.repairs


def test_element_that_is_no_record(filling: str) -> None:
    with pytest.raises(FrameRefused, match="holds an element 'tariffInfo'"):
        read(filling + "<tariffInfo/>")


def test_record_of_another_namespace(filling: str) -> None:
    with pytest.raises(FrameRefused, match="roamingAuthorisationInfoArray"):
        read(filling + token_xml().replace("Array>", "Array xmlns='urn:x'>", 1))


def test_parameters_that_are_valid() -> None:
    asked = "<lastUpdate><DateTime>2020-01-01T00:00:00Z</DateTime></lastUpdate>"
    request = message("GetRoamingAuthorisationListUpdates", asked).parameters(Reading.STRICT)
    assert request[0][0].text == "2020-01-01T00:00:00Z"


def test_parameters_are_repaired_where_that_is_allowed() -> None:
    asked = "<lastUpdate><DateTime>2020-01-01T00:00:00.123Z</DateTime></lastUpdate>"
    operation = "GetRoamingAuthorisationListUpdates"
    request = message(operation, asked).parameters(Reading.TOLERANT)
    assert request[0][0].text == "2020-01-01T00:00:00Z"
    with pytest.raises(FrameRefused, match="lastUpdate/DateTime"):
        message(operation, asked).parameters(Reading.STRICT)


@pytest.mark.parametrize(
    "content", ["", "<lastUpdate/>", "<lastUpdate><DateTime>yesterday</DateTime></lastUpdate>"]
)
def test_parameters_that_are_missing_or_wrong(content: str) -> None:
    with pytest.raises(
        FrameRefused, match="GetRoamingAuthorisationListUpdatesRequest is not valid"
    ):
        message("GetRoamingAuthorisationListUpdates", content).parameters(Reading.TOLERANT)


def test_alias_of_the_single_look_up_is_valid_by_its_right_name() -> None:
    operation = BY_NAME["GetSingleRoamingAuthorisation"]
    alias = "RequestSingleRoamingAuthorisationRequest"
    xml = (
        f'<s:Envelope xmlns:s="{SOAP_NAMESPACE}"><s:Body><{alias} xmlns="{NAMESPACE}"><emtId>'
        "<instance>04AA</instance><tokenType>rfid</tokenType></emtId>"
        f"</{alias}></s:Body></s:Envelope>"
    ).encode()
    request = SoapMessage(open_envelope(iter([xml]), None, LIMITS), operation)
    assert request.parameters(Reading.STRICT)[0][0].text == "04AA"
