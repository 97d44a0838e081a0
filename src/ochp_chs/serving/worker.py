"""gunicorn's threaded worker, with bounds on what a client and a process may take."""

import contextlib
import time
from typing import Any

import structlog

from ochp_chs.serving.lane import LaneWorker
from ochp_chs.serving.memory import resident_bytes
from ochp_chs.serving.pace import AnswerNotRead, PacedSocket
from ochp_chs.serving.shares import HEAD_START_S

log = structlog.get_logger(__name__)

_TOO_SLOW = (
    b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Type: text/plain\r\n"
    b"Content-Length: 50\r\n\r\nThe header of the request was not complete in time"
)

#: What is still read of a message that was answered already: so much, for so long.
_LEFT_OVER_BYTES_MAX = 16 << 20
_LEFT_OVER_S_MAX = 5.0


class BoundedThreadWorker(LaneWorker):
    """One thread reads one request; a client that is slow without end must not keep it.

    gunicorn itself waits for the rest of a header, of a body and for the reader of an answer
    without any limit on the whole.
    """

    alive: bool
    nr_conns: int
    age: int

    def accept(self, listener: Any) -> None:
        """Take a new connection, unless a worker that has fewer is about to."""
        counts = self.app.connection_counts
        counts.set(self.age, self.nr_conns)
        if counts.is_ahead(self.age):
            time.sleep(HEAD_START_S)
        super().accept(listener)
        counts.set(self.age, self.nr_conns)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Begin or cease to take new connections."""
        super().set_accept_enabled(enabled)
        if enabled:
            self.app.connection_counts.set(self.age, self.nr_conns)
        else:
            self.app.connection_counts.forget(self.age)

    def _forget(self, conn: Any) -> None:
        super()._forget(conn)
        if self._accepting:
            self.app.connection_counts.set(self.age, self.nr_conns)

    def murder_keepalived(self, force: bool = False) -> None:
        """Close connections on which nothing came for long; called about every second."""
        super().murder_keepalived(force)
        if self._accepting:
            self.app.connection_counts.set(self.age, self.nr_conns)

    def enqueue_req(self, conn: Any) -> None:
        """Hand a connection on which something came to the threads."""
        if not isinstance(conn.sock, PacedSocket):
            conn.sock = PacedSocket(conn.sock, self.app.patience)
        super().enqueue_req(conn)

    def handle(self, conn: Any) -> Any:
        """Serve one request of a connection (in a thread of the pool)."""
        conn.sock.expect_header()
        try:
            result = super().handle(conn)
        finally:
            conn.sock.expect_nothing()
        if conn.sock.header_overdue:
            with contextlib.suppress(OSError):
                conn.sock.setblocking(False)
                conn.sock.send(_TOO_SLOW)
        return result

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer a request whose header is complete."""
        conn.sock.expect_message()
        try:
            return super().handle_request(req, conn)
        except AnswerNotRead as error:
            log.warning("answer cut off", address=conn.client[0], reason=error.strerror)
            raise
        finally:
            conn.sock.expect_nothing()

    def is_parent_alive(self) -> bool:
        """Whether the master lives; without it this worker gives up the address and leaves."""
        if super().is_parent_alive():
            return True
        # gunicorn alone would keep the address until the last connection is closed, and go on
        # answering on those that are kept alive: for so long, nobody could start the server again.
        self.alive = False
        self.set_accept_enabled(False)
        for listener in self.sockets:
            listener.close()
        return False

    def _keepalive_after(self, conn: Any, keepalive: bool) -> bool:
        """Whether the connection can be used again; what is left of a message is taken in first."""
        # An answer may be ready before the message is read: nobody logged in, or the database is
        # gone. gunicorn would close on whoever still sends more than 64 KiB, and the reset takes
        # the answer away from under a client that has not yet read it.
        deadline = time.monotonic() + _LEFT_OVER_S_MAX
        is_read = conn.parser.finish_body(deadline=deadline, max_bytes=_LEFT_OVER_BYTES_MAX)
        return keepalive and bool(is_read)

    def murder_pending(self) -> None:
        """Close connections that wait too long; gunicorn calls this about every second."""
        super().murder_pending()
        self._leave_if_too_large()

    def _leave_if_too_large(self) -> None:
        """Take no more requests where the process has grown too large; a new one replaces it."""
        most = self.app.settings.worker_memory_max_bytes
        if not self.alive or resident_bytes() <= most:
            return
        # As after SIGTERM: requests under way are completed. Not a limit of the system's: an
        # allocation that fails in the middle of a request can end in any state, or in none.
        log.warning(
            "worker is replaced: too much memory", resident=resident_bytes(), worker_memory_max=most
        )
        self.alive = False
