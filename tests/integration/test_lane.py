import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

_CHECKOUT = Path(__file__).parents[2]
_KEEP_ALIVE_S = 1
_THREADS = 3


@pytest.fixture(scope="module")
def worker():
    """The port of one worker with three threads, and its master's process."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    options = ["--workers=1", f"--threads={_THREADS}", f"--keep-alive={_KEEP_ALIVE_S}"]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", f"--bind=127.0.0.1:{port}", "--log-level=critical"),
            *("--worker-class=ochp_chs.serving.lane.LaneWorker", *options),
            *("--no-control-socket", "tests.support.lane_app:app"),
        ],
        cwd=_CHECKOUT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if ask(port, b"x").endswith(b"x"):
                break
        except OSError:
            time.sleep(0.05)
    yield port
    process.terminate()
    assert process.wait(30) == 0


def request(body=b"", path="/"):
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def connect(port):
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def answer(connection):
    """One whole answer, with a length, in chunks or up to the end of the connection."""
    data = b""
    while piece := connection.recv(1 << 16):
        data += piece
        head, found, rest = data.partition(b"\r\n\r\n")
        if not found:
            continue
        if b"Content-Length: " in head:
            length = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
            if len(rest) >= length:
                return data
        elif b"chunked" in head and rest.endswith(b"0\r\n\r\n"):
            return data
    return data


def ask(port, body=b"", path="/"):
    with connect(port) as connection:
        connection.sendall(request(body, path))
        return answer(connection)


class TestOneConnection:
    def test_is_used_again_and_again(self, worker):
        with connect(worker) as connection:
            for number in range(50):
                connection.sendall(request(str(number).encode()))
                assert answer(connection).endswith(f"\r\n\r\n{number}".encode())

    def test_requests_sent_together_are_answered_in_order(self, worker):
        with connect(worker) as connection:
            connection.sendall(request(b"first") + request(b"second") + request(b"third"))
            data = b""
            while b"third" not in data:
                data += connection.recv(1 << 16)

        assert [data.find(body) > 0 for body in (b"first", b"second", b"third")] == [True] * 3
        assert data.find(b"first") < data.find(b"second") < data.find(b"third")

    @pytest.mark.parametrize("cut", [1, 30, 60, 70])
    def test_request_in_two_pieces_is_one(self, worker, cut):
        whole = request(b"the whole body")
        with connect(worker) as connection:
            connection.sendall(whole[:cut])
            time.sleep(0.05)
            connection.sendall(whole[cut:])

            assert answer(connection).endswith(b"the whole body")

    def test_long_body_is_read_to_its_end(self, worker):
        body = os.urandom(1 << 20)

        assert ask(worker, body).endswith(body)

    def test_body_in_chunks_is_read(self, worker):
        head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        with connect(worker) as connection:
            connection.sendall(head + b"5\r\nabcde\r\n3\r\nfgh\r\n0\r\n\r\n")

            assert answer(connection).endswith(b"abcdefgh")

    def test_answer_of_unknown_length_comes_in_chunks(self, worker):
        assert ask(worker, b"abc", "/pieces").endswith(b"3\r\nabc\r\n3\r\nabc\r\n0\r\n\r\n")

    def test_answer_that_fails_midway_is_cut_off(self, worker):
        data = ask(worker, b"", "/broken")

        assert data.endswith(b"5\r\nbegun\r\n")

    def test_failing_application_is_an_internal_error(self, worker):
        assert ask(worker, b"", "/failing").startswith(b"HTTP/1.1 500 ")

    def test_nonsense_is_a_bad_request(self, worker):
        with connect(worker) as connection:
            connection.sendall(b"\x16\x03\x01 nonsense\r\n\r\n")

            assert answer(connection).startswith(b"HTTP/1.1 400 ")

    def test_client_may_close_it(self, worker):
        head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx"
        with connect(worker) as connection:
            connection.sendall(head)
            data = answer(connection)

            assert (b"Connection: close" in data, connection.recv(1)) == (True, b"")

    def test_is_closed_when_nothing_comes_for_long(self, worker):
        with connect(worker) as used, connect(worker) as unused:
            used.sendall(request(b"x"))
            answer(used)
            began = time.monotonic()

            assert (used.recv(1), unused.recv(1)) == (b"", b"")
            assert time.monotonic() - began < _KEEP_ALIVE_S + 3


class TestManyConnections:
    def test_nobody_waits_behind_a_long_request(self, worker):
        with connect(worker) as slow:
            slow.sendall(request(b"slow", "/sleep/1"))
            time.sleep(0.1)
            began = time.monotonic()
            for _ in range(20):
                ask(worker, b"x")

            assert time.monotonic() - began < 0.5
            assert answer(slow).endswith(b"slow")

    def test_nobody_waits_behind_half_a_request(self, worker):
        with connect(worker) as slow:
            slow.sendall(request(b"slow")[:-1])
            began = time.monotonic()
            for _ in range(20):
                ask(worker, b"x")

            assert time.monotonic() - began < 0.5
            slow.sendall(b"w")
            assert answer(slow).endswith(b"slow")

    def test_more_long_requests_than_threads_wait_for_a_thread(self, worker):
        with ThreadPoolExecutor(2 * _THREADS) as clients:
            began = time.monotonic()
            answers = list(clients.map(lambda _: ask(worker, b"x", "/sleep/0.3"), range(6)))
            elapsed = time.monotonic() - began

        assert all(each.endswith(b"x") for each in answers)
        assert 0.6 <= elapsed < 1.5

    def test_every_connection_gets_its_own_answers(self, worker):
        connections = [connect(worker) for _ in range(20)]
        for turn in range(20):
            for number, connection in enumerate(connections):
                connection.sendall(request(f"{turn}-{number}".encode()))
            for number, connection in enumerate(connections):
                assert answer(connection).endswith(f"\r\n\r\n{turn}-{number}".encode())
        for connection in connections:
            connection.close()

    def test_worker_that_ends_completes_what_it_began_and_keeps_nobody_waiting(self, worker):
        process = int(ask(worker, b"", "/process").rpartition(b"\r\n")[2])
        with connect(worker) as slow, connect(worker) as idle:
            idle.sendall(request(b"x"))
            answer(idle)
            slow.sendall(request(b"slow", "/sleep/0.5"))
            time.sleep(0.1)
            os.kill(process, signal.SIGTERM)

            assert answer(slow).endswith(b"slow")
            assert idle.recv(1) == b""
        deadline = time.monotonic() + 10
        while Path(f"/proc/{process}").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not Path(f"/proc/{process}").exists()
        assert ask(worker, b"from the next one").endswith(b"from the next one")
