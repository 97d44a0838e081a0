"""Bytes into the SOAP edge, on a real database, and what must hold of whatever comes out."""

import contextlib
import gzip
import io
import traceback
from collections.abc import Iterator, Mapping

import structlog
from lxml import etree

from ochp_chs.clearing.failures import FailureDelays
from ochp_chs.clearing.passwords import HashSettings, Passwords
from ochp_chs.config import Settings
from ochp_chs.ochp.operations import Endpoint
from ochp_chs.ochp.results import ResultCode
from ochp_chs.ochp.schema import message_schema
from ochp_chs.repository.engine import Database
from ochp_chs.repository.tables import metadata
from ochp_chs.soap import application
from ochp_chs.soap import envelope as envelopes
from tests.support import valid_requests
from tests.support.edge import SOAP, Clock, Edge, Reply, envelope
from tests.support.endpoints import SECRET_KEY

#: What an answer may have as its HTTP status. 500 is SOAP's for any fault.
STATUSES = (200, 408, 413, 415, 500)

#: What a fault may have as its code. `soap:Server` is a failure of ours.
CODES = ("soap:Client", "wsse:FailedAuthentication")

_ENDPOINTS = tuple(str(endpoint) for endpoint in Endpoint)
_CHARSETS = ("", "; charset=utf-8", "; charset=utf-16", "; charset=iso-8859-1")

#: What the first byte of an input asks for, by its bits; the rest is the body.
_STREAMED, _PACKED, _SAID_TO_BE_PACKED = 1, 2, 4

#: The sizes at which messages begin to stream; small, so that small messages do.
_SMALL_WHOLE_BYTES, _SMALL_HEAD_BYTES = 64, 48


class Finding(AssertionError):
    """Something that must not happen did; the text tells what and, for a bug, where."""


class Target:
    """The SOAP edge with two partners, whose failures cost no time."""

    def __init__(self, database: Database) -> None:
        cheap = HashSettings(passes=1, memory_kib=64)
        self._bugs: list[str] = []
        structlog.configure(processors=[self._note], cache_logger_on_first_use=False)
        # Failed log-ins are slow on purpose, which is tested elsewhere.
        with _replaced(application, "Passwords", lambda: Passwords(cheap)):
            settings = Settings(clock_tolerance_s=0, secret_key=SECRET_KEY)
            self._edge = Edge(database, Clock(), settings)
        FailureDelays.hold_up = lambda *_: True  # type: ignore[method-assign]
        _emptied(database)
        valid_requests.add_partner(self._edge)

    def __call__(self, data: bytes) -> Reply:
        """Send one input; raises `Finding`."""
        how, body = (data[0], data[1:]) if data else (0, b"")
        self._bugs.clear()
        if how & _STREAMED:
            with (
                _replaced(envelopes, "_WHOLE_BYTES_MAX", _SMALL_WHOLE_BYTES),
                _replaced(envelopes, "_HEAD_PIECE_BYTES", _SMALL_HEAD_BYTES),
            ):
                reply = self._send(how, body)
        else:
            reply = self._send(how, body)
        if self._bugs:
            raise Finding(self._bugs[0])
        check(reply)
        return reply

    def _send(self, how: int, body: bytes) -> Reply:
        environ: dict[str, object] = {
            "CONTENT_TYPE": f"text/xml{_CHARSETS[how >> 3 & 3]}",
            "CONTENT_LENGTH": "",
        }
        if how & (_PACKED | _SAID_TO_BE_PACKED):
            environ["HTTP_CONTENT_ENCODING"] = "gzip"
        if how & _PACKED:
            body = gzip.compress(body, 1)
        environ["wsgi.input"] = _InPieces(body, 100) if how & _STREAMED else io.BytesIO(body)
        return self._edge.post(b"", _ENDPOINTS[how >> 5 & 3 if how >> 5 & 3 < 3 else 0], **environ)

    def _note(self, _logger: object, method: str, event: dict[str, object]) -> dict[str, object]:
        if event.get("exc_info") or method in ("error", "critical", "exception"):
            self._bugs.append(f"{event.get('event')}\n{traceback.format_exc()}")
        raise structlog.DropEvent


class _InPieces(io.BytesIO):
    """A body of which never more than some bytes arrive at once."""

    def __init__(self, content: bytes, size: int) -> None:
        super().__init__(content)
        self._size = size

    def read(self, size: int | None = -1) -> bytes:
        return super().read(self._size if size is None or size < 0 else min(size, self._size))


def check(reply: Reply) -> None:
    """Raise `Finding` unless it is a valid answer, or a fault that is the sender's."""
    if reply.status not in STATUSES:
        raise Finding(f"HTTP status {reply.status}: {reply.content[:500]!r}")
    root = etree.fromstring(reply.content)
    if root.tag != f"{{{SOAP}}}Envelope":
        raise Finding(f"no envelope: {reply.content[:500]!r}")
    if b"Traceback" in reply.content and b'File "' in reply.content:
        raise Finding(f"a traceback on the wire: {reply.content[:500]!r}")
    if reply.fault is not None:
        if reply.body.findtext("faultcode") not in CODES or not reply.fault:
            raise Finding(f"a fault of ours: {reply.content[:500]!r}")
        return
    if reply.status != 200 or reply.result == ResultCode.SERVER:
        raise Finding(f"status {reply.status}, {reply.result}: {reply.description}")
    if not message_schema().validate(reply.body):
        raise Finding(f"not valid: {message_schema().error_log}: {reply.content[:2000]!r}")


def seeds() -> Mapping[str, bytes]:
    """Inputs to begin with: a valid message of each operation, whole, streamed and packed."""
    found: dict[str, bytes] = {}
    for name, request in valid_requests.requests().items():
        message = envelope("all", request)
        found[name] = b"\x08" + message
        found[f"{name}.streamed"] = bytes([0x08 | _STREAMED]) + message
    set_tokens = envelope("all", valid_requests.requests()["SetRoamingAuthorisationList"])
    found["packed"] = bytes([_PACKED]) + set_tokens
    found["said-to-be-packed"] = bytes([_SAID_TO_BE_PACKED]) + gzip.compress(set_tokens)
    found["utf-16"] = b"\x00" + set_tokens.decode().encode("utf-16")
    found["latin-1"] = b"\x18" + set_tokens
    return found


def _emptied(database: Database) -> None:
    """Take away what an earlier process of the fuzzer left."""
    tables = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)
    with database.begin() as connection:
        connection.exec_driver_sql(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")


@contextlib.contextmanager
def _replaced(module: object, name: str, value: object) -> Iterator[None]:
    earlier = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, earlier)
