"""A pooler in transaction mode, as small as one can be: two sessions, taken in turn.

Each transaction of a client's goes to the other session than the one before, so that whatever
relies on a session of its own fails at the second step. Like PgBouncer, it gives clients a process
number that is none of the server's. For the simple protocol, which is all that psycopg2 speaks.
"""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

_ENCRYPTION_REQUESTS = (80877103, 80877104)
_KEY_DATA, _READY, _TERMINATE = b"K", b"Z", b"X"
_NOT_IN_TRANSACTION = b"I"
_HEADER_BYTES = 5


@contextmanager
def pooler(url: str) -> Iterator[str]:
    """A pooler before the database at `url` (on a Unix socket, trusting); its own URL."""
    parts = sa.make_url(url)
    server = f"{parts.query['host']}/.s.PGSQL.{parts.query['port']}"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, server), daemon=True).start()
        port = listener.getsockname()[1]
        yield parts.set(host="127.0.0.1", port=port, query={}).render_as_string(False)
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, server: str) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(client, server), daemon=True).start()


def _serve(client: socket.socket, server: str) -> None:
    startup = _startup(client)
    sessions = [socket.socket(socket.AF_UNIX) for _ in range(2)]
    for session in sessions:
        session.connect(server)
        session.sendall(startup)
        greeting = b"".join(
            struct.pack("!cIII", _KEY_DATA, 12, 0x7FFFFFF0, 1)
            if message[:1] == _KEY_DATA
            else message
            for message in _until_ready(session)
        )
    client.sendall(greeting)
    while (message := _message(client)) and message[:1] != _TERMINATE:
        sessions[0].sendall(message)
        answer = list(_until_ready(sessions[0]))
        if answer[-1][-1:] == _NOT_IN_TRANSACTION:
            sessions.reverse()
        client.sendall(b"".join(answer))
    for each in (client, *sessions):
        each.close()


def _startup(client: socket.socket) -> bytes:
    while True:
        length = _exactly(client, 4)
        rest = _exactly(client, struct.unpack("!I", length)[0] - 4)
        if struct.unpack("!I", rest[:4])[0] not in _ENCRYPTION_REQUESTS:
            return length + rest
        client.sendall(b"N")


def _until_ready(session: socket.socket) -> Iterator[bytes]:
    while True:
        message = _message(session)
        yield message
        if message[:1] in (_READY, b""):
            return


def _message(peer: socket.socket) -> bytes:
    header = _exactly(peer, _HEADER_BYTES)
    if not header:
        return b""
    return header + _exactly(peer, struct.unpack("!I", header[1:])[0] - 4)


def _exactly(peer: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = peer.recv(size - len(data))
        if not piece:
            return b""
        data += piece
    return data
