"""PostgreSQL for the tests: one server for the session, one empty migrated database per test."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from ochp_chs.config import Settings
from ochp_chs.repository import migrate
from ochp_chs.repository.engine import Database
from ochp_chs.repository.tables import metadata
from ochp_chs.serving.embedded_postgres import EmbeddedPostgres
from tests.support.edge import Clock, Edge
from tests.support.endpoints import SECRET_KEY

# Nothing here has to survive a crash of the machine.
_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@pytest.fixture(scope="session")
def postgres_server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL to make databases in: OCHP_CHS_TEST_DATABASE_URL's, else an embedded one."""
    given = os.environ.get("OCHP_CHS_TEST_DATABASE_URL")
    if given:
        yield given
        return
    with EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), settings=_FAST) as server:
        yield server.url


@pytest.fixture(scope="session")
def postgres_url(postgres_server_url: str) -> Iterator[str]:
    """The URL of a migrated database that the tests of this session share."""
    with _scratch_database(postgres_server_url) as url:
        migrate.upgrade(url)
        yield url


@pytest.fixture
def empty_postgres_url(postgres_server_url: str) -> Iterator[str]:
    """The URL of a database of this test's own, without any table."""
    with _scratch_database(postgres_server_url) as url:
        yield url


@pytest.fixture(scope="session")
def _session_database(postgres_url: str) -> Iterator[Database]:
    database = Database(postgres_url, lock_timeout_ms=10_000)
    yield database
    database.dispose()


@pytest.fixture
def database(_session_database: Database) -> Database:
    """The migrated database, with all tables empty."""
    tables = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)
    with _session_database.begin() as connection:
        connection.exec_driver_sql(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
    return _session_database


@pytest.fixture
def clock() -> Clock:
    """The server's clock, to be turned."""
    return Clock()


@pytest.fixture
def edge(database: Database, clock: Clock) -> Edge:
    """The whole server without a socket, on an empty database; deltas reach back by nothing."""
    return Edge(database, clock, Settings(clock_tolerance_s=0, secret_key=SECRET_KEY))


@contextmanager
def _scratch_database(server_url: str) -> Iterator[str]:
    name = f"ochp_chs_test_{uuid.uuid4().hex[:12]}"
    url = sa.make_url(server_url).set(drivername="postgresql+psycopg2")
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
