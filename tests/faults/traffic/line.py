"""A partner's connection to the clearing house, and what an answer may be when things break."""

import http.client
import time
from collections.abc import Callable, Iterable, Iterator

from lxml import etree

from tests.acceptance.harness import SERVICE, message
from tests.support.edge import Reply

#: How long a client waits for an answer.
_PATIENCE_S = 45
_PIECES = 20

Address = tuple[str, int]


class NoAnswer(Exception):
    """The connection failed or broke before the answer was whole."""


class Surprise(AssertionError):
    """An answer that nobody should ever get, whatever breaks."""


class Line:
    """One client; some keep their connection, others open one for each message."""

    def __init__(self, address: Callable[[], Address], *, keeps: bool = False) -> None:
        self._address = address
        self._keeps = keeps
        self._connection: http.client.HTTPConnection | None = None

    def send(self, partner: str, operation: str, content: str, seconds: float = 0) -> Reply:
        """Send a message; a slow one arrives in pieces. Raises NoAnswer."""
        body = message(partner, operation, content)
        return self._request(_slowly(body, seconds) if seconds else body)

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _request(self, body: bytes | Iterable[bytes]) -> Reply:
        if self._connection is None:
            host, port = self._address()
            self._connection = http.client.HTTPConnection(host, port, timeout=_PATIENCE_S)
        try:
            self._connection.request(
                "POST",
                SERVICE,
                body,
                {"Content-Type": "text/xml; charset=utf-8"},
                encode_chunked=not isinstance(body, bytes),
            )
            response = self._connection.getresponse()
            reply = Reply(response.status, dict(response.getheaders()), response.read())
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise NoAnswer(repr(error)) from error
        if not self._keeps:
            self.close()
        return reply


def _slowly(body: bytes, seconds: float) -> Iterator[bytes]:
    size = len(body) // _PIECES + 1
    for begin in range(0, len(body), size):
        yield body[begin : begin + size]
        time.sleep(seconds / _PIECES)


def is_refusal_of_service(reply: Reply) -> bool:
    """Whether an answer says that the clearing house, or what stands before it, is in trouble.

    It has to say so clearly: the result `server`, a Server fault, or a proxy's own 502 to 504.
    """
    if reply.status in (502, 503, 504):
        return True
    try:
        body = reply.body
    except (etree.XMLSyntaxError, TypeError, IndexError):
        raise Surprise(f"an answer that is no SOAP: {reply.status} {reply.content!r}") from None
    if b"Traceback" in reply.content or b"psycopg" in reply.content:
        raise Surprise(f"the inside shows: {reply.content!r}")
    if reply.result == "server":
        return reply.status == 200 and "Reference" in reply.description
    code = body.findtext("faultcode") or ""
    return code.endswith(":Server") and "Reference" in (reply.fault or "")
