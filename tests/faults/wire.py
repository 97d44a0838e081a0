"""A TCP proxy that passes everything on, until it is told not to: a network that fails."""

import contextlib
import select
import socket
import struct
import threading
from enum import Enum
from pathlib import Path
from typing import Self

_PIECE = 1 << 16
_POLL_S = 0.05
#: Close by a reset, at once.
_ABORT = struct.pack("ii", 1, 0)

Target = tuple[str, int] | Path


class Passing(Enum):
    """What happens to bytes and to new connections."""

    ALL = "all"
    #: Connections are taken, and not a byte passes either way.
    NOTHING = "nothing"
    #: New connections are reset.
    REFUSED = "refused"


class Wire:
    """Listens on a port of its own and leads to a target: an address, or a Unix socket."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.passing = Passing.ALL
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._thread.join()
        self._listener.close()
        self.cut()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._pairs)

    def cut(self) -> None:
        """Reset all connections."""
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            for each in pair:
                _reset(each)

    def half_close(self) -> None:
        """Tell the clients of all connections that nothing more comes; they may still send."""
        with self._lock:
            for client, _ in self._pairs:
                with contextlib.suppress(OSError):
                    client.shutdown(socket.SHUT_WR)

    def go_down(self) -> None:
        """As a proxy that ends: all connections are reset, and new ones refused."""
        self.passing = Passing.REFUSED
        self.cut()

    def _accept(self) -> None:
        while not self._closed.is_set():
            if not _has_something(self._listener):
                continue
            client, _ = self._listener.accept()
            try:
                if self.passing is Passing.REFUSED:
                    raise ConnectionRefusedError
                server = self._connected()
            except OSError:
                _reset(client)
                continue
            pair = client, server
            with self._lock:
                self._pairs.add(pair)
            threading.Thread(target=self._serve, args=(pair,), daemon=True).start()

    def _connected(self) -> socket.socket:
        if not isinstance(self.target, Path):
            server = socket.create_connection(self.target, timeout=5)
            server.settimeout(None)
            return server
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(str(self.target))
        except OSError:
            server.close()
            raise
        return server

    def _serve(self, pair: tuple[socket.socket, socket.socket]) -> None:
        """Pass on in both directions until both have ended."""
        client, server = pair
        back = threading.Thread(target=self._pump, args=(server, client), daemon=True)
        back.start()
        self._pump(client, server)
        back.join()
        with self._lock:
            self._pairs.discard(pair)
        for each in pair:
            each.close()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while not self._closed.is_set():
                if self.passing is Passing.NOTHING:
                    self._closed.wait(_POLL_S)
                elif _has_something(source) and self.passing is not Passing.NOTHING:
                    data = source.recv(_PIECE)
                    if not data:
                        sink.shutdown(socket.SHUT_WR)
                        return
                    sink.sendall(data)
        except (OSError, ValueError):
            # Reset, or closed by `cut`.
            for each in (source, sink):
                _reset(each)


def _has_something(connection: socket.socket) -> bool:
    """Whether something can be read or accepted, or comes in a moment."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(_POLL_S * 1000))


def _reset(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
    connection.close()
