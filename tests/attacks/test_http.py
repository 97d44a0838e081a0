"""Methods, paths, types and headers of HTTP: what is not served is said so, and nothing leaks."""

import re

import pytest

from tests.acceptance.harness import SERVICE, Server
from tests.attacks.corpus import Attack, assert_alive, strike, strike_raw, tokens

NO_XML = "500 fault .*not well-formed"
BOUNDARY = "MIMEBoundary"


def got(target: str, *headers: str, method: str = "GET", host: str = "x") -> bytes:
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def multipart(kind: str) -> Attack:
    part = f"--{BOUNDARY}\r\nContent-Type: {kind}\r\nContent-ID: <a>\r\n\r\n{tokens()}\r\n"
    return Attack(
        f"{part}--{BOUNDARY}--\r\n",
        NO_XML,
        {"Content-Type": f'multipart/related; type="{kind}"; start="<a>"; boundary="{BOUNDARY}"'},
    )


MESSAGES = {
    "SOAP 1.2 by its type": Attack(tokens(), "200 ok ", {"Content-Type": "application/soap+xml"}),
    "MTOM": multipart("application/xop+xml"),
    "attachments": multipart("text/xml"),
    "multipart without a boundary": Attack(
        tokens(), "200 ok |(400|500) ", {"Content-Type": "multipart/related"}
    ),
    "inclusion of an attachment": Attack(
        tokens().replace(
            "04A1B2C3D4E5F6",
            '<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="file:///etc/hosts"/>',
        ),
        "200 format ",
    ),
    "JSON": Attack('{"a": 1}', NO_XML, {"Content-Type": "application/json"}),
    "form": Attack("a=b&c=d", NO_XML, {"Content-Type": "application/x-www-form-urlencoded"}),
    "type that is none": Attack(tokens(), "200 ok ", {"Content-Type": ";;;=,\xe9"}),
    "very long type": Attack(tokens(), "200 ok ", {"Content-Type": "text/xml;" + "a=b;" * 1_500}),
    "action of another operation": Attack(
        tokens(), "200 ok ", {"SOAPAction": '"http://ochp.eu/1.4/GetCDRs"'}
    ),
    "action of something else": Attack(tokens(), "200 ok ", {"SOAPAction": "'; DROP TABLE token"}),
    "very long action": Attack(tokens(), "200 ok ", {"SOAPAction": "x" * 8_000}),
    "range": Attack(tokens(), "200 ok ", {"Range": "bytes=0-1,0-1,0-1"}),
    "other method by a header": Attack(
        tokens(), "200 ok ", {"X-HTTP-Method-Override": "DELETE", "X-Method": "PUT"}
    ),
    "address of somebody else": Attack(
        tokens(), "200 ok ", {"X-Forwarded-For": "'; DROP TABLE token; --, \xe9" * 50}
    ),
    "prefix by a proxy": Attack(tokens(), "200 ok |400 ", {"X-Forwarded-Prefix": "/../../etc"}),
    "to an address that is none": Attack(tokens(), "404 ", path="/service/ochp/../../etc/passwd"),
    "to the health": Attack(tokens(), "405 ", path="/healthz"),
    "to the contract": Attack(tokens(), "200 ok |(404|405) ", path=f"{SERVICE}?wsdl"),
    "to a very long query": Attack(tokens(), "200 ok |414 ", path=f"{SERVICE}?{'x' * 3_000}"),
}


@pytest.mark.parametrize("attack", MESSAGES.values(), ids=MESSAGES)
def test_message_in_odd_clothes(server: Server, attack: Attack) -> None:
    strike(server, attack)


