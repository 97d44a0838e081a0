"""HTTP clients that cost little: they run on the same processors as what they measure."""

import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

_PATH = "/service/ochp/v1.4"


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
    connection = socket.create_connection((parts.hostname, parts.port), timeout=120)
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

    One thread: the answers are fetched in turn, which costs the least.
    """
    sockets = [connect(address) for _ in range(connections)]
    try:
        expect_ok(exchange(sockets[0], requests[0]))
        sent = answered = 0
        for each in sockets:
            each.sendall(requests[sent % len(requests)])
            sent += 1
        began = time.perf_counter()
        until = began + seconds
        while time.perf_counter() < until:
            for each in sockets:
                answer = receive(each)
                if b">ok</" not in answer:
                    raise HttpError(answer[-1000:].decode(errors="replace"))
                answered += 1
                each.sendall(requests[sent % len(requests)])
                sent += 1
        elapsed = time.perf_counter() - began
    finally:
        for each in sockets:
            each.close()
    return Load(answered / elapsed, answered)
