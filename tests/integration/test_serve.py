"""``ochp-chs serve`` and ``ochp-chs db`` as an operator runs them: as processes."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ochp_chs.repository import migrate
from ochp_chs.repository.engine import Database

BOUND_S = 20


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def command(*arguments):
    return [sys.executable, "-m", "ochp_chs.cli.main", *arguments]


def environment(**variables):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OCHP_CHS_")}
    return kept | variables


def run(*arguments, **variables):
    return subprocess.run(
        command(*arguments),
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=BOUND_S,
        check=False,
    )


class Server:
    """A running ``ochp-chs serve``."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
        self.process = process
        self.port = port
        self.log = log

    def get(self, path: str) -> tuple[int, str]:
        url = f"http://127.0.0.1:{self.port}{path}"
        try:
            with urllib.request.urlopen(url, timeout=BOUND_S) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + BOUND_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if self.get("/readyz")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        pytest.fail(f"the server did not get ready:\n{self.log.read_text()}")


@contextmanager
def serving(tmp_path: Path, *arguments: str, ready: bool = True, **variables: str):
    port = free_port()
    log = tmp_path / "serve.log"
    with log.open("ab") as stderr:
        process = subprocess.Popen(
            command("serve", "--port", str(port), "--workers", "1", *arguments),
            env=environment(**variables),
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stderr=stderr,
        )
    server = Server(process, port, log)
    try:
        if ready:
            server.wait_until_ready()
        yield server
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(BOUND_S)


@pytest.fixture
def server(tmp_path: Path, empty_postgres_url: str) -> Iterator[Server]:
    """A server on a database that was empty, with a short patience for slow clients."""
    with serving(
        tmp_path, OCHP_CHS_DATABASE_URL=empty_postgres_url, OCHP_CHS_READ_TIMEOUT_S="1"
    ) as running:
        yield running


class TestGivenDatabase:
    def test_serves_and_ends_in_order(self, server):
        assert server.get("/healthz") == (200, "ok\n")
        assert "ochp-chs" in server.get("/")[1]
        assert server.get("/service/ochp/v1.4?wsdl")[0] == 200
        assert (
            f"http://127.0.0.1:{server.port}/live/ochp/v1.4"
            in (server.get("/live/ochp/v1.4?singleWsdl")[1])
        )

        server.process.terminate()

        assert server.process.wait(BOUND_S) == 0
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port)).close()

    def test_header_that_never_ends_does_not_keep_a_thread(self, server):
        with socket.create_connection(("127.0.0.1", server.port), timeout=BOUND_S) as client:
            client.sendall(b"POST /service/ochp/v1.4 HTTP/1.1\r\nHost: x\r\n")
            begun = time.monotonic()
            # A byte now and then: the connection is never silent for long.
            while time.monotonic() - begun < BOUND_S:
                try:
                    client.sendall(b"X")
                except OSError:
                    break
                time.sleep(0.2)

            assert time.monotonic() - begun < 6

    def test_port_that_is_taken_is_one_line(self, server, empty_postgres_url):
        done = run("serve", "--port", str(server.port), OCHP_CHS_DATABASE_URL=empty_postgres_url)

        assert done.returncode == 1
        assert done.stderr == (
            f"ochp-chs: cannot listen on 127.0.0.1:{server.port}: Address already in use\n"
        )

    def test_ready_only_with_the_schema(self, tmp_path, empty_postgres_url):
        with serving(
            tmp_path, "--no-migrate", ready=False, OCHP_CHS_DATABASE_URL=empty_postgres_url
        ) as server:
            deadline = time.monotonic() + BOUND_S
            answer = None
            while answer is None and time.monotonic() < deadline:
                try:
                    answer = server.get("/readyz")
                except OSError:
                    time.sleep(0.05)

        head = migrate.head_revision()
        assert answer == (503, f"not ready: the database is at no migration, not at {head}\n")

    @pytest.mark.parametrize("options", [[], ["--no-migrate"]])
    def test_serves_on_a_schema_that_the_next_release_has_migrated(
        self, tmp_path, empty_postgres_url, options
    ):
        migrate.upgrade(empty_postgres_url)
        with Database(empty_postgres_url, pool_size=1).begin() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999_next'")

        with serving(tmp_path, *options, OCHP_CHS_DATABASE_URL=empty_postgres_url) as server:
            assert server.get("/readyz") == (200, "ready\n")

    def test_proxies_turn_away_before_the_server_leaves(self, tmp_path, empty_postgres_url):
        with serving(
            tmp_path, OCHP_CHS_DATABASE_URL=empty_postgres_url, OCHP_CHS_DRAIN_S="600"
        ) as server:
            server.process.terminate()

            deadline = time.monotonic() + BOUND_S
            while server.get("/readyz") != (503, "not ready: leaving\n"):
                assert time.monotonic() < deadline
                time.sleep(0.05)
            assert server.get("/service/ochp/v1.4?wsdl")[0] == 200
            server.process.terminate()

            assert server.process.wait(BOUND_S) == 0

    def test_leaves_when_proxies_had_their_time(self, tmp_path, empty_postgres_url):
        with serving(
            tmp_path, OCHP_CHS_DATABASE_URL=empty_postgres_url, OCHP_CHS_DRAIN_S="1"
        ) as server:
            begun = time.monotonic()
            server.process.terminate()

            assert server.process.wait(BOUND_S) == 0
            assert time.monotonic() - begun >= 1


