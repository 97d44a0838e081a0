"""Clients that take their time: each is let go of in time, and none keeps a transaction open."""

import contextlib
import re
import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.acceptance.harness import SERVICE, Server, message, streamed
from tests.attacks.conftest import READ_TIMEOUT_S, TRANSFER_TIMEOUT_S
from tests.attacks.corpus import all_from, assert_alive, tokens
from tests.support.tokens import token_xml

#: Beside a limit itself: what a busy machine may take longer.
MARGIN_S = 3.0

LONG = tokens("".join(token_xml(f"04{n:08X}") for n in range(600))).encode()

#: What the database is doing for the server, other than answering this question.
_OPEN = (
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'ochp-chs'"
    " AND pid <> pg_backend_pid() AND state <> 'idle'"
)


def head(length: int | None, *headers: str) -> bytes:
    size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    lines = [f"POST {SERVICE} HTTP/1.1", "Host: x", "Content-Type: text/xml", size, *headers]
    return "\r\n".join([*lines, "", ""]).encode()


@contextlib.contextmanager
def dripping(connection: socket.socket, piece: bytes, every_s: float) -> Iterator[None]:
    """Send something small again and again while the block runs."""
    stop = threading.Event()

    def drip() -> None:
        with contextlib.suppress(OSError):
            while not stop.wait(every_s):
                connection.sendall(piece)

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def open_transactions(server: Server) -> int:
    with server.database() as database, database.begin() as connection:
        return int(connection.exec_driver_sql(_OPEN).scalar_one())


def most_open_transactions(server: Server, seconds: float) -> int:
    """The most that are open at any one time, looked at again and again."""
    with server.database() as database:
        most = 0
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            with database.begin() as connection:
                most = max(most, int(connection.exec_driver_sql(_OPEN).scalar_one()))
            time.sleep(0.05)
        return most


SENDERS = {
    "silent in the header": (
        (b"POST / HT", b"", 9, READ_TIMEOUT_S),
        b"HTTP/1.1 408 .*header of the request was not complete",
    ),
    "dripping a header": (
        (b"POST / HTTP/1.1\r\n", b"X-A: b\r\n", 0.2, READ_TIMEOUT_S),
        b"HTTP/1.1 408 ",
    ),
    "silent in the body": (
        (head(len(LONG)) + LONG[:-100], b"", 9, READ_TIMEOUT_S),
        b"HTTP/1.1 408 .*nothing moved for 1 seconds",
    ),
    "dripping a body": (
        (head(len(LONG)) + LONG[:1000], b" ", 0.2, TRANSFER_TIMEOUT_S),
        b"slower than 2000 bytes a second",
    ),
    "dripping a long body behind most of it": (
        (head(len(LONG)) + LONG[:-100], b" ", 0.4, TRANSFER_TIMEOUT_S),
        b"(longer than 2 seconds|slower than 2000)",
    ),
    "dripping chunks": (
        (head(None) + b"5\r\n<a:b \r\n", b"1\r\n \r\n", 0.2, TRANSFER_TIMEOUT_S),
        b"slower than 2000 bytes a second",
    ),
    "dripping the size of a chunk": (
        (head(None), b"0", 0.2, TRANSFER_TIMEOUT_S),
        b"slower than 2000 bytes a second",
    ),
    "dripping a packed body": (
        (head(10_000, "Content-Encoding: gzip") + b"\x1f\x8b\x08", b"\0", 0.2, TRANSFER_TIMEOUT_S),
        b"(slower than 2000 bytes a second|gzip)",
    ),
}


@pytest.mark.parametrize(("sent", "expects"), SENDERS.values(), ids=SENDERS)
def test_slow_sender(
    server: Server, sent: tuple[bytes, bytes, float, float], expects: bytes
) -> None:
    first, piece, every_s, limit_s = sent
    began = time.monotonic()
    with server.socket(timeout_s=30) as connection:
        connection.sendall(first)
        with dripping(connection, piece, every_s) if piece else contextlib.nullcontext():
            received = all_from(connection)
    assert time.monotonic() - began < limit_s + MARGIN_S
    assert re.search(expects, received, re.DOTALL), received
    assert_alive(server)


def test_slow_sender_keeps_no_transaction_open(server: Server) -> None:
    with server.socket(timeout_s=30) as connection:
        # The operation, the credentials and hundreds of records are known by now.
        connection.sendall(head(len(LONG)) + LONG[:-100])
        with dripping(connection, b" ", 0.4):
            assert most_open_transactions(server, 1.5) == 0
            all_from(connection)


def test_more_slow_senders_than_threads_hold_others_up_only_for_so_long(server: Server) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(server.threads + 4):
            connection = stack.enter_context(server.socket())
            connection.sendall(head(len(LONG)) + LONG[:1000])
        began = time.monotonic()
        assert server.call("all", "GetRoamingAuthorisationList").result == "ok"
        assert time.monotonic() - began < 2 * READ_TIMEOUT_S + MARGIN_S


LISTED = 8_000


@pytest.fixture(scope="module")
def long_list(server: Server) -> None:
    wide = "𝔘" * 150
    for part in range(2):
        records = (
            token_xml(f"05{n:08X}", contract_id="NL-EMP-C00000001", printed_number=wide)
            for n in range(part * LISTED // 2, (part + 1) * LISTED // 2)
        )
        content = b"".join(streamed("other", "UpdateRoamingAuthorisationList", records))
        assert server.post(content).result == "ok"


@pytest.mark.usefixtures("long_list")
class TestSlowReader:
    """A list of some megabytes that somebody asks for and does not take."""

    @staticmethod
    @contextlib.contextmanager
    def asking(server: Server) -> Iterator[socket.socket]:
        """A connection on which the list has begun to come, with little room for it."""
        asked = message("all", "GetRoamingAuthorisationList")
        with socket.socket() as connection:
            connection.settimeout(30)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
            address = urlsplit(server.address)
            connection.connect((address.hostname, address.port))
            connection.sendall(head(len(asked)) + asked)
            assert connection.recv(100).startswith(b"HTTP/1.1 200 ")
            yield connection

    def test_who_reads_nothing(self, server: Server) -> None:
        with self.asking(server):
            assert open_transactions(server) == 1
            time.sleep(READ_TIMEOUT_S + 1)
            assert open_transactions(server) == 0
        assert "the answer was not read: nothing moved for 1 seconds" in server.log

    def test_who_reads_a_little_now_and_then(self, server: Server) -> None:
        began = time.monotonic()
        received = b""
        with self.asking(server) as connection:
            while open_transactions(server):
                assert time.monotonic() - began < TRANSFER_TIMEOUT_S + MARGIN_S
                received += connection.recv(300)
                time.sleep(0.3)
            received += all_from(connection)
        # What did arrive does not look whole.
        assert not received.endswith(b"0\r\n\r\n")
        assert b"</soap:Envelope>" not in received

    def test_who_reads_steadily_gets_all_of_it(self, server: Server) -> None:
        with self.asking(server) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            received = all_from(connection)
        assert b"</soap:Envelope>" in received
        assert received.count(b"<roamingAuthorisationInfoArray>") >= LISTED
