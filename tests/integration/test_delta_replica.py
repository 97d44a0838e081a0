"""Deltas read from a replica that lags (repository/replica.py): nothing is missing there either."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ochp_chs.config import Settings
from ochp_chs.repository import engine, migrate
from ochp_chs.repository.engine import Database
from ochp_chs.serving.embedded_postgres import EmbeddedPostgres
from tests.support.edge import Edge, O
from tests.support.endpoints import SECRET_KEY
from tests.support.standby import Standby, standby_of
from tests.support.tokens import token_xml

UPDATE = "UpdateRoamingAuthorisationList"
UPDATES = "GetRoamingAuthorisationListUpdates"

_FAST = {"fsync": "off", "shared_buffers": "16MB"}


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Standby]]:
    """The URL of a migrated primary with one connected pair of partners, and its standby."""
    folder: Path = tmp_path_factory.mktemp("replicated")
    with EmbeddedPostgres(folder / "primary", settings=_FAST) as primary:
        migrate.upgrade(primary.url)
        database = Database(primary.url)
        edge = Edge(database, lambda: datetime.now(UTC), Settings(secret_key=SECRET_KEY))
        edge.partner("emp", "emp", "DE-EMP")
        edge.partner("cpo", "cpo", "DE*CPO")
        edge.connect("emp", "cpo")
        database.dispose()
        with standby_of(primary.url, folder / "standby", _FAST) as standby:
            yield primary.url, standby


@pytest.fixture
def standby(servers: tuple[str, Standby]) -> Iterator[Standby]:
    """The replica; replays again when the test is over."""
    yield servers[1]
    servers[1].resume()


@pytest.fixture
def replicated(
    servers: tuple[str, Standby], standby: Standby, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Edge]:
    """A server that writes to the primary and reads its snapshots from the replica."""
    monkeypatch.setattr(engine, "_REPLICA_RESTS_S", 0.0)
    database = Database(servers[0], read_url=standby.url, replica_wait_ms=800)
    yield Edge(
        database,
        lambda: datetime.now(UTC),
        Settings(clock_tolerance_s=0, secret_key=SECRET_KEY),
    )
    database.dispose()


def changed(edge: Edge) -> set[str]:
    reply = edge.call(
        "cpo", UPDATES, "<lastUpdate><DateTime>2020-01-01T00:00:00Z</DateTime></lastUpdate>"
    )
    assert reply.result == "ok"
    return {
        record.findtext(f"{O}EmtId/{O}instance") or ""
        for record in reply.elements("roamingAuthorisationInfo")
    }


def served_by_replica(database: Database) -> bool:
    with database.snapshot() as connection:
        return bool(connection.exec_driver_sql("SELECT pg_is_in_recovery()").scalar_one())


def test_snapshots_come_from_the_replica(replicated: Edge) -> None:
    assert served_by_replica(replicated.database)


def test_each_upload_is_in_the_poll_right_after_it(replicated: Edge) -> None:
    for number in range(20):
        instance = f"04A{number:05X}"
        replicated.call("emp", UPDATE, token_xml(instance))
        assert instance in changed(replicated)


def test_poll_waits_for_a_replica_that_comes_to_it_in_time(
    replicated: Edge, standby: Standby
) -> None:
    standby.pause()
    replicated.call("emp", UPDATE, token_xml("04BB"))
    resumed = threading.Timer(0.1, standby.resume)
    resumed.start()
    began = time.monotonic()
    with replicated.database.snapshot() as connection:
        on_replica = connection.exec_driver_sql("SELECT pg_is_in_recovery()").scalar_one()
        shown = connection.exec_driver_sql(
            "SELECT count(*) FROM token WHERE payload LIKE '%%04BB%%'"
        )
        assert (on_replica, shown.scalar_one()) == (True, 1)
    assert time.monotonic() - began >= 0.1
    resumed.join()


def test_replica_that_stands_still_is_not_asked(replicated: Edge, standby: Standby) -> None:
    standby.pause()
    replicated.call("emp", UPDATE, token_xml("04CC"))
    assert "04CC" in changed(replicated)
    assert not served_by_replica(replicated.database)


def test_what_would_be_missing_without_waiting(
    replicated: Edge, standby: Standby, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine.replica, "catches_up", lambda *_: True)
    standby.pause()
    replicated.call("emp", UPDATE, token_xml("04DD"))
    assert "04DD" not in changed(replicated)


def test_replica_is_left_alone_for_a_while_after_it_lagged(
    servers: tuple[str, Standby], standby: Standby
) -> None:
    database = Database(servers[0], read_url=standby.url, replica_wait_ms=100)
    standby.pause()
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE partner SET reading = reading")
    assert not served_by_replica(database)
    began = time.monotonic()
    assert not served_by_replica(database)
    assert time.monotonic() - began < 0.1
    database.dispose()


def test_position_holds_without_synchronous_commits_too(
    servers: tuple[str, Standby], standby: Standby
) -> None:
    hurried = servers[0] + "&options=-csynchronous_commit%3Doff"
    database = Database(hurried, read_url=standby.url, replica_wait_ms=2_000)
    for number in range(20):
        with database.begin() as connection:
            connection.exec_driver_sql(f"UPDATE partner SET cdrs_per_answer_max = {number + 1}")
        with database.snapshot() as connection:
            shown = connection.exec_driver_sql("SELECT DISTINCT cdrs_per_answer_max FROM partner")
            assert shown.scalars().all() == [number + 1]
    database.dispose()


def test_unreachable_replica(servers: tuple[str, Standby]) -> None:
    database = Database(servers[0], read_url="postgresql://nobody@127.0.0.1:1/none")
    assert not served_by_replica(database)
    database.dispose()


def test_read_address_that_leads_to_the_primary(servers: tuple[str, Standby]) -> None:
    database = Database(servers[0], read_url=servers[0] + "&application_name=other")
    with database.snapshot() as connection:
        named = connection.exec_driver_sql("SHOW application_name").scalar_one()
    # The engine's own name wins over the address's; what matters is that it answered at once.
    assert named == "ochp-chs"
    assert database._replica_rests_until == 0
    database.dispose()


def test_server_that_is_no_replica_of_this_primary(
    servers: tuple[str, Standby], postgres_url: str
) -> None:
    database = Database(servers[0], read_url=postgres_url)
    with database.snapshot() as connection:
        shown = connection.exec_driver_sql("SELECT count(*) FROM partner").scalar_one()
    assert shown == 2
    database.dispose()
