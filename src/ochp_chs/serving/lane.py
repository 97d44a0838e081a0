"""gunicorn's threaded worker with a short way for short requests.

gunicorn's own main thread waits for requests, hands each to a thread and takes the connection back:
for a small request, waking threads up costs more than answering it. Here one thread of the pool,
the leader, waits for requests and answers them on the spot, one after the other. As soon as one
takes long, another thread becomes the leader, so that nobody waits behind it.
"""

import contextlib
import gc
import os
import re
import select
import socket
import sys
import threading
import time
from functools import lru_cache
from typing import Any

import structlog
from gunicorn.http import wsgi
from gunicorn.util import http_date
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, ThreadWorker

log = structlog.get_logger(__name__)

#: A request that takes longer gets the other connections a new leader.
_LONG_S = 0.003
#: So long after the last request, nobody looks for long ones any more until the next.
_QUIET_S = 1.0
#: How often it is asked whether there are too few leaders, or too many.
_REVIEW_S = 0.1
#: Busy all the time with less than so much of a processor, leaders wait: the database is far away.
_WAITING_SHARE = 0.5
#: With more than so much of one there is little waiting: the rest is what other processes take, and
#: leaders that compete for it, and with each other for the interpreter, only make each other slow.
_WORKING_SHARE = 0.65
#: As good as all of the time, and hardly half of it.
_ALL, _HALF = 0.9, 0.5
_LEADERS_MAX = 8
#: A request is answered on the spot only if one read brings all of it.
_SHORT_BYTES = 1 << 16
#: A piece of a long message. The megabyte that gunicorn asks for would be mapped and given back for
#: each piece, for three times the cost of receiving it.
_RECEIVED_BYTES_MAX = 1 << 16
#: New objects after which it is looked for those that only hold each other.
_GC_THRESHOLD = 20_000
#: A thread that computes gives way to others after so long; the interpreter's own 5 ms are what a
#: short request, and the part of a long list that is being merged, would wait for each time.
_SWITCH_INTERVAL_S = 0.0005
#: How often a leader without requests looks whether it is still wanted.
_POLL_S = 1.0

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,9})[ \t]*\r\n", re.IGNORECASE)


class _Leader:
    """A thread's time as the leader."""

    __slots__ = ("busy_since",)

    def __init__(self) -> None:
        #: When the request began that it is answering; 0: it waits for one.
        self.busy_since = 0.0


class _Settled:
    """gunicorn's settings as plain attributes: each request asks for some twenty of them.

    In a worker they do not change any more.
    """

    def __init__(self, config: Any) -> None:
        self._config = config
        plain = [name for name in config.settings if not hasattr(type(config), name)]
        self.__dict__.update({name: getattr(config, name) for name in plain})

    def __getattr__(self, name: str) -> Any:
        return getattr(self._config, name)


