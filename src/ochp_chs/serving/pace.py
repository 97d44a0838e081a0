"""How long a client may take: a socket on which waiting for the other side is counted.

A timeout of a socket bounds one silence, not the sum of them: who sends a byte every few seconds
could keep a thread, and whatever it holds, for ever. Only waiting counts, not the server's own work
between two reads, so that nobody pays for a slow database.
"""

import errno
import socket
import time
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Patience:
    """How long clients are waited for, in seconds, and bytes a second."""

    #: Until anything moves again; and for the whole of an HTTP header.
    silence_s: float
    #: In sum, over a whole message or a whole answer.
    message_s: float
    #: On average, once `silence_s` has been waited in sum.
    bytes_per_s_min: float


class ClientTooSlow(TimeoutError):
    """The message did not come in time; the text says which limit was met."""


class AnswerNotRead(ConnectionResetError):
    """The client does not read its answer in time; the text says which limit was met."""


class _Waiting:
    """What was waited for in one direction of one message."""

    __slots__ = ("_moved", "_patience", "_waited_s", "_whole_s")

    def __init__(self, patience: Patience, whole_s: float, *, paced: bool) -> None:
        self._patience = patience
        self._whole_s = whole_s
        self._moved = 0 if paced else None
        self._waited_s = 0.0

    def next_s(self) -> float:
        """How long may be waited now; nothing is left: 0."""
        left = self._whole_s - self._waited_s
        if self._moved is not None:
            owed = self._moved / self._patience.bytes_per_s_min
            left = min(left, self._patience.silence_s + owed - self._waited_s)
        return max(0.0, min(self._patience.silence_s, left))

    def moved(self, size: int, waited_s: float) -> None:
        self._waited_s += waited_s
        if self._moved is not None:
            self._moved += size

    def limit_met(self, allowed_s: float) -> str:
        """Which limit it was that ended a wait of `allowed_s`."""
        if allowed_s >= self._patience.silence_s:
            return f"nothing moved for {self._patience.silence_s:g} seconds"
        if self._waited_s + allowed_s >= self._whole_s:
            return f"it took longer than {self._whole_s:g} seconds"
        return f"it was slower than {self._patience.bytes_per_s_min:g} bytes a second"


class PacedSocket(socket.socket):
    """An accepted connection that waits for its client only as long as it should.

    Out of `expect_header` and `expect_message` it is a socket like any other.
    """

    __slots__ = ("_in", "_out", "_patience", "header_overdue")

    def __init__(self, accepted: socket.socket, patience: Patience) -> None:
        super().__init__(fileno=accepted.detach())
        self._patience = patience
        self._in: _Waiting | None = None
        self._out: _Waiting | None = None
        #: Part of a header came, and not the rest of it in time.
        self.header_overdue = False

    def expect_header(self) -> None:
        """All of the next request's header has to come within one silence."""
        self._in = _Waiting(self._patience, self._patience.silence_s, paced=False)
        self._out = None
        self.header_overdue = False

    def expect_message(self) -> None:
        """From here on: the request's body, and its answer."""
        self._in = _Waiting(self._patience, self._patience.message_s, paced=True)
        self._out = _Waiting(self._patience, self._patience.message_s, paced=True)

    def expect_nothing(self) -> None:
        """The request is over."""
        self._in = self._out = None

    def recv(self, *args: Any) -> bytes:
        """Receive; `ClientTooSlow` in a message, the end of the connection in a header."""
        waiting = self._in
        if waiting is None:
            return super().recv(*args)
        allowed_s = waiting.next_s()
        began = time.monotonic()
        try:
            data: bytes = self._within(allowed_s, super().recv, *args)
        except TimeoutError:
            if self._out is None:
                self.header_overdue = True
                return b""
            raise ClientTooSlow(waiting.limit_met(allowed_s)) from None
        waiting.moved(len(data), time.monotonic() - began)
        return data

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send all of it; `AnswerNotRead` if the client does not take it."""
        waiting = self._out
        if waiting is None:
            super().sendall(data, flags)
            return
        with memoryview(data) as view, view.cast("B") as rest:
            sent = 0
            while sent < len(rest):
                sent += self._sent(waiting, rest[sent:], flags)

    def _sent(self, waiting: _Waiting, data: memoryview, flags: int) -> int:
        allowed_s = waiting.next_s()
        began = time.monotonic()
        try:
            size: int = self._within(allowed_s, super().send, data, flags)
        except TimeoutError:
            reason = f"the answer was not read: {waiting.limit_met(allowed_s)}"
            raise AnswerNotRead(errno.ECONNRESET, reason) from None
        waiting.moved(size, time.monotonic() - began)
        return size

    def _within(self, seconds: float, move: Any, *args: Any) -> Any:
        if seconds <= 0:
            raise TimeoutError
        if self.gettimeout() != seconds:
            self.settimeout(seconds)
        return move(*args)
