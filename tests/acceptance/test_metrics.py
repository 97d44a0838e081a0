"""What /metrics of a real server tells of several workers, some of which are killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ochp_chs.serving.embedded_postgres import EmbeddedPostgres
from tests.acceptance.harness import SERVICE, Server, kill, message, wait_until
from tests.support.exposition import Exposed
from tests.support.secrets import found_in, secret_contents
from tests.support.tokens import token_xml

LIST = "GetRoamingAuthorisationList"
#: For one partner that calls as all partners together.
MANY_AT_ONCE = {"OCHP_CHS_PARTNER_REQUESTS_MAX": "64"}

UPDATE = "UpdateRoamingAuthorisationList"


def exposed(server: Server) -> Exposed:
    reply = server.get("/metrics")
    assert reply.status == 200
    return Exposed(reply.content.decode())


def listed(server: Server) -> float:
    # A request is counted when its answer has been sent, which is a moment after it was read.
    wait_until(lambda: exposed(server).value("requests_in_flight") == 0, 30)
    labels = {"operation": LIST, "role": "cpo", "result": "ok"}
    return exposed(server).value("requests_total", **labels) or 0


def call_often(server: Server, times: int) -> None:
    """On many connections at once, so that all workers have their share."""

    def call() -> None:
        for _ in range(times // 10):
            assert server.call("cpo", LIST).result == "ok"

    threads = [threading.Thread(target=call) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def kill_and_wait(server: Server, count: int) -> None:
    """Kill some of the three workers, and wait until others count in their place."""
    kill(server.processes()[1 : count + 1])
    if count < 3:
        # It looks dead before the last of its threads is, and its lock is free.
        wait_until(lambda: exposed(server).value("workers") == 3 - count, 30)
    wait_until(lambda: exposed(server).value("workers") == 3, 30)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose workers may be killed."""
    server = Server(
        tmp_path_factory.mktemp("metrics"),
        {"OCHP_CHS_LOG_LEVEL": "debug", **MANY_AT_ONCE},
        workers=3,
        threads=4,
    )
    server.start()
    try:
        server.partner("emp", "emp", "DE-EMP")
        server.partner("cpo", "cpo", "DE*CPO")
        server.connect("emp", "cpo")
        yield server
    finally:
        server.stop()


def test_workers_add_up_exactly_whichever_is_asked(own):
    before = listed(own)

    call_often(own, 200)

    assert {listed(own) - before for _ in range(12)} == {200}
    told = exposed(own)
    assert told.value("workers") == 3
    assert told.value("requests_in_flight") == 0
    assert told.value("request_seconds_count", operation=LIST) == told.total(
        "requests_total", operation=LIST
    )


def test_killed_workers_lose_no_count(own):
    before = listed(own)
    for _ in range(3):
        call_often(own, 50)
        kill_and_wait(own, 1)

    call_often(own, 50)

    told = exposed(own)
    assert listed(own) - before == 200
    assert told.value("requests_in_flight") == 0
    assert len(told.label_values("worker_resident_bytes", "worker")) == 3


def test_worker_killed_in_the_middle_of_requests_is_not_in_them_for_ever(own):
    head, tail = message("emp", UPDATE, token_xml() + "\0").split(b"\0")
    with own.socket() as begun:
        begun.sendall(
            f"POST {SERVICE} HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\n"
            f"Content-Length: {len(head) + len(tail) + 100_000}\r\n\r\n".encode()
            + head
            + b" " * 90_000
        )
        wait_until(lambda: exposed(own).value("requests_in_flight") == 1, 30)

        kill_and_wait(own, 3)

    assert exposed(own).value("requests_in_flight") == 0