class LaneWorker(ThreadWorker):  # type: ignore[misc]
    """A `ThreadWorker` whose threads wait for requests in turn, and not its main thread.

    The main thread still accepts connections, counts and closes them, and says that it lives. With
    all threads busy, nobody leads, and what comes waits, as it does with gunicorn's own.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: Connections without a request under way, by descriptor, in the order of their timeouts.
        #: Whoever takes one out of here (an atomic operation) has it for himself.
        self._waiting: dict[int, Any] = {}
        self._leading = threading.Lock()
        #: Whose turn it is: one, and more only where they mostly wait for the database.
        self._leaders: set[_Leader] = set()
        self._in_use = threading.Event()
        self._ended = False

    def init_process(self) -> None:
        """Start what belongs to this process."""
        self._ready = select.epoll()
        self._wake_up = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.cfg: Any = _Settled(self.cfg)
        self._ready.register(self._wake_up, select.EPOLLIN)
        super().init_process()

    def run(self) -> None:
        """Serve until the worker is to end."""
        # What was loaded stays: looking through it again and again would cost each request a bit.
        gc.collect()
        gc.freeze()
        # Rows on their way are many small objects, and none of them is garbage in a circle.
        gc.set_threshold(_GC_THRESHOLD)
        sys.setswitchinterval(_SWITCH_INTERVAL_S)
        self._appoint()
        threading.Thread(target=self._watch, name="lane-watch", daemon=True).start()
        try:
            super().run()
        finally:
            self._end()

    def enqueue_req(self, conn: Any) -> None:
        """Wait for what comes on a new connection."""
        conn.sock.setblocking(False)
        conn.data_ready = True
        self._wait_for(conn)

    def handle_request(self, req: Any, conn: Any) -> bool:
        """Answer a request whose header is complete; whether the connection stays open.

        As gunicorn's own, but a short answer leaves in one piece with its head.
        """
        response, environ = wsgi.create(
            req, conn.sock, conn.client, conn.server, self.cfg, response_class=_Response
        )
        environ["wsgi.multithread"] = True
        if not self.alive or len(self._waiting) >= self.max_keepalived:
            response.force_close()
        try:
            pieces = self.wsgi(environ, response.start_response)
            try:
                for piece in pieces:
                    response.write(piece)
                response.close()
            finally:
                if hasattr(pieces, "close"):
                    pieces.close()
        except OSError:
            raise
        except Exception:
            if not response.headers_sent:
                raise
            # The client must see that its answer is not whole.
            log.exception("answer cut off", address=conn.client[0])
            raise StopIteration from None
        return not response.should_close()

    def murder_keepalived(self, force: bool = False) -> None:
        """Close connections on which nothing came for long; called about every second."""
        now = time.monotonic()
        for descriptor, conn in list(self._waiting.items()):
            if conn.timeout > now and not force:
                break
            if self._waiting.pop(descriptor, None) is conn:
                self.nr_conns -= 1
                conn.close()

    def handle_quit(self, sig: int, frame: Any) -> None:
        """End at once (SIGINT, SIGQUIT)."""
        self._end()
        # Without gunicorn's own handler for threads: it shuts the pool down, under a lock that the
        # thread it has interrupted may hold (Ctrl-C reaches a worker from the terminal and again
        # from the master; a request may just be on its way to the pool). It would wait for ever.
        super(ThreadWorker, self).handle_quit(sig, frame)

    def _cap_keepalive(self, deadline: float) -> None:
        for conn in list(self._waiting.values()):
            conn.timeout = min(conn.timeout, deadline)

    def _end(self) -> None:
        # Without any lock: a signal may have interrupted whoever holds it.
        self._ended = True
        os.eventfd_write(self._wake_up, 1)

    def _appoint(self) -> None:
        """Have a thread lead as soon as there is one."""
        leader = _Leader()
        self._leaders.add(leader)
        # Without a thread, or at the very end of the process, there is nobody to lead.
        with contextlib.suppress(RuntimeError):
            self.tpool.submit(self._lead, leader)

    def _lead(self, leader: _Leader) -> None:
        while leader in self._leaders and not self._ended:
            try:
                # One at a time: what is taken here waits for this thread alone.
                for descriptor, _ in self._ready.poll(_POLL_S, 1):
                    conn = self._waiting.pop(descriptor, None)
                    if conn is not None:
                        self._serve(conn, leader)
            except Exception:
                log.exception("a connection failed")

    def _serve(self, conn: Any, leader: _Leader) -> None:
        leader.busy_since = time.monotonic()
        if not self._in_use.is_set():
            self._in_use.set()
        keep = False
        try:
            keep = self._answer(conn, leader)
        finally:
            leader.busy_since = 0.0
            if not keep:
                self.method_queue.defer(self._forget, conn)

    def _answer(self, conn: Any, leader: _Leader) -> bool:
        """Answer what came on a connection; False: it is to be closed."""
        try:
            data = conn.sock.recv(_SHORT_BYTES, socket.MSG_DONTWAIT)
        except BlockingIOError:
            data = None
        except OSError:
            return False
        if data == b"":
            return False
        if data is not None:
            conn.init()
            conn.parser.unreader.max_body_chunk = _RECEIVED_BYTES_MAX
            conn.parser.unreader.unread(data)
            if not _is_whole(data):
                # It may take as long as the client likes.
                self._step_down(leader)
            if not self.handle(conn):
                return False
            while conn.parser.unreader.buf.getvalue():
                # The next request has come with this one.
                self._step_down(leader)
                if not self.handle(conn):
                    return False
        self._wait_for(conn)
        return True

    def _wait_for(self, conn: Any) -> None:
        conn.set_timeout()
        if not self.alive:
            conn.timeout = min(conn.timeout, time.monotonic() + STOP_KEEPALIVE_LINGER)
        descriptor = conn.sock.fileno()
        self._waiting[descriptor] = conn
        interest = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLONESHOT
        try:
            self._ready.modify(descriptor, interest)
        except FileNotFoundError:
            self._ready.register(descriptor, interest)

    def _forget(self, conn: Any) -> None:
        self.nr_conns -= 1
        conn.close(graceful=True)

    def _step_down(self, leader: _Leader) -> None:
        """Let another thread lead, if this one still does."""
        with self._leading:
            if leader in self._leaders and not self._ended:
                self._leaders.remove(leader)
                self._appoint()

    def _watch(self) -> None:
        """Step down for leaders that take long, and see to it that there are enough."""
        while not self._ended:
            self._in_use.wait()
            used = time.monotonic()
            review = _Review()
            while not self._ended and (now := time.monotonic()) - used < _QUIET_S:
                time.sleep(_LONG_S)
                since = [leader.busy_since for leader in self._all_leaders()]
                if any(since):
                    used = now
                    self._replace_late(now)
                wanted = review.wanted(len(since), all_busy=all(since))
                if wanted != len(since):
                    self._set_number(wanted)
            self._in_use.clear()
            # Whoever began in this moment saw it as it was before.
            if any(leader.busy_since for leader in self._all_leaders()):
                self._in_use.set()

    def _all_leaders(self) -> list[_Leader]:
        with self._leading:
            return list(self._leaders)

    def _replace_late(self, now: float) -> None:
        for leader in self._all_leaders():
            if leader.busy_since and now - leader.busy_since > _LONG_S:
                self._step_down(leader)

    def _set_number(self, wanted: int) -> None:
        with self._leading:
            if len(self._leaders) > wanted:
                self._leaders.pop()
            elif not self._ended:
                self._appoint()


class _Review:
    """From time to time, whether there should be one leader more, or one less."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._began, self._cpu = time.monotonic(), time.process_time()
        self._looks = self._busy = 0

    def wanted(self, leaders: int, *, all_busy: bool) -> int:
        """How many leaders there should be, asked at short intervals."""
        self._looks += 1
        self._busy += all_busy
        elapsed = time.monotonic() - self._began
        if elapsed < _REVIEW_S:
            return leaders
        cpu_share = (time.process_time() - self._cpu) / elapsed
        busy_share = self._busy / self._looks
        self._begin()
        if busy_share > _ALL and cpu_share < _WAITING_SHARE:
            return min(leaders + 1, _LEADERS_MAX)
        is_one_too_many = leaders > 1 and (busy_share < _HALF or cpu_share > _WORKING_SHARE)
        return leaders - 1 if is_one_too_many else leaders


