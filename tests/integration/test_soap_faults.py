"""What is no message that could be served: one clear fault, and nothing happens."""

import gzip

import psutil
import pytest

from ochp_chs.config import Settings
from ochp_chs.ochp.operations import NAMESPACE
from ochp_chs.repository.engine import Database
from tests.support.edge import SOAP, Clock, Edge, Reply, envelope
from tests.support.tokens import token_xml

SET = "SetRoamingAuthorisationList"
LIST = "GetRoamingAuthorisationList"

#: More than a message may have that is parsed as a whole: the rest comes as a stream.
LONG = "".join(token_xml(f"04{number:06X}") for number in range(400))


@pytest.fixture
def one(edge: Edge) -> Edge:
    edge.partner("emp", "emp", "DE-EMP")
    return edge


@pytest.fixture
def narrow(database: Database, clock: Clock) -> Edge:
    """A server with small limits."""
    settings = Settings(
        clock_tolerance_s=0,
        max_request_bytes=400_000,
        max_header_bytes=20_000,
        max_record_bytes=100_000,
    )
    edge = Edge(database, clock, settings)
    edge.partner("emp", "emp", "DE-EMP")
    return edge


def soap(content: str, namespace: str = SOAP) -> str:
    return f'<s:Envelope xmlns:s="{namespace}">{content}</s:Envelope>'


def request(records: str = "") -> str:
    return f'<{SET}Request xmlns="{NAMESPACE}">{records}</{SET}Request>'


def stored(edge: Edge) -> int:
    with edge.database.begin() as connection:
        count = connection.exec_driver_sql("SELECT count(*) FROM token").scalar_one()
        return int(count)


def assert_fault(reply: Reply, says: str, status: int = 500, code: str = "Client") -> None:
    assert reply.status == status, reply.content
    assert reply.fault is not None, reply.content
    assert says in reply.fault
    assert "\n" not in reply.fault
    assert reply.body.findtext("faultcode") == f"soap:{code}"
    assert reply.headers["Content-Type"].startswith("text/xml")


BODY = f"<s:Body>{request()}</s:Body>"

NOT_SERVED = {
    "nothing": ("", "Document is empty"),
    "white space": (" \n ", "not well-formed"),
    "not XML": ("hello", "not well-formed"),
    "JSON": ('{"a": 1}', "not well-formed"),
    "HTML": ("<html><body>x</body></html>", "not a SOAP 1.1 envelope"),
    "undeclared prefix": (soap("<s:Body><o:x/></s:Body>"), "Namespace prefix o"),
    "undeclared prefix of an attribute": (
        soap(f'<s:Body><{LIST}Request xmlns="{NAMESPACE}" x:a=""/></s:Body>'),
        "Namespace prefix x",
    ),
    "SOAP 1.2": (
        soap(BODY, "http://www.w3.org/2003/05/soap-envelope"),
        "SOAP 1.2 is not served here; send a SOAP 1.1 envelope",
    ),
    "another envelope": (soap(BODY, "urn:x"), "not a SOAP 1.1 envelope"),
    "envelope without namespace": ("<Envelope><Body/></Envelope>", "not a SOAP 1.1 envelope"),
    "only the request": (request(), "not a SOAP 1.1 envelope"),
    "OCHP 1.3": (
        soap(f'<s:Body><{SET}Request xmlns="http://ochp.eu/1.3"/></s:Body>'),
        "'http://ochp.eu/1.3'; the version served here is 'http://ochp.eu/1.4'",
    ),
    "OCHP 1.4.1": (
        soap(f'<s:Body><{SET}Request xmlns="http://ochp.e-clearing.net/1.4.1"/></s:Body>'),
        "the version served here is 'http://ochp.eu/1.4'",
    ),
    "no OCHP namespace": (soap(f"<s:Body><{SET}Request/></s:Body>"), NAMESPACE),
    "empty body": (soap("<s:Body/>"), "The SOAP Body is empty"),
    "body of white space": (soap("<s:Body> \n </s:Body>"), "The SOAP Body is empty"),
    "no body": (soap("<s:Header/>"), "has 0 Body elements"),
    "two bodies": (soap(BODY + BODY), "has 2 Body elements"),
    "two requests": (soap(f"<s:Body>{request()}{request()}</s:Body>"), "must hold one request"),
    "unknown operation": (
        soap(f'<s:Body><DropTables xmlns="{NAMESPACE}"/></s:Body>'),
        "no operation with the request 'DropTables'",
    ),
    "response instead of a request": (
        soap(f'<s:Body><{SET}Response xmlns="{NAMESPACE}"/></s:Body>'),
        "no operation with the request",
    ),
    "a fault": (soap("<s:Body><s:Fault/></s:Body>"), "no operation with the request 'Fault'"),
    "DTD": (f"<!DOCTYPE x>{soap(BODY)}", "document type declaration"),
    "DTD with entities": (
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b"><!ENTITY c "&a;&a;">]>'
        + soap(f"<s:Body>{request('&c;')}</s:Body>"),
        "document type declaration",
    ),
    "external entity": (
        f'<!DOCTYPE x SYSTEM "file:///etc/passwd">{soap(BODY)}',
        "document type declaration",
    ),
    "undeclared entity": (soap(f"<s:Body>{request('&c;')}</s:Body>"), "Entity 'c' not defined"),
    "unknown encoding": (f'<?xml version="1.0" encoding="EBCDIC-CP-US"?>{soap(BODY)}', "ncoding"),
    "UTF-7": (f'<?xml version="1.0" encoding="UTF-7"?>{soap(BODY)}', "ncoding"),
    "null character": (soap(f"<s:Body>{request(chr(0))}</s:Body>"), "not well-formed"),
    "control character": (soap(f"<s:Body>{request('&#8;')}</s:Body>"), "not well-formed"),
    "lone surrogate": (soap(f"<s:Body>{request('&#xD800;')}</s:Body>"), "not well-formed"),
    "something after the end": (soap(BODY) + "<x/>", "not well-formed"),
    "two declarations of an attribute": (soap('<s:Body a="" a=""/>'), "not well-formed"),
}


