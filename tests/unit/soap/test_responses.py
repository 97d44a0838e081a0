"""Answers as bytes: short ones whole, long ones in pieces, and failing ones never whole."""

from collections.abc import Iterator, Sequence

import pytest
from lxml import etree

from ochp_chs.clearing.exchange import Answer, Elements
from ochp_chs.ochp.operations import BY_NAME, NAMESPACE
from ochp_chs.ochp.results import Result, ResultCode
from ochp_chs.ochp.schema import message_schema
from ochp_chs.soap.responses import response_body

OK = Result(ResultCode.OK, "Complete.")
LIST = BY_NAME["GetRoamingAuthorisationList"]
STATUS = BY_NAME["GetStatus"]
TOKEN = (
    "<EmtId><instance>{}</instance><tokenType>rfid</tokenType></EmtId>"
    "<contractId>DE-EMP-C00000001</contractId>"
    "<expiryDate><DateTime>2099-12-31T23:59:59Z</DateTime></expiryDate>"
)
NAME = "roamingAuthorisationInfoArray"


class Blocks:
    """Blocks of payloads that can fail, and know whether they were closed."""

    def __init__(self, count: int, fails_at: int | None = None) -> None:
        self.closed = False
        self._blocks = self._generate(count, fails_at)

    def _generate(self, count: int, fails_at: int | None) -> Iterator[Sequence[str]]:
        for number in range(count):
            if number == fails_at:
                raise ConnectionError
            yield [TOKEN.format(f"{number:06}{place}") for place in range(10)]

    def __iter__(self) -> Iterator[Sequence[str]]:
        return self

    def __next__(self) -> Sequence[str]:
        return next(self._blocks)

    def close(self) -> None:
        self.closed = True


def body_of(content: bytes) -> etree._Element:
    response = etree.fromstring(content)[0][0]
    message_schema().assertValid(response)
    return response


def test_without_records() -> None:
    body = response_body(LIST, Answer(OK))
    assert isinstance(body, list)
    response = body_of(b"".join(body))
    assert response.tag == f"{{{NAMESPACE}}}GetRoamingAuthorisationListResponse"
    assert response.findtext("{*}result/{*}resultDescription") == "Complete."


def test_short_list_in_one_piece() -> None:
    blocks = Blocks(2)
    body = response_body(LIST, Answer(OK, [Elements(NAME, blocks)]))
    assert isinstance(body, list)
    assert len(body_of(b"".join(body))) == 21
    assert blocks.closed


def test_long_list_in_pieces() -> None:
    blocks = Blocks(200)
    body = response_body(LIST, Answer(OK, [Elements(NAME, blocks)]))
    assert not isinstance(body, list)
    assert not blocks.closed
    response = body_of(b"".join(body))
    assert [e.findtext("{*}EmtId/{*}instance") for e in response[1:]] == [
        f"{number:06}{place}" for number in range(200) for place in range(10)
    ]
    assert blocks.closed


def test_client_that_goes_away_closes_the_snapshot() -> None:
    blocks = Blocks(200)
    body = iter(response_body(LIST, Answer(OK, [Elements(NAME, blocks)])))
    next(body)
    body.close()  # type: ignore[attr-defined]
    assert blocks.closed


def test_early_failure_is_raised_before_any_byte() -> None:
    blocks = Blocks(200, fails_at=3)
    with pytest.raises(ConnectionError):
        response_body(LIST, Answer(OK, [Elements(NAME, blocks)]))
    assert blocks.closed


def test_late_failure_comes_through_and_the_answer_has_no_end() -> None:
    blocks = Blocks(200, fails_at=150)
    written: list[bytes] = []
    with pytest.raises(ConnectionError):
        written.extend(response_body(LIST, Answer(OK, [Elements(NAME, blocks)])))
    assert len(written) > 1
    assert b"</soap:Envelope>" not in b"".join(written)
    assert blocks.closed


def test_records_with_attributes_and_no_result() -> None:
    blocks = iter([[' major="unknown"><evseId>DE*ABC*E1</evseId>'] * 2])
    body = response_body(STATUS, Answer(None, [Elements("evse", blocks, with_attributes=True)]))
    assert [e.get("major") for e in body_of(b"".join(body))] == ["unknown", "unknown"]


def test_description_holds_what_xml_can_hold() -> None:
    text = "a & <b> 'c' \"d\" \0\x0b\r\n\ufffe \U0001f600 \ud800"
    answer = Answer(Result(ResultCode.FORMAT, text))
    response = body_of(b"".join(response_body(LIST, answer)))
    description = response.findtext("{*}result/{*}resultDescription") or ""
    assert description.startswith("a & <b> 'c' \"d\" ")
    assert "\U0001f600" in description