def test_partner_rule_and_poll(own):
    foreign = token_xml("04FF", contract_id="NL-XXX-C00000001")
    before = exposed(own).total("refusal_reasons_total", rule="contract-provider")
    assert own.call("emp", UPDATE, token_xml("04A1B2C3D4E501") + foreign).result == "partly"
    assert own.call("cpo", LIST).result == "ok"

    assert listed(own) >= 1
    told = exposed(own)
    assert told.total("refusal_reasons_total", rule="contract-provider") == before + 1
    assert told.value("partner_requests_total", partner="emp") >= 1
    wait_until(
        lambda: (exposed(own).value("poll_age_seconds", partner="cpo", feed="tokens") or 99) < 30,
        30,
    )
    assert exposed(own).value("poll_age_seconds", partner="emp", feed="tokens") is None


def test_restart_begins_at_zero_and_leaves_nothing(own):
    call_often(own, 50)
    assert own.stop() == 0
    assert not [
        path
        for path in Path("/dev/shm").glob(f"ochp-chs-metrics-{os.getuid()}/*")
        if path.name.startswith(f"{own.process.pid}-")
    ]

    own.start()

    assert listed(own) == 0
    call_often(own, 10)
    assert listed(own) == 10


def test_database_that_is_away_is_told_and_the_rest_still_is(tmp_path):
    with EmbeddedPostgres(tmp_path) as postgres:
        server = Server(tmp_path / "server", {"OCHP_CHS_DATABASE_URL": postgres.url})
        server.start()
        try:
            assert exposed(server).value("database_up") == 1
            kill(Server(tmp_path).postgres_processes())

            began = time.monotonic()
            wait_until(lambda: exposed(server).value("database_up") == 0, 30)
            assert exposed(server).value("workers") == 2
            assert time.monotonic() - began < 20
        finally:
            server.kill()


def test_nothing_that_partners_sent_is_in_any_log(own):
    for name, content in secret_contents().items():
        for partner in ("emp", "cpo"):
            own.call(partner, name, content)
            own.post(message(partner, name, content)[:-40])
    # What the server itself makes of nonsense, before any of our own code sees it.
    for nonsense in (
        b"GET /do-not-tell HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\ndo-not-tell\r\n\r\n",
        b"GET /healthz?do-not-tell HTTP/1.1\r\nHost: x\r\ndo not tell: 1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: do-not-tell\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: do-not-tell\r\n\r\n",
        b"do-not-tell\r\n\r\n",
    ):
        with own.socket() as connection:
            connection.sendall(nonsense)
            connection.recv(1000)

    assert found_in(own.log) == []
    assert found_in((own.data_dir / "postgres.log").read_text(encoding="utf-8")) == []
    lines = [line for line in own.log.splitlines() if line]
    assert all(isinstance(json.loads(line), dict) for line in lines)
    references = [json.loads(line).get("reference") for line in lines if '"request"' in line]
    assert len(references) == len(set(references))


def test_gunicorn_of_the_operators_own(tmp_path):
    with EmbeddedPostgres(tmp_path) as postgres, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server = Server(tmp_path, {"OCHP_CHS_DATABASE_URL": postgres.url})
        server.start()
        server.partner("emp", "emp", "DE-EMP")
        server.partner("cpo", "cpo", "DE*CPO")
        server.connect("emp", "cpo")
        server.stop()
        port = free.getsockname()[1]
        free.close()
        gunicorn = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "ochp_chs.wsgi:app"),
                *(f"--bind=127.0.0.1:{port}", "--workers=3", "--threads=4"),
                "--no-control-socket",
            ],
            env={**os.environ, **MANY_AT_ONCE, "OCHP_CHS_DATABASE_URL": postgres.url},
            stderr=subprocess.DEVNULL,
        )
        try:
            server.address = f"http://127.0.0.1:{port}"
            wait_until(lambda: server.get("/readyz").status == 200, 60)
            wait_until(lambda: exposed(server).value("workers") == 3, 60)
            call_often(server, 100)
            assert {listed(server) for _ in range(12)} == {100}
        finally:
            gunicorn.send_signal(signal.SIGTERM)
            gunicorn.wait(30)
