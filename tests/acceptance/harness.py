"""A real `ochp-chs serve` on embedded PostgreSQL, and what a test needs to talk to it."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from ochp_chs.clearing.connections import connect
from ochp_chs.clearing.partners import add_partner
from ochp_chs.clearing.passwords import Passwords
from ochp_chs.ochp.operations import BY_NAME, NAMESPACE
from ochp_chs.ochp.roles import Carries, Role
from ochp_chs.repository.engine import Database
from ochp_chs.serving.embedded_postgres import EmbeddedPostgres
from tests.support.edge import Reply, envelope

SERVICE = "/service/ochp/v1.4"

_START_TIMEOUT_S = 60
_STOP_TIMEOUT_S = 60

#: Console script of the environment that runs the tests.
_PROGRAM = [sys.executable, "-m", "ochp_chs.cli.main"]


@dataclass
class Server:
    """One `ochp-chs serve` with its data directory; may be started, killed and started again."""

    data_dir: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    workers: int = 2
    threads: int = 16
    #: 0: any free one, another at each start.
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    address: str = ""

    @property
    def log(self) -> str:
        """All that the server has logged."""
        return (self.data_dir / "server.log").read_text(encoding="utf-8")

    def start(self) -> None:
        """Start it and wait until it serves."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        log = (self.data_dir / "server.log").open("ab")
        began = log.tell()
        with log:
            self.process = subprocess.Popen(
                [
                    *_PROGRAM,
                    "serve",
                    f"--port={self.port}",
                    f"--workers={self.workers}",
                    f"--threads={self.threads}",
                    f"--data-dir={self.data_dir}",
                ],
                env={
                    **{k: v for k, v in os.environ.items() if not k.startswith("OCHP_CHS_")},
                    "OCHP_CHS_LOG_FORMAT": "json",
                    **self.environment,
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.address = self._wait_for_address(began)
        wait_until(lambda: self.get("/readyz").status == 200, _START_TIMEOUT_S)

    def _wait_for_address(self, began: int) -> str:
        assert self.process is not None
        deadline = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline:
            said = (self.data_dir / "server.log").read_bytes()[began:].decode()
            found = re.search(r'"address": "(http://[^"]+)"', said)
            if found:
                return found[1]
            assert self.process.poll() is None, f"the server ended: {said[-2000:]}"
            time.sleep(0.02)
        raise AssertionError("the server did not say that it serves")

    def stop(self) -> int:
        """Ask it to end (SIGTERM); its exit status."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(_STOP_TIMEOUT_S)

    def kill(self) -> None:
        """SIGKILL to the server's processes; PostgreSQL is another matter."""
        assert self.process is not None
        if self.process.poll() is None:
            kill(self.processes())
        self.process.wait(_STOP_TIMEOUT_S)

    def processes(self) -> list[psutil.Process]:
        """The master and its workers."""
        assert self.process is not None
        master = psutil.Process(self.process.pid)
        return [master, *(p for p in master.children(recursive=True) if not _is_postgres(p))]

    def postgres_processes(self) -> list[psutil.Process]:
        """The postmaster and its children; none if it does not run."""
        try:
            text = (self.data_dir / "postgres" / "postmaster.pid").read_text(encoding="utf-8")
            postmaster = psutil.Process(int(text.split()[0]))
            return [postmaster, *postmaster.children(recursive=True)]
        except (FileNotFoundError, psutil.NoSuchProcess):
            return []

    @contextmanager
    def database(self) -> Iterator[Database]:
        """The server's database, from outside of it."""
        with EmbeddedPostgres(self.data_dir) as postgres:
            database = Database(postgres.url, pool_size=1)
            try:
                yield database
            finally:
                database.dispose()

    def partner(self, name: str, roles: str, *party_ids: str) -> None:
        """Add a partner whose password is its name with `-secret` behind it."""
        with self.database() as database:
            add_partner(
                database,
                name,
                Passwords().hashed(f"{name}-secret"),
                roles={Role(role) for role in roles.split()},
                party_ids=party_ids,
            )

    def connect(self, one: str, other: str, only: Sequence[Carries] | None = None) -> None:
        """Join two partners."""
        with self.database() as database:
            connect(database, one, other, only)

    def connection(self, timeout_s: float = 60) -> http.client.HTTPConnection:
        """A new connection to the server."""
        host = urlsplit(self.address)
        return http.client.HTTPConnection(host.hostname or "", host.port, timeout=timeout_s)

    def socket(self, timeout_s: float = 60) -> socket.socket:
        """A bare connection to the server."""
        host = urlsplit(self.address)
        return socket.create_connection((host.hostname, host.port), timeout=timeout_s)

    def get(self, path: str) -> Reply:
        """Fetch a page."""
        connection = self.connection()
        try:
            connection.request("GET", path)
            return _reply(connection.getresponse())
        finally:
            connection.close()

    def post(
        self,
        content: bytes | Iterable[bytes],
        path: str = SERVICE,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send a message; an iterable goes out in chunks."""
        connection = self.connection()
        try:
            connection.request(
                "POST",
                path,
                content,
                {"Content-Type": "text/xml; charset=utf-8", **(headers or {})},
                encode_chunked=not isinstance(content, bytes),
            )
            return _reply(connection.getresponse())
        finally:
            connection.close()

    def call(self, partner: str, operation: str, content: str = "") -> Reply:
        """Send an operation's request with `content` (default namespace OCHP) inside."""
        return self.post(message(partner, operation, content))


def message(partner: str, operation: str, content: str = "") -> bytes:
    """The whole message of an operation's request."""
    request = BY_NAME[operation].request
    return envelope(partner, f'<{request} xmlns="{NAMESPACE}">{content}</{request}>')


def streamed(partner: str, operation: str, records: Iterable[str]) -> Iterator[bytes]:
    """The same in pieces of about 64 KiB, made as they are asked for."""
    head, tail = message(partner, operation, "\0").split(b"\0")
    block, size = [head], len(head)
    for record in records:
        data = record.encode()
        block.append(data)
        size += len(data)
        if size > 1 << 16:
            yield b"".join(block)
            block, size = [], 0
    yield b"".join([*block, tail])


def kill(processes: Iterable[psutil.Process]) -> None:
    """SIGKILL, and wait until nothing of them runs; whoever inherited them may be slow to reap."""
    doomed = list(processes)
    for process in doomed:
        try:
            process.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue
    wait_until(lambda: all(map(_is_dead, doomed)), _STOP_TIMEOUT_S)


def wait_until(condition: Callable[[], bool], timeout_s: float) -> None:
    """Wait for something to become true; what cannot be asked yet is not true yet."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.02)
    raise AssertionError(f"not within {timeout_s} seconds")


class MemoryWatch:
    """Samples the server's processes while a block runs; `peak_mib` by process afterwards."""

    def __init__(self, server: Server) -> None:
        self._processes = server.processes()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample)
        self.peak_bytes: dict[int, int] = {}

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def peak_mib(self) -> float:
        """The largest resident set that any one process had."""
        return max(self.peak_bytes.values()) / (1 << 20)

    def _sample(self) -> None:
        while not self._stop.wait(0.02):
            for process in self._processes:
                rss = process.memory_info().rss
                self.peak_bytes[process.pid] = max(rss, self.peak_bytes.get(process.pid, 0))


def _is_dead(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _is_postgres(process: psutil.Process) -> bool:
    try:
        return "postgres" in process.name()
    except psutil.NoSuchProcess:
        return True


def _reply(response: http.client.HTTPResponse) -> Reply:
    # Title-case names, as the in-process application has them.
    return Reply(
        response.status,
        {name.title(): value for name, value in response.getheaders()},
        response.read(),
    )