class TestEmbedded:
    def test_database_that_dies_comes_back(self, tmp_path):
        with serving(tmp_path) as server:
            os.kill(postmaster_pid(tmp_path), signal.SIGKILL)

            # The dead server's children go on for a moment, and answer.
            deadline = time.monotonic() + BOUND_S
            while "PostgreSQL was gone" not in server.log.read_text():
                assert time.monotonic() < deadline
                time.sleep(0.05)
            server.wait_until_ready()
        assert not (tmp_path / ".ochp-chs" / "postgres" / "postmaster.pid").exists()

    def test_killed_server_starts_again_on_the_same_data(self, tmp_path):
        with serving(tmp_path) as server:
            server.process.kill()
            server.process.wait(BOUND_S)
        left_over = postmaster_pid(tmp_path)

        with serving(tmp_path):
            assert postmaster_pid(tmp_path) == left_over

        assert not (tmp_path / ".ochp-chs" / "postgres" / "postmaster.pid").exists()

    def test_commands_work_beside_the_server(self, tmp_path):
        with serving(tmp_path) as server:
            done = run("db", "current", "--data-dir", str(tmp_path / ".ochp-chs"))

            assert migrate.head_revision() in done.stdout
            assert server.get("/readyz")[0] == 200


class TestDb:
    def test_upgrade_then_current_then_check(self, empty_postgres_url):
        head = migrate.head_revision()
        database = {"OCHP_CHS_DATABASE_URL": empty_postgres_url}

        before = run("db", "current", **database)
        upgraded = run("db", "upgrade", **database)
        checked = run("db", "check", **database)

        assert before.stdout == f"the database is at no migration; newest: {head}\n"
        assert upgraded.stdout == f"the database is at {head}\n"
        assert (checked.returncode, checked.stderr) == (0, "")

    def test_check_of_an_empty_database_fails_in_one_line(self, empty_postgres_url):
        done = run("db", "check", OCHP_CHS_DATABASE_URL=empty_postgres_url)

        assert done.returncode == 1
        assert done.stderr.startswith("ochp-chs: the schema differs: ")
        assert done.stderr.count("\n") == 1

    def test_unreachable_database_is_one_line(self):
        done = run("db", "current", OCHP_CHS_DATABASE_URL="postgresql://u:hunter2@127.0.0.1:1/none")

        assert done.returncode == 1
        assert done.stderr.startswith("ochp-chs: the database does not answer: ")
        assert done.stderr.count("\n") == 1
        assert "hunter2" not in done.stderr

    def test_bad_setting_is_one_line(self):
        done = run("serve", OCHP_CHS_WORKERS="many")

        assert done.returncode == 1
        assert done.stderr.startswith("ochp-chs: OCHP_CHS_WORKERS: ")
        assert done.stderr.count("\n") == 1


def test_help_names_every_variable():
    done = run("serve", "--help", COLUMNS="200")

    assert done.stdout.count("OCHP_CHS_") >= 20
    for variable in ("OCHP_CHS_DATABASE_URL", "OCHP_CHS_MAX_REQUEST_BYTES", "OCHP_CHS_PUBLIC_URL"):
        assert variable in done.stdout


def postmaster_pid(tmp_path):
    pid_file = tmp_path / ".ochp-chs" / "postgres" / "postmaster.pid"
    return int(pid_file.read_text().splitlines()[0])
