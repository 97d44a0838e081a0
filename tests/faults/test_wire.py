"""The network that fails fails as it should, and only then."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from tests.faults.wire import Passing, Wire


@pytest.fixture
def wire() -> Iterator[Wire]:
    """Leads to an echo."""
    listener = socket.create_server(("127.0.0.1", 0))

    def echo(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            while data := connection.recv(100):
                connection.sendall(data)

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=echo, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    with Wire(listener.getsockname()[:2]) as wire:
        yield wire
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def connect(wire: Wire) -> socket.socket:
    return socket.create_connection(("127.0.0.1", wire.port), timeout=5)


def echoed(connection: socket.socket) -> bytes:
    connection.sendall(b"hello")
    return connection.recv(100)


def test_passes_on(wire: Wire) -> None:
    with connect(wire) as one, connect(wire) as two:
        assert (echoed(one), echoed(two)) == (b"hello", b"hello")


def test_cut(wire: Wire) -> None:
    with connect(wire) as connection:
        assert echoed(connection) == b"hello"
        wire.cut()
        with pytest.raises(ConnectionResetError):
            connection.recv(100)
    with connect(wire) as connection:
        assert echoed(connection) == b"hello"


def test_nothing_passes(wire: Wire) -> None:
    with connect(wire) as connection:
        assert echoed(connection) == b"hello"
        wire.passing = Passing.NOTHING
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            echoed(connection)
        wire.passing = Passing.ALL
        connection.settimeout(5)
        assert connection.recv(100) == b"hello"


def test_half_closed(wire: Wire) -> None:
    with connect(wire) as connection:
        assert echoed(connection) == b"hello"
        wire.half_close()
        assert connection.recv(100) == b""


def test_down(wire: Wire) -> None:
    wire.go_down()
    with pytest.raises(ConnectionResetError), connect(wire) as connection:
        echoed(connection)
