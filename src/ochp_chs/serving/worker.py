"""gunicorn's threaded worker, with a bound on how long a client may take over the HTTP header."""

import contextlib
import socket
import time
from typing import Any

from gunicorn.workers.gthread import ThreadWorker


class BoundedThreadWorker(ThreadWorker):  # type: ignore[misc]
    """One thread reads one request; a client that never ends its header must not keep it.

    gunicorn itself waits for the rest of a header without any limit; here, all of it has to come
    within the read timeout. From the body on, the same is the socket's own timeout.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._header_began: dict[Any, float] = {}

    def handle(self, conn: Any) -> Any:
        """Serve one request of a connection (in a thread of the pool)."""
        self._header_began[conn] = time.monotonic()
        try:
            return super().handle(conn)
        finally:
            self._header_began.pop(conn, None)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer a request whose header is complete."""
        self._header_began.pop(conn, None)
        conn.sock.settimeout(self.app.read_timeout_s)
        return super().handle_request(req, conn)

    def handle_quit(self, sig: int, frame: Any) -> None:
        """End at once (SIGINT, SIGQUIT)."""
        # Without gunicorn's own handler for threads: it shuts the pool down, under a lock that the
        # thread it has interrupted may hold (Ctrl-C reaches a worker from the terminal and again
        # from the master; a request may just be on its way to the pool). It would wait for ever.
        super(ThreadWorker, self).handle_quit(sig, frame)

    def murder_pending(self) -> None:
        """Close connections that wait too long; gunicorn calls this about every second."""
        super().murder_pending()
        limit = time.monotonic() - self.app.read_timeout_s
        for conn, began in list(self._header_began.items()):
            if began < limit:
                # Wakes up the thread that reads from it, which then closes it.
                with contextlib.suppress(OSError):
                    conn.sock.shutdown(socket.SHUT_RDWR)
