"""HTTP messages whose length is not what it seems: nothing is taken twice, nothing is smuggled."""

import pytest

from tests.acceptance.harness import SERVICE, Server
from tests.attacks.corpus import strike_raw, tokens

BODY = tokens().encode()
LENGTH = len(BODY)

#: What a second request, hidden behind or inside of the first, would change.
HIDDEN = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"

BAD = r"HTTP/1.1 400 "
BROKEN = r"HTTP/1.1 (500|400|408) .*(faultstring|Bad Request)"


def posted(*headers: str, body: bytes = BODY, version: str = "HTTP/1.1") -> bytes:
    lines = [f"POST {SERVICE} {version}", "Host: x", "Content-Type: text/xml", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    return b"".join(b"%X\r\n%s\r\n" % (len(each), each) for each in chunks) + end


CHUNKED = "Transfer-Encoding: chunked"

ATTACKS = {
    "length that is too short": (posted(f"Content-Length: {LENGTH - 9}"), BROKEN),
    "length that is too long": (
        posted(f"Content-Length: {LENGTH + 9}"),
        "HTTP/1.1 500 .*9 bytes are missing",
    ),
    "length of nothing": (posted("Content-Length: 0", body=b""), r"HTTP/1.1 500 .*empty"),
    "no length": (posted(), r"HTTP/1.1 500 .*empty"),
    "negative length": (posted("Content-Length: -1"), BAD),
    "length with a sign": (posted(f"Content-Length: +{LENGTH}"), BAD),
    "length in hexadecimal": (posted(f"Content-Length: {LENGTH:#x}"), BAD),
    "length with a fraction": (posted(f"Content-Length: {LENGTH}.0"), BAD),
    "length of other digits": (posted("Content-Length: \xb2\xb3"), BAD),
    "empty length": (posted("Content-Length:"), BAD),
    "immense length": (posted(f"Content-Length: {'9' * 30}"), r"HTTP/1.1 413 .*larger than"),
    "more digits than an integer has": (posted(f"Content-Length: {'9' * 5000}"), BAD),
    "two lengths": (posted("Content-Length: 5", f"Content-Length: {LENGTH}"), BAD),
    "two equal lengths": (posted(*[f"Content-Length: {LENGTH}"] * 2), BAD),
    "list of lengths": (posted(f"Content-Length: {LENGTH}, {LENGTH}"), BAD),
    "length and chunks": (posted(CHUNKED, "Content-Length: 4", body=chunked(BODY)), BAD),
    "chunks and length": (posted("Content-Length: 4", CHUNKED, body=chunked(BODY)), BAD),
    "chunks in chunks": (posted(f"{CHUNKED}, chunked", body=chunked(BODY)), BAD),
    "two ways of chunks": (posted(CHUNKED, CHUNKED, body=chunked(BODY)), BAD),
    "other coding": (posted("Transfer-Encoding: xchunked"), r"HTTP/1.1 (400|501) "),
    "coding behind chunks": (posted(f"{CHUNKED}, gzip", body=chunked(BODY)), BAD),
    "chunks of old": (posted(CHUNKED, version="HTTP/1.0", body=chunked(BODY)), BAD),
    "immense chunk": (posted(CHUNKED, body=b"F" * 40 + b"\r\n" + BODY), BROKEN),
    "negative chunk": (posted(CHUNKED, body=b"-5\r\n" + BODY), BROKEN),
    "chunk that is no number": (posted(CHUNKED, body=b"zz\r\n" + BODY), BROKEN),
    "chunk size without end": (posted(CHUNKED, body=b"0" * 1_000_000), BROKEN),
    "long extension": (posted(CHUNKED, body=b"5;" + b"x" * 1_000_000), BROKEN),
    "chunk without its end": (posted(CHUNKED, body=b"5\r\n<a/>xyz" + BODY), BROKEN),
    "chunks without end": (posted(CHUNKED, body=chunked(BODY, end=b"")), BROKEN),
    "trailers without end": (
        posted(CHUNKED, body=chunked(BODY, end=b"0\r\n" + b"X: y\r\n" * 100_000)),
        BROKEN,
    ),
    "trailer that is a length": (
        posted(CHUNKED, body=chunked(BODY, end=b"0\r\nContent-Length: 5\r\n\r\n")),
        BROKEN,
    ),
    "a thousand headers": (posted(*[f"X-{n}: y" for n in range(1_000)]), r"HTTP/1.1 431 "),
    "long header": (posted(f"X-Long: {'y' * 100_000}"), r"HTTP/1.1 431 "),
    "headers without end": (posted(*["X: y"] * 50_000), r"HTTP/1.1 431 "),
    "long line": (b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n", r"HTTP/1.1 414 "),
    "header on two lines": (posted("X-A: b\r\n c"), BAD),
    "space before the colon": (posted(f"Content-Length : {LENGTH}"), BAD),
    "header without a name": (posted(": x"), BAD),
    "header without a colon": (posted("nonsense"), BAD),
    "null in a header": (posted("X-A: b\0c"), BAD),
    "carriage return in a header": (posted("X-A: b\rContent-Length: 5"), BAD),
    "line feeds alone": (posted().replace(b"\r\n", b"\n"), BAD),
    "two hosts": (posted("Host: y"), BAD),
    "underscore for a hyphen": (posted(f"Content_Length: {LENGTH}"), r"HTTP/1.1 (400|500) "),
    "expectation": (posted("Expect: 200-ok", f"Content-Length: {LENGTH}"), r"HTTP/1.1 417 "),
    "version that is none": (posted(version="HTTP/9.9"), BAD),
    "version of another protocol": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", r"HTTP/1.1 400 "),
    "method that is none": (b"GE\tT / HTTP/1.1\r\n\r\n", BAD),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\r\n\r\n" * 5, r"HTTP/1.1 400 |"),
    "nothing but line ends": (b"\r\n" * 1_000, r"HTTP/1.1 400 |"),
    "half of a header": (b"POST / HT", r"$"),
}


@pytest.mark.parametrize(("data", "expects"), ATTACKS.values(), ids=ATTACKS)
def test_framing(server: Server, data: bytes, expects: str) -> None:
    received = strike_raw(server, data, expects)
    # Whatever it is, it is one request.
    assert received.count(b"HTTP/1.1 ") <= 1


SMUGGLED = {
    "behind a length that is too short": posted(f"Content-Length: {LENGTH}") + HIDDEN,
    "behind two lengths": posted("Content-Length: 0", f"Content-Length: {LENGTH}") + HIDDEN,
    "behind length and chunks": posted(
        f"Content-Length: {len(HIDDEN) + 5}", CHUNKED, body=b"0\r\n\r\n" + HIDDEN
    ),
    "behind chunks that break": posted(CHUNKED, body=b"5\r\n<a/>x!!" + HIDDEN),
    "in an extension": posted(CHUNKED, body=b"5;a=\n" + HIDDEN + chunked(BODY)),
}


@pytest.mark.parametrize("data", SMUGGLED.values(), ids=SMUGGLED)
def test_request_behind_a_request_is_the_next_one_or_none(server: Server, data: bytes) -> None:
    received = strike_raw(server, data, r"HTTP/1.1 (200|400|500) ")
    # Only where the first one's length was beyond doubt, there is a second one.
    beyond_doubt = received.startswith(b"HTTP/1.1 200 ")
    assert (b"\r\n\r\nok\n" in received) == beyond_doubt
