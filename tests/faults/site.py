"""The clearing house under test: its processes, its address, its database, its surroundings."""

import contextlib
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from ochp_chs.repository import migrate
from ochp_chs.repository.engine import Database
from ochp_chs.serving.cluster import DATABASE, PORT, USER
from ochp_chs.serving.embedded_postgres import EmbeddedPostgres
from tests.acceptance.harness import Server, kill, wait_until
from tests.faults.clocks import Clocks
from tests.faults.small_disk import SmallDisk, small_disk
from tests.faults.traffic.line import Address
from tests.faults.traffic.market import add_market
from tests.faults.wire import Wire
from tests.support.standby import Standby, standby_of

#: An init that starts the server again waits for so long between two tries.
_INIT_PAUSE_S = 0.3
_START_TIMEOUT_S = 60
_QUIET_TIMEOUT_S = 30

#: What the server may open in all, and some for the test.
_CONNECTIONS = {"max_connections": "100"}

_AT_WORK = sa.text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE application_name = 'ochp-chs' AND xact_start IS NOT NULL"
)


@dataclass
class Site:
    """One server with the campaign's partners, on a PostgreSQL of its own or on another's."""

    server: Server
    #: How the test reaches the database, whatever stands between the server and it.
    database_url: str = ""
    #: Where clients go; None: to the server itself.
    front: Callable[[], Address] | None = None

    def address(self) -> Address:
        """Where clients go now."""
        return self.front() if self.front is not None else ("127.0.0.1", self.server.port)

    def is_ready(self) -> bool:
        """Whether it says of itself that it serves."""
        return self.server.get("/readyz").status == 200

    def wait_until_back(self, timeout_s: float) -> None:
        """Wait until it serves again, by itself."""
        wait_until(self.is_ready, timeout_s)

    def started_by_init(self) -> None:
        """As an init does it: start again and again what ends, until it serves."""
        deadline = time.monotonic() + _START_TIMEOUT_S
        while True:
            try:
                self.server.start()
            except AssertionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_INIT_PAUSE_S)
            else:
                return

    def wait_until_quiet(self) -> None:
        """Wait until no transaction is open, of workers that are dead neither."""
        with self.connection() as connection:
            wait_until(lambda: connection.execute(_AT_WORK).scalar_one() == 0, _QUIET_TIMEOUT_S)

    @contextmanager
    def connection(self) -> Iterator[sa.Connection]:
        """A look into the database, past the server."""
        engine = sa.create_engine(
            self.database_url,
            poolclass=sa.NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={"application_name": "campaign"},
        )
        with engine.connect() as connection:
            yield connection


@contextmanager
def embedded_site(data_dir: Path, **environment: str) -> Iterator[Site]:
    """A server that keeps its PostgreSQL itself."""
    server = Server(data_dir, environment=_environment(environment), port=free_port())
    try:
        server.start()
        add_market(server)
        with EmbeddedPostgres(data_dir) as postgres:
            url = postgres.url
        yield Site(server, url)
    finally:
        server.kill()
        kill(server.postgres_processes())


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environment(environment: dict[str, str]) -> dict[str, str]:
    # Deltas reach back by nothing: what is missing is not brought by chance.
    return {"OCHP_CHS_CLOCK_TOLERANCE_S": "0", **environment}


@dataclass
class ServerOn(Server):
    """A server on a PostgreSQL that is not its own."""

    database_url: str = ""

    @contextmanager
    def database(self) -> Iterator[Database]:
        """That PostgreSQL, whatever stands between the server and it."""
        database = Database(self.database_url, pool_size=1)
        try:
            yield database
        finally:
            database.dispose()


@dataclass(kw_only=True)
class WiredSite(Site):
    """A server between wires: one to its clients, one to PostgreSQL, one to a replica."""

    to_server: Wire
    to_database: Wire
    to_replica: Wire
    replica: Standby


@contextmanager
def wired_site(folder: Path) -> Iterator[WiredSite]:
    """A server on a PostgreSQL with a replica that downloads are read from."""
    port = free_port()
    with contextlib.ExitStack() as stack:
        enter = stack.enter_context
        primary = enter(EmbeddedPostgres(folder / "primary", settings=_CONNECTIONS))
        migrate.upgrade(primary.url)
        standby = enter(standby_of(primary.url, folder / "standby", _CONNECTIONS))
        to_server = enter(Wire(("127.0.0.1", port)))
        to_database = enter(Wire(_socket_of(primary.url)))
        to_replica = enter(Wire(_socket_of(standby.url)))
        environment = {
            "OCHP_CHS_DATABASE_URL": _url_over(to_database),
            "OCHP_CHS_READ_DATABASE_URL": _url_over(to_replica),
        }
        server = ServerOn(
            folder / "server",
            environment=_environment(environment),
            port=port,
            database_url=primary.url,
        )
        stack.callback(server.kill)
        server.start()
        add_market(server)
        yield WiredSite(
            server,
            primary.url,
            lambda: ("127.0.0.1", to_server.port),
            to_server=to_server,
            to_database=to_database,
            to_replica=to_replica,
            replica=standby,
        )


def _socket_of(url: str) -> Path:
    return Path(str(sa.make_url(url).query["host"])) / f".s.PGSQL.{PORT}"


def _url_over(wire: Wire) -> str:
    return f"postgresql://{USER}@127.0.0.1:{wire.port}/{DATABASE}"


@dataclass(kw_only=True)
class SmallSite(Site):
    """A server whose PostgreSQL, and whose temporary files, lie on small disks."""

    database_disk: SmallDisk
    temporary_disk: SmallDisk


@contextmanager
def small_site(folder: Path) -> Iterator[SmallSite]:
    """A server that keeps its PostgreSQL itself, on a disk that can be filled."""
    with (
        small_disk(folder / "data", 320) as database_disk,
        small_disk(folder / "tmp", 24) as temporary_disk,
    ):
        # What the server says of it is not to be lost with it.
        (folder / "data" / "server.log").symlink_to(folder / "server.log")
        environment = {"TMPDIR": str(temporary_disk.directory)}
        with embedded_site(folder / "data", **environment) as site:
            yield SmallSite(
                site.server,
                site.database_url,
                database_disk=database_disk,
                temporary_disk=temporary_disk,
            )


@dataclass(kw_only=True)
class ClockedSite(Site):
    """A server and a PostgreSQL whose clocks are turned by the test."""

    clocks: Clocks


@contextmanager
def clocked_site(folder: Path) -> Iterator[ClockedSite]:
    """Each on a clock of its own."""
    with contextlib.ExitStack() as stack:
        shared = stack.enter_context(tempfile.TemporaryDirectory(prefix="clocks"))
        # PostgreSQL may be another user.
        Path(shared).chmod(0o755)
        clocks = Clocks.made_in(Path(shared))
        with clocks.for_postgres():
            primary = stack.enter_context(EmbeddedPostgres(folder / "primary"))
        environment = {"OCHP_CHS_DATABASE_URL": primary.url, **clocks.environment("server")}
        server = ServerOn(
            folder / "server",
            environment=_environment(environment),
            port=free_port(),
            database_url=primary.url,
        )
        stack.callback(server.kill)
        server.start()
        add_market(server)
        yield ClockedSite(server, primary.url, clocks=clocks)