def _is_whole(data: bytes) -> bool:
    """Whether all of a request has come; only a hint: the HTTP parser decides."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return False
    length = _LENGTH.search(data, 0, end + 2)
    if length is None:
        return data.startswith((b"GET ", b"HEAD "))
    return len(data) >= end + 4 + int(length[1])


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return str(http_date(second))


class _Response(wsgi.Response):  # type: ignore[misc]
    """An answer whose head waits for the first bytes of its body, to be sent with them."""

    def __init__(self, req: Any, sock: Any, cfg: Any) -> None:
        super().__init__(req, sock, cfg)
        self._head = b""

    def default_headers(self) -> list[str]:
        """What every answer begins with."""
        connection = "close" if self.should_close() else "keep-alive"
        major, minor = self.req.version
        chunked = "Transfer-Encoding: chunked\r\n" if self.chunked else ""
        return [
            f"HTTP/{major}.{minor} {self.status}\r\n",
            f"Server: {self.version}\r\n",
            f"Date: {_date(int(time.time()))}\r\n",
            f"Connection: {connection}\r\n",
            chunked,
        ]

    def send_headers(self) -> None:
        """Make the head ready."""
        if not self.headers_sent and not self._head:
            lines = [*self.default_headers(), *(f"{k}: {v}\r\n" for k, v in self.headers), "\r\n"]
            self._head = "".join(lines).encode("latin-1")

    def close(self) -> None:
        """Send what has to be sent at the end."""
        self.send_headers()
        if self.chunked:
            self._emit(b"0\r\n\r\n")
        elif self._head:
            self._emit(b"")

    def _emit_body(self, data: bytes) -> None:
        self._emit(b"%X\r\n%s\r\n" % (len(data), data) if self.chunked else data)

    def _emit(self, data: bytes) -> None:
        head, self._head = self._head, b""
        self.headers_sent = True
        self.sock.sendall(head + data)
