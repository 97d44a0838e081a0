"""Whatever arrives, an answer or a fault goes out: no traceback, no server fault, no half list."""

import io

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from lxml import etree

from ochp_chs.ochp.operations import NAMESPACE, OPERATIONS, Operation
from ochp_chs.ochp.results import ResultCode
from ochp_chs.ochp.schema import message_schema
from ochp_chs.soap.services.registry import BUILT as BUILT_SERVICES
from tests.support.any_request import requests
from tests.support.edge import SOAP, Edge, Reply, envelope
from tests.support.tokens import token_xml

#: The database stays as it is from one example to the next: nothing may get in.
fuzzed = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

_RECORDS = "".join(token_xml(f"04{number:06X}", printed_number="x") for number in range(3))

_NAME = "SetRoamingAuthorisationListRequest"
_SET = f'<{_NAME} xmlns="{NAMESPACE}">%s</{_NAME}>'
MESSAGE = envelope("all", _SET % _RECORDS)
LONG_MESSAGE = envelope("all", _SET % (_RECORDS * 150))

BUILT = [
    operation
    for operation in OPERATIONS
    if any(operation.name in service.public_methods for service in BUILT_SERVICES)
]

#: What has a meaning to somebody who reads XML.
_FRAGMENTS = st.sampled_from(
    [
        b"<",
        b">",
        b"</",
        b"/>",
        b"&",
        b"&amp;",
        b"&#0;",
        b"&#xFFFF;",
        b"&#x110000;",
        b"]]>",
        b"<![CDATA[",
        b"<!--",
        b"-->",
        b"<?",
        b"<?xml?>",
        b"<!DOCTYPE x>",
        b'xmlns=""',
        b' xmlns:s="urn:x"',
        b"</s:Body>",
        b"<s:Body>",
        b"\0",
        b"\xff",
        b"\xc0\x80",
        b"\xed\xa0\x80",
        "\ufeff".encode(),
        "𝔘\u202e".encode(),
        b"<roamingAuthorisationInfoArray>",
        b"<roamingAuthorisationInfoArray/>",
        b"<EmtId/>",
        b"2030-02-30T00:00:00Z",
        b"9" * 400,
        b"NaN",
        b"-1",
    ]
)


@pytest.fixture
def everybody(edge: Edge) -> Edge:
    edge.partner("all", "cpo emp nsp pso", "DE-EMP")
    edge.partner("other", "cpo emp", "NL-EMP")
    edge.connect("all", "other")
    return edge


def check(edge: Edge, reply: Reply) -> None:
    """An answer that is valid, or a fault that is the sender's; and a database that is at ease."""
    assert reply.status in (200, 500, 413, 415), reply.content
    root = etree.fromstring(reply.content)
    assert root.tag == f"{{{SOAP}}}Envelope"
    if reply.fault is not None:
        assert reply.body.findtext("faultcode") in ("soap:Client", "wsse:FailedAuthentication")
        assert reply.fault
        return
    assert reply.status == 200
    message_schema().assertValid(reply.body)
    assert reply.result != ResultCode.SERVER, reply.description


@st.composite
def mutated(draw: st.DrawFn, original: bytes) -> bytes:
    """A valid message with a few places cut out, doubled, overwritten or filled in."""
    data = bytearray(original)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 40)))
        match draw(st.sampled_from(["cut", "double", "fill", "swap", "end"])):
            case "cut":
                del data[start:end]
            case "double":
                data[end:end] = data[start:end]
            case "fill":
                data[start:end] = draw(_FRAGMENTS | st.binary(max_size=8))
            case "swap":
                data[start:end] = data[start:end][::-1]
            case "end":
                del data[max(start, 1) :]
    return bytes(data)


@fuzzed
@given(content=st.binary(max_size=300))
@example(content=b"")
@example(content=b"\xff\xfe")
@example(content=b"\xfe\xff\x00<")
@example(content=b"<\x00")
@example(content=b"\x1f\x8b")
def test_arbitrary_bytes(everybody: Edge, content: bytes) -> None:
    reply = everybody.post(content)
    check(everybody, reply)
    assert reply.fault is not None


@fuzzed
@given(content=mutated(MESSAGE))
def test_mutated_message(everybody: Edge, content: bytes) -> None:
    check(everybody, everybody.post(content))


@settings(fuzzed, max_examples=60)
@given(content=mutated(LONG_MESSAGE))
def test_mutated_long_message(everybody: Edge, content: bytes) -> None:
    check(everybody, everybody.post(content))


@settings(fuzzed, max_examples=60)
@given(content=mutated(LONG_MESSAGE), sizes=st.lists(st.integers(1, 70_000), min_size=1))
def test_in_pieces_as_the_network_brings_them(
    everybody: Edge, content: bytes, sizes: list[int]
) -> None:
    class Pieces(io.BytesIO):
        def __init__(self) -> None:
            super().__init__(content)
            self._sizes = iter(sizes)

        def read(self, size: int | None = -1) -> bytes:
            return super().read(next(self._sizes, size))

    in_pieces = everybody.post(b"", CONTENT_LENGTH="", **{"wsgi.input": Pieces()})
    check(everybody, in_pieces)


@settings(fuzzed, max_examples=40)
@pytest.mark.parametrize("operation", BUILT, ids=lambda operation: operation.name)
@given(data=st.data())
def test_any_content_for_any_operation(
    everybody: Edge, operation: Operation, data: st.DataObject
) -> None:
    request = data.draw(requests(operation))
    check(everybody, everybody.post(envelope("all", request)))
