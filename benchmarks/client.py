"""HTTP clients that cost little: they run on the same processors as what they measure."""

import itertools
import select
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

_PATH = "/service/ochp/v1.4"

_PATIENCE_S = 120


class HttpError(Exception):
    """An answer that is none, or not the expected one."""


def request_bytes(content: bytes, *, keep_alive: bool = True) -> bytes:
    """A whole HTTP request."""
    head = (
        f"POST {_PATH} HTTP/1.1\r\nHost: bench\r\nContent-Type: text/xml; charset=utf-8\r\n"
        f"Content-Length: {len(content)}\r\n{'' if keep_alive else 'Connection: close'}"
    ).rstrip("\r\n")
    return head.encode() + b"\r\n\r\n" + content


def connect(address: str) -> socket.socket:
    """A connection; answers take a minute at most to begin."""
    parts = urlsplit(address)
    connection = socket.create_connection((parts.hostname, parts.port), timeout=_PATIENCE_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def exchange(connection: socket.socket, request: bytes) -> bytes:
    """Send one request on a kept connection; the whole answer."""
    connection.sendall(request)
    return receive(connection)


def receive(connection: socket.socket) -> bytes:
    """One answer, with a length or in chunks."""
    data = connection.recv(1 << 16)
    while (end := data.find(b"\r\n\r\n")) < 0:
        data += _more(connection)
    head = data[:end].lower()
    place = head.find(b"content-length:")
    if place >= 0:
        length = int(head[place + 15 :].split(b"\r\n", 1)[0])
        while len(data) < end + 4 + length:
            data += _more(connection)
    else:
        while not data.endswith(b"0\r\n\r\n"):
            data += _more(connection)
    return data


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(1 << 16)
    if not data:
        raise HttpError("the connection was closed in the middle of an answer")
    return data


def download(address: str, content: bytes) -> int:
    """Fetch a large answer and throw it away; its length."""
    connection = connect(address)
    try:
        connection.sendall(request_bytes(content, keep_alive=False))
        buffer = bytearray(1 << 20)
        total = 0
        tail = b""
        while size := connection.recv_into(buffer):
            total += size
            tail = (tail + bytes(buffer[max(0, size - 200) : size]))[-200:]
    finally:
        connection.close()
    if b"Envelope>" not in tail:
        raise HttpError(f"the answer does not end as it should: {tail!r}")
    return total


def upload(address: str, content: bytes) -> None:
    """Send a large message; the answer must be `ok`."""
    connection = connect(address)
    try:
        answer = exchange(connection, request_bytes(content))
    finally:
        connection.close()
    expect_ok(answer)


def expect_ok(answer: bytes) -> None:
    """Raise unless an answer's result is ok."""
    if b">ok</" not in answer:
        raise HttpError(answer[-1000:].decode(errors="replace"))


@dataclass(frozen=True, slots=True)
class Load:
    """Requests per second over several kept connections."""

    per_second: float
    requests: int


def load(address: str, requests: Sequence[bytes], seconds: float, connections: int = 8) -> Load:
    """Keep as many requests on their way as there are connections; all answers must be `ok`.

    One thread, which sends the next request on whatever connection was answered: a worker that got
    few of the connections does not wait for one that got many.
    """
    sockets = {each.fileno(): each for each in (connect(address) for _ in range(connections))}
    coming = itertools.cycle(requests)
    answered = 0
    with select.epoll() as answers:
        try:
            for number, each in sockets.items():
                answers.register(number, select.EPOLLIN)
                each.sendall(next(coming))
            began = time.perf_counter()
            until = began + seconds
            while (now := time.perf_counter()) < until:
                for number, _ in answers.poll(_PATIENCE_S):
                    expect_ok(receive(sockets[number]))
                    answered += 1
                    sockets[number].sendall(next(coming))
            # What comes after the time does not count, but must not be under way in the next run.
            for each in sockets.values():
                expect_ok(receive(each))
        finally:
            for each in sockets.values():
                each.close()
    return Load(answered / (now - began), answered)
