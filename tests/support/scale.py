"""The `scale` profile of docker-compose.yml as plain processes, with the very files of deploy/.

A primary and a streaming replica from the embedded PostgreSQL, PgBouncer and HAProxy from Debian,
three nodes. Everything listens on 127.0.0.1 and ends with the block.
"""

import http.client
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from ochp_chs.clearing.connections import connect
from ochp_chs.clearing.partners import add_partner
from ochp_chs.clearing.passwords import Passwords
from ochp_chs.ochp.roles import Role
from ochp_chs.repository import migrate
from ochp_chs.repository.engine import Database
from ochp_chs.serving.embedded_postgres import EmbeddedPostgres
from ochp_chs.serving.identity import identity_for
from tests.support.endpoints import SECRET_KEY
from tests.support.standby import Standby, standby_of

DEPLOY = Path(__file__).parents[2] / "deploy"
NODES = 3

_PASSWORD = "pooler-password"
_START_TIMEOUT_S = 30
_STOP_TIMEOUT_S = 90
#: As in docker-compose.yml: longer than the proxy needs to notice.
_DRAIN_S = 4


def program(name: str) -> str:
    """The path of a program that Debian installs, perhaps not for everybody."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    assert found, f"{name} is missing: apt-get install {name}"
    return found


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Process:
    """One program that runs until it is stopped; its output goes to a file."""

    command: Sequence[str]
    folder: Path
    log_file: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """All it has said."""
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def start(self) -> None:
        """Start it; whether it is ready is another question."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("OCHP_")}
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env={**kept, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait_for_port(self, port: int) -> None:
        """Wait until it listens."""
        deadline = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline:
            assert self.process is not None
            assert self.process.poll() is None, f"it ended: {self.log[-2000:]}"
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError(f"nobody listens on {port}: {self.log[-2000:]}")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end; its exit status."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(_STOP_TIMEOUT_S)
        finally:
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()

    def kill(self) -> None:
        """SIGKILL to it and all its children."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@dataclass
class Node(Process):
    """One `ochp-chs serve --no-migrate`."""

    port: int = 0

    def leave(self) -> None:
        """Begin to end, without saying so first; `stop` waits for it."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            # The second one ends the time that proxies are given.
            time.sleep(0.05)
            self.process.send_signal(signal.SIGTERM)

    def is_ready(self) -> bool:
        """Whether a proxy would send requests here."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def wait_until_ready(self) -> None:
        """Wait until it serves."""
        self.wait_for_port(self.port)
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not self.is_ready():
            assert time.monotonic() < deadline, self.log[-2000:]
            time.sleep(0.05)


@dataclass
class Scale:
    """Everything that runs."""

    primary_url: str
    pooled_url: str
    pooled_read_url: str
    standby: Standby
    pooler: Process
    proxy: Process
    proxy_port: int
    nodes: list[Node]
    certificate: Path

    @property
    def address(self) -> str:
        """Where partners reach the clearing house."""
        return f"https://127.0.0.1:{self.proxy_port}"

    def tls(self) -> ssl.SSLContext:
        """What a client trusts."""
        return ssl.create_default_context(cafile=str(self.certificate))

    @contextmanager
    def database(self) -> Iterator[Database]:
        """The primary, past the pooler."""
        database = Database(self.primary_url, pool_size=4)
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

    def connect(self, one: str, other: str) -> None:
        """Join two partners."""
        with self.database() as database:
            connect(database, one, other)

    def replace(self, node: Node) -> None:
        """What an upgrade does with each node: the old one ends in order, a new one begins."""
        assert node.stop() == 0
        node.start()
        node.wait_until_ready()
        self.wait_until_in_use(node)

    def wait_until_in_use(self, node: Node) -> None:
        """Wait until the proxy has noticed that a node is ready."""
        time.sleep(2.5)
        assert node.is_ready()


@contextmanager
def scale(
    folder: Path,
    *,
    workers: int = 2,
    pool_size: int | None = None,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Scale]:
    """Start everything, on an empty migrated database.

    ``pool_size`` is how many connections PgBouncer has to each PostgreSQL, None: as it is
    configured; ``settings`` are further settings of the nodes.
    """
    with ExitStack() as stack:
        primary = EmbeddedPostgres(folder / "primary", settings={"wal_keep_size": "256MB"})
        url = stack.enter_context(primary).url
        migrate.upgrade(url)
        # As deploy/postgres/replica.sh: a long download must not be cut off by what is replayed.
        standby = stack.enter_context(
            standby_of(url, folder / "replica", {"hot_standby_feedback": "on"})
        )
        pooler, pooler_port = _pooler(
            folder / "pooler", folder / "primary", url, standby.url, pool_size
        )
        stack.callback(pooler.stop, signal.SIGINT)
        pooler.start()
        pooler.wait_for_port(pooler_port)
        pooled = f"postgresql://ochp_chs:{_PASSWORD}@127.0.0.1:{pooler_port}"
        environment = {
            "OCHP_CHS_DATABASE_URL": f"{pooled}/ochp_chs",
            "OCHP_CHS_READ_DATABASE_URL": f"{pooled}/ochp_chs_read",
            "OCHP_CHS_WORKERS": str(workers),
            **(settings or {}),
        }
        running = [_node(folder / f"node-{n}", environment) for n in range(1, NODES + 1)]
        stack.callback(_leave, running)
        for node in running:
            node.start()
        for node in running:
            node.wait_until_ready()
        proxy, proxy_port = _proxy(folder / "proxy", [node.port for node in running])
        stack.callback(proxy.stop)
        proxy.start()
        proxy.wait_for_port(proxy_port)
        certificate = folder / "proxy" / "tls" / "clearing-house.pem"
        yield Scale(
            url,
            f"{pooled}/ochp_chs",
            f"{pooled}/ochp_chs_read",
            standby,
            pooler,
            proxy,
            proxy_port,
            running,
            certificate,
        )


def _leave(nodes: Sequence[Node]) -> None:
    for node in nodes:
        node.leave()
    for node in nodes:
        node.stop(signal.SIGTERM)


def _pooler(
    folder: Path, data_dir: Path, primary_url: str, standby_url: str, pool_size: int | None
) -> tuple[Process, int]:
    port = free_port()
    folder.mkdir(parents=True)
    # The private socket directories are the database user's, so the pooler is that user too. It
    # refuses to be root anyway.
    identity = identity_for(data_dir / "postgres", (data_dir / "postgres", folder))
    identity.own(folder)
    at = {"primary": sa.make_url(primary_url), "replica": sa.make_url(standby_url)}
    host = {name: f"host={url.query['host']} port={url.query['port']}" for name, url in at.items()}
    size = "" if pool_size is None else f" pool_size={pool_size} reserve_pool=0"
    (folder / "installation.ini").write_text(
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nadmin_users = ochp_chs\n"
        "[databases]\n"
        f"ochp_chs = {host['primary']} dbname=ochp_chs{size}\n"
        f"ochp_chs_read = {host['replica']} dbname=ochp_chs{size}\n",
        encoding="utf-8",
    )
    (folder / "userlist.txt").write_text(f'"ochp_chs" "{_PASSWORD}"\n', encoding="utf-8")
    configuration = shutil.copy(DEPLOY / "pgbouncer" / "pgbouncer.ini", folder)
    command = [*identity.prefix, program("pgbouncer"), str(configuration)]
    return Process(command, folder, folder / "pgbouncer.log"), port


def _node(folder: Path, environment: Mapping[str, str]) -> Node:
    folder.mkdir(parents=True)
    port = free_port()
    return Node(
        [sys.executable, "-m", "ochp_chs.cli.main", "serve", "--no-migrate"],
        folder,
        folder / "node.log",
        {
            "OCHP_CHS_PORT": str(port),
            "OCHP_CHS_SECRET_KEY": SECRET_KEY,
            "OCHP_CHS_LOG_FORMAT": "json",
            "OCHP_CHS_DRAIN_S": str(_DRAIN_S),
            **environment,
        },
        port=port,
    )


def _proxy(folder: Path, nodes: Sequence[int]) -> tuple[Process, int]:
    port = free_port()
    (folder / "deploy").mkdir(parents=True)
    script = shutil.copy(DEPLOY / "prepare.sh", folder / "deploy")
    subprocess.run(["sh", str(script)], check=True, capture_output=True)
    environment = {
        "OCHP_PROXY_BIND": f"127.0.0.1:{port}",
        "OCHP_PROXY_TLS": str(folder / "tls"),
        # Port 1: nobody there, as where the profile `scale` has no node of that name.
        "OCHP_PROXY_SERVER": "127.0.0.1:1",
        **{f"OCHP_PROXY_NODE_{n}": f"127.0.0.1:{at}" for n, at in enumerate(nodes, 1)},
    }
    command = [program("haproxy"), "-f", str(DEPLOY / "proxy" / "haproxy.cfg")]
    return Process(command, folder, folder / "haproxy.log", environment), port
