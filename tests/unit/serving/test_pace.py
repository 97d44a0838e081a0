"""Sockets that wait for their client only as long as they should, on a clock that is real."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from ochp_chs.serving.pace import AnswerNotRead, ClientTooSlow, PacedSocket, Patience

PATIENCE = Patience(silence_s=0.2, message_s=0.6, bytes_per_s_min=100)


@pytest.fixture
def pair() -> Iterator[tuple[PacedSocket, socket.socket]]:
    accepted, client = socket.socketpair()
    paced = PacedSocket(accepted, PATIENCE)
    with paced, client:
        yield paced, client


def dripped(client: socket.socket, piece: bytes, every_s: float, times: int) -> threading.Thread:
    def drip() -> None:
        for _ in range(times):
            time.sleep(every_s)
            client.sendall(piece)

    thread = threading.Thread(target=drip)
    thread.start()
    return thread


def read_all(paced: PacedSocket) -> bytes:
    received = b""
    while data := paced.recv(1000):
        received += data
    return received


Pair = tuple[PacedSocket, socket.socket]


def test_silence(pair: Pair) -> None:
    paced, _ = pair
    paced.expect_message()
    began = time.monotonic()
    with pytest.raises(ClientTooSlow, match=r"nothing moved for 0\.2 seconds"):
        paced.recv(10)
    assert 0.2 <= time.monotonic() - began < 0.5


def test_steady_and_fast_enough(pair: Pair) -> None:
    paced, client = pair
    paced.expect_message()
    thread = dripped(client, b"x" * 20, 0.1, 4)
    assert len([paced.recv(20) for _ in range(4)]) == 4
    thread.join()


def test_steady_and_too_slow(pair: Pair) -> None:
    paced, client = pair
    paced.expect_message()
    thread = dripped(client, b"x", 0.05, 8)
    with pytest.raises(ClientTooSlow, match="slower than 100 bytes a second"):
        read_all(paced)
    thread.join()


def test_fast_enough_and_too_long_in_all(pair: Pair) -> None:
    paced, client = pair
    paced.expect_message()
    thread = dripped(client, b"x" * 100, 0.1, 8)
    with pytest.raises(ClientTooSlow, match=r"longer than 0\.6 seconds"):
        read_all(paced)
    thread.join()


def test_time_of_the_server_does_not_count(pair: Pair) -> None:
    paced, client = pair
    paced.expect_message()
    for _ in range(4):
        client.sendall(b"x")
        time.sleep(0.2)
        assert paced.recv(1) == b"x"


def test_header_ends_like_a_connection_that_was_closed(pair: Pair) -> None:
    paced, client = pair
    paced.expect_header()
    thread = dripped(client, b"x" * 100, 0.05, 6)
    assert len(read_all(paced)) < 600
    assert paced.header_overdue
    thread.join()
    paced.expect_header()
    assert not paced.header_overdue


def test_answer_that_nobody_reads(pair: Pair) -> None:
    paced, _ = pair
    paced.expect_message()
    with pytest.raises(AnswerNotRead, match=r"not read: nothing moved for 0\.2 seconds"):
        paced.sendall(bytes(10_000_000))


def test_answer_that_is_read_by_drops(pair: Pair) -> None:
    paced, client = pair
    paced.expect_message()
    stop = threading.Event()

    def sip() -> None:
        while not stop.wait(0.02):
            client.recv(70_000)

    thread = threading.Thread(target=sip)
    thread.start()
    began = time.monotonic()
    try:
        with pytest.raises(AnswerNotRead, match=r"longer than 0\.6 seconds"):
            paced.sendall(bytes(100_000_000))
    finally:
        stop.set()
        thread.join()
    assert time.monotonic() - began < 2


def test_large_answer_that_is_read(pair: Pair) -> None:
    paced, client = pair
    paced.expect_message()
    received = bytearray()

    def read() -> None:
        while data := client.recv(1 << 20):
            received.extend(data)

    thread = threading.Thread(target=read)
    thread.start()
    content = bytes(range(256)) * 40_000
    paced.sendall(content)
    paced.shutdown(socket.SHUT_WR)
    thread.join()
    assert received == content


def test_socket_like_any_other_in_between(pair: Pair) -> None:
    paced, client = pair
    paced.expect_message()
    paced.expect_nothing()
    paced.settimeout(0.3)
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        paced.recv(1)
    assert time.monotonic() - began >= 0.3
    paced.sendall(b"x")
    assert client.recv(1) == b"x"