@pytest.mark.parametrize(("text", "says"), NOT_SERVED.values(), ids=NOT_SERVED)
def test_message_that_cannot_be_served(one: Edge, text: str, says: str) -> None:
    reply = one.post(text.encode())
    assert_fault(reply, says)


@pytest.mark.parametrize(("text", "says"), NOT_SERVED.values(), ids=NOT_SERVED)
def test_the_same_in_utf_16(one: Edge, text: str, says: str) -> None:
    if "encoding=" in text:
        text = text.replace("encoding=", "standalone='yes' ")
    reply = one.post(text.encode("utf-16"))
    assert (reply.status, reply.fault is not None) == (500, True), (says, reply.content)


LONG_AND_WRONG = {
    "broken": request(LONG + "<x>"),
    "two requests": request(LONG) + request(),
    "wrong root": request(LONG) + "</s:Body></s:Envelope><x>",
    "second body": request(LONG) + f"</s:Body><s:Body>{request()}",
    "header after the body": request(LONG) + "</s:Body><s:Header/><s:Body>",
    "deep nesting": request(LONG + "<a>" * 100_000),
    "deep and whole": request(LONG + "<a>" * 300 + "</a>" * 300),
    "many attributes": request(
        LONG + "<x " + "".join(f" a{n}=''" for n in range(9_999)) + " a0=''/>"
    ),
    "DTD in the middle": request(LONG + "<!DOCTYPE x>"),
    "undeclared entity": request(LONG + "&lol;"),
    "null character": request(LONG + "\0"),
    "record in a record": request(LONG + f"<roamingAuthorisationInfoArray>{LONG}"),
}


@pytest.mark.parametrize("content", LONG_AND_WRONG.values(), ids=LONG_AND_WRONG)
def test_long_message_that_is_wrong_at_its_end(one: Edge, content: str) -> None:
    reply = one.post(envelope("emp", content))
    if reply.fault is None:
        assert reply.result == "format"
    else:
        assert reply.status == 500
        assert reply.body.findtext("faultcode") == "soap:Client"
    assert stored(one) == 0


def test_body_inside_of_the_header_is_none(one: Edge) -> None:
    head, rest = envelope("emp", request(LONG)).decode().split("</s:Header>")
    inner = f'<s:Body><{LIST}Request xmlns="{NAMESPACE}"/></s:Body>'
    reply = one.post(f"{head}{inner}</s:Header>{rest}".encode())
    assert reply.result == "ok"
    assert stored(one) == 400


def test_mistake_after_a_long_header_is_found(one: Edge) -> None:
    assert_fault(one.post(soap(f"<!--{'x' * 70_000}--><s:Body/>").encode()), "larger than 65536")


def test_dtd_behind_a_long_comment(one: Edge) -> None:
    reply = one.post(f"<!--{'x' * 70_000}--><!DOCTYPE x>{soap(BODY)}".encode())
    assert reply.fault
    assert reply.status == 500