NOT_FOUND = "HTTP/1.1 (404|400) "
REQUESTS = {
    "up": (got("/../../../../etc/passwd"), NOT_FOUND),
    "up, escaped": (got("/service/ochp/%2e%2e/%2e%2e/%2e%2e/etc/passwd"), NOT_FOUND),
    "up, escaped twice": (got("/service/ochp/%252e%252e%252fetc%252fpasswd"), NOT_FOUND),
    "up with backslashes": (got("/service/ochp/..\\..\\etc\\passwd"), NOT_FOUND),
    "up by an overlong slash": (got("/service/ochp/..%c0%af..%c0%afetc/passwd"), NOT_FOUND),
    "up from the schemas": (got("/service/ochp/types/../../../pyproject.toml"), NOT_FOUND),
    "another schema": (got("/service/ochp/types/%2fetc%2fpasswd"), NOT_FOUND),
    "schema by the query": (got(f"{SERVICE}?xsd=../../../../etc/passwd"), NOT_FOUND),
    "null in the path": (got("/service/ochp/types/a.xsd%00.wsdl"), NOT_FOUND),
    "line end in the path": (got("/%0d%0aX-Injected:%20yes"), NOT_FOUND),
    "line end in the query": (got(f"{SERVICE}?wsdl%0d%0aX-Injected:%20yes"), "HTTP/1.1 (404|200) "),
    "two slashes": (got("//etc/passwd"), NOT_FOUND),
    "whole address": (got("http://127.0.0.1:9/etc/passwd"), NOT_FOUND),
    "bytes that are no text": (got("/\xff\xfe"), NOT_FOUND),
    "letters that are no text": (got("/%ff%fe"), NOT_FOUND),
    "script in the path": (got("/<script>alert(1)</script>"), NOT_FOUND),
    "settings": (got("/.env"), NOT_FOUND),
    "host that is none": (got(f"{SERVICE}?wsdl", host="<script>"), "HTTP/1.1 400 "),
    "host with a path": (got(f"{SERVICE}?wsdl", host="x/../y"), "HTTP/1.1 400 "),
    "host with quotes": (got(f"{SERVICE}?wsdl", host='x" onload="y'), "HTTP/1.1 400 "),
    "no host": (got(f"{SERVICE}?wsdl").replace(b"Host: x\r\n", b""), "HTTP/1.1 (200|400) "),
    "delete": (got(SERVICE, method="DELETE"), "HTTP/1.1 405 "),
    "put": (got(SERVICE, method="PUT"), "HTTP/1.1 405 "),
    "trace": (got(SERVICE, "Cookie: secret", method="TRACE"), "HTTP/1.1 405 (?!.*secret)"),
    "trace of the front page": (got("/", "Cookie: s", method="TRACE"), "HTTP/1.1 405 "),
    "connect": (got("127.0.0.1:5432", method="CONNECT"), "HTTP/1.1 (400|404|405) "),
    "debug": (got(SERVICE, method="DEBUG"), "HTTP/1.1 (400|405) "),
    "method in lower case": (got(SERVICE, method="post"), "HTTP/1.1 (400|405) "),
    "very long method": (got(SERVICE, method="X" * 3_000), "HTTP/1.1 (400|405) "),
    "head": (got(f"{SERVICE}?wsdl", method="HEAD"), "HTTP/1.1 200 .*\r\n\r\n$"),
    "upgrade": (
        got("/", "Upgrade: h2c", "Connection: Upgrade", "HTTP2-Settings: AAA"),
        "HTTP/1.1 ",
    ),
    "web socket": (
        got(SERVICE, "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: x"),
        "HTTP/1.1 404 ",
    ),
    "range of a page": (got("/", "Range: bytes=0-0,1-1"), "HTTP/1.1 200 "),
    "cookies": (got("/", f"Cookie: {'a=b; ' * 1_500}"), "HTTP/1.1 200 "),
}


@pytest.mark.parametrize(("data", "expects"), REQUESTS.values(), ids=REQUESTS)
def test_request_for_what_is_not_there(server: Server, data: bytes, expects: str) -> None:
    received = strike_raw(server, data, expects)
    assert b"root:" not in received
    head = received.partition(b"\r\n\r\n")[0]
    assert not re.search(rb"(?m)^X-Injected", head)
    assert b"<script>" not in received


def test_pages_do_not_trust_what_they_are_told(server: Server) -> None:
    lies = ["X-Forwarded-Host: evil.example", "X-Forwarded-Proto: javascript"]
    received = strike_raw(server, got(f"{SERVICE}?wsdl", *lies), "HTTP/1.1 (200|400) ")
    assert b"javascript:" not in received
    assert_alive(server)
