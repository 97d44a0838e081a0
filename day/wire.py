"""A partner's line to the clearing house: one kept connection, every call timed and judged."""

import http.client
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from lxml import etree

from tests.acceptance.harness import SERVICE, message
from tests.support.edge import Reply
from tests.support.scale import Scale

#: Shorter than the proxy's timeout http-keep-alive: who waits longer begins a new connection.
_IDLE_S_MAX = 30.0


@dataclass(frozen=True, slots=True)
class Timing:
    """One call: when it began, in seconds of the run, and how long it took."""

    operation: str
    began_s: float
    seconds: float


@dataclass
class Book:
    """What all partners experienced. Appending to a list is safe between threads."""

    began: float = field(default_factory=time.monotonic)
    timings: list[Timing] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    #: Longest delay of a call against its time of day.
    late_s: float = 0.0
    bytes_in: int = 0
    bytes_out: int = 0


class WrongAnswer(Exception):
    """An answer that is not the expected one."""


class Line:
    """One partner's; not shared between threads."""

    def __init__(self, scale: Scale, partner: str, book: Book) -> None:
        self.partner = partner
        self._book = book
        self._connect: Callable[[], http.client.HTTPSConnection] = lambda: (
            http.client.HTTPSConnection(
                "127.0.0.1", scale.proxy_port, timeout=120, context=scale.tls()
            )
        )
        self._connection: http.client.HTTPSConnection | None = None
        self._used_at = 0.0

    def call(self, operation: str, content: str = "", expected: str = "ok") -> Reply:
        """One call, never repeated; raises `WrongAnswer` and OSError, and notes both."""
        sent = message(self.partner, operation, content)
        began = time.monotonic()
        try:
            reply = self._exchange(sent)
            _judge(reply, expected)
        except Exception as error:
            self._book.errors.append(f"{self.partner} {operation}: {type(error).__name__}: {error}")
            self.close()
            raise
        finally:
            took = time.monotonic() - began
            self._book.timings.append(Timing(operation, began - self._book.began, took))
        self._book.bytes_in += len(sent)
        self._book.bytes_out += len(reply.content)
        return reply

    def records(self, operation: str, element: str, content: str = "") -> Sequence[etree._Element]:
        """The records in the answer to a call."""
        return self.call(operation, content).elements(element)

    def close(self) -> None:
        """End the connection; the next call begins a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _exchange(self, content: bytes) -> Reply:
        if time.monotonic() - self._used_at > _IDLE_S_MAX:
            self.close()
        self._connection = self._connection or self._connect()
        self._connection.request(
            "POST", SERVICE, content, {"Content-Type": "text/xml; charset=utf-8"}
        )
        answer = self._connection.getresponse()
        reply = Reply(answer.status, dict(answer.getheaders()), answer.read())
        self._used_at = time.monotonic()
        return reply


def _judge(reply: Reply, expected: str) -> None:
    if reply.status != 200 or reply.fault is not None:
        raise WrongAnswer(f"HTTP {reply.status}: {reply.content[:300]!r}")
    result = reply.result or "ok"
    if result != expected:
        raise WrongAnswer(f"{result}: {reply.description[:300]}")