class TestLimits:
    def test_content_length_that_is_too_large_is_refused_unread(self, narrow: Edge) -> None:
        class Unreadable:
            def read(self, _: int) -> bytes:
                raise AssertionError("the body was read")

        reply = narrow.post(b"", CONTENT_LENGTH="400001", **{"wsgi.input": Unreadable()})
        assert_fault(reply, "larger than 400000 bytes", status=413)

    def test_endless_message_is_refused(self, narrow: Edge) -> None:
        read = Counted(envelope("emp", request("\0")).split(b"\0")[0], token_xml().encode())
        reply = narrow.post(b"", CONTENT_LENGTH="", **{"wsgi.input": read})
        assert_fault(reply, "larger than 400000 bytes", status=413)
        assert read.given < 600_000
        assert stored(narrow) == 0

    def test_packed_message_is_bounded_by_what_it_unpacks_to(self, narrow: Edge) -> None:
        content = gzip.compress(envelope("emp", request(LONG * 10)))
        assert len(content) < 400_000
        reply = narrow.post(content, HTTP_CONTENT_ENCODING="gzip")
        assert_fault(reply, "larger than 400000 bytes", status=413)
        assert stored(narrow) == 0

    def test_record_that_is_too_large(self, narrow: Edge) -> None:
        big = token_xml(printed_number="x" * 250_000)
        assert_fault(narrow.post(envelope("emp", request(LONG + big))), "larger than 100000")
        assert stored(narrow) == 0

    def test_attribute_that_is_too_large(self, narrow: Edge) -> None:
        big = f"<roamingAuthorisationInfoArray a='{'x' * 250_000}'/>"
        assert_fault(narrow.post(envelope("emp", request(LONG + big))), "larger than 100000")

    def test_header_that_is_too_large(self, narrow: Edge) -> None:
        header = f"<s:Header><x>{'y' * 100_000}</x></s:Header>"
        reply = narrow.post(soap(f"{header}<s:Body>{request(LONG)}</s:Body>").encode())
        assert_fault(reply, "header is larger than 20000 bytes")

    def test_many_small_elements_in_the_header(self, narrow: Edge) -> None:
        header = f"<s:Header>{'<x/>' * 25_000}</s:Header>"
        reply = narrow.post(soap(f"{header}<s:Body>{request(LONG)}</s:Body>").encode())
        assert_fault(reply, "header is larger than 20000 bytes")


@pytest.mark.parametrize("records", [token_xml(), LONG], ids=["short", "long"])
def test_message_that_is_whole_but_shorter_than_announced(one: Edge, records: str) -> None:
    content = envelope("emp", request(records))
    reply = one.post(content, CONTENT_LENGTH=str(len(content) + 1))
    assert_fault(reply, "1 bytes are missing")
    assert stored(one) == 0


def test_made_up_names_do_not_stay_in_memory(edge: Edge) -> None:
    def message(number: int) -> bytes:
        names = "".join(f"<n{number:03}{i:04}/>" for i in range(5_500))
        return soap(f"<s:Header>{names}</s:Header><s:Body/>").encode()

    for number in range(100):
        edge.post(message(number))
    before = psutil.Process().memory_info().rss
    for number in range(100, 400):
        assert edge.post(message(number)).fault
    assert psutil.Process().memory_info().rss - before < 20 << 20


class TestPacked:
    def test_truncated(self, one: Edge) -> None:
        content = gzip.compress(envelope("emp", request(LONG)))
        for length in (1, 9, 100, len(content) - 9, len(content) - 1):
            reply = one.post(content[:length], HTTP_CONTENT_ENCODING="gzip")
            assert_fault(reply, "gzip")
        assert stored(one) == 0

    def test_wrong_checksum(self, one: Edge) -> None:
        content = bytearray(gzip.compress(envelope("emp", request(LONG))))
        content[-5] ^= 1
        assert_fault(one.post(bytes(content), HTTP_CONTENT_ENCODING="gzip"), "cannot be unpacked")
        assert stored(one) == 0

    def test_not_packed_at_all(self, one: Edge) -> None:
        reply = one.post(envelope("emp", request(LONG)), HTTP_CONTENT_ENCODING="gzip")
        assert_fault(reply, "cannot be unpacked")

    @pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "zstd", "x"])
    def test_another_encoding(self, one: Edge, encoding: str) -> None:
        reply = one.post(envelope("emp", request(LONG)), HTTP_CONTENT_ENCODING=encoding)
        assert_fault(reply, "gzip", status=415)


class Counted:
    """An endless body that knows how much of it was taken."""

    def __init__(self, head: bytes, forever: bytes) -> None:
        self.given = 0
        self._head = head
        self._forever = forever * 100

    def read(self, _: int) -> bytes:
        piece = self._forever if self.given else self._head
        self.given += len(piece)
        return piece
