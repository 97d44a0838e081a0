"""Backup and restore with data, by the very commands of docs/operate.md."""

import gzip
import re
import shlex
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ochp_chs.config import Settings
from ochp_chs.repository import migrate
from ochp_chs.repository.engine import Connection, Database
from tests.acceptance.test_every_operation import story
from tests.deploy.database import Installation, install
from tests.support.edge import Edge
from tests.support.endpoints import SECRET_KEY
from tests.support.scale import DEPLOY
from tests.support.tokens import token_xml

_BOOK = (DEPLOY.parent / "docs" / "operate.md").read_text(encoding="utf-8")
_PROGRAM = f"{shlex.quote(sys.executable)} -m ochp_chs.cli.main"
_MANY = 3_000


def commands(name: str) -> str:
    """The block of commands that the document marks by this name."""
    found = re.search(rf"<!-- test: {name} -->\n```\n(.*?)```", _BOOK, re.DOTALL)
    assert found, f"docs/operate.md has no block {name}"
    return found[1]


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """A running database with the schema, without data."""
    installation = install(tmp_path / "chs", _PROGRAM, DEPLOY / "postgres" / "archive.sh")
    try:
        migrate.upgrade(installation.url)
        yield installation
    finally:
        installation.type("docker compose stop database || true")


class House:
    """The clearing house on that database, used while the database is up."""

    def __init__(self, url: str) -> None:
        self.database = Database(url, pool_size=2)
        settings = Settings(clock_tolerance_s=0, secret_key=SECRET_KEY)
        self.edge = Edge(self.database, lambda: datetime.now(UTC), settings)

    def fill(self) -> None:
        """Something of everything: partners, and the story of all operations."""
        for name, roles, party_ids in (
            ("emp", "emp", ["DE-EMP"]),
            ("cpo", "cpo", ["DE*CPO"]),
            ("cpo2", "cpo", ["NL*CP2"]),
            ("nsp", "nsp", []),
            ("nsp2", "nsp", []),
            ("pso", "pso", ["DE*PSO"]),
        ):
            self.edge.partner(name, roles, *party_ids)
        for other in ("emp", "nsp", "pso"):
            self.edge.connect("cpo", other)
        for each in story():
            self.edge.call(each.partner, each.operation, each.content, valid=False)

    def send_tokens(self, count: int) -> None:
        """A long list."""
        records = (token_xml(f"0A{n:08X}", contract_id=f"DE-EMP-C{n:08d}") for n in range(count))
        reply = self.edge.call("emp", "UpdateRoamingAuthorisationList", "".join(records))
        assert reply.result == "ok"

    def content(self) -> dict[str, list[str]]:
        """All rows of all tables, as text."""
        with self.database.begin() as connection:
            tables = connection.exec_driver_sql(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            )
            return {name: self._rows(connection, name) for name in tables.scalars().all()}

    def _rows(self, connection: Connection, table: str) -> list[str]:
        rows = connection.exec_driver_sql(f'SELECT CAST(t AS text) FROM "{table}" t ORDER BY 1')
        return list(rows.scalars())

    def moment(self) -> str:
        """PostgreSQL's time."""
        with self.database.begin() as connection:
            return str(connection.exec_driver_sql("SELECT clock_timestamp()").scalar())

    def close(self) -> None:
        """Let go of the database, which is going to stop."""
        self.database.dispose()


def test_dump_brings_back_everything(installation: Installation) -> None:
    house = House(installation.url)
    house.fill()
    house.send_tokens(_MANY)
    before = house.content()
    assert sum(map(len, before.values())) > _MANY
    assert all(before[name] for name in ("cdr", "charge_point", "service_endpoint", "partner"))
    installation.type(commands("dump"))
    house.edge.call("emp", "SetRoamingAuthorisationList", token_xml("04A1"))
    assert house.content() != before
    house.close()

    said = installation.type(commands("restore"))

    assert "the schema is as this release expects it" in said
    assert House(installation.url).content() == before


def test_restored_dump_goes_on(installation: Installation) -> None:
    house = House(installation.url)
    house.fill()
    installation.type(commands("dump"))
    house.close()
    installation.type(commands("restore"))

    house = House(installation.url)
    house.send_tokens(10)
    listed = house.edge.call("cpo", "GetRoamingAuthorisationListUpdates", _since())
    assert len(listed.elements("roamingAuthorisationInfo")) == 12


def test_point_in_time_brings_back_the_moment_before_a_mistake(installation: Installation) -> None:
    house = House(installation.url)
    house.fill()
    installation.type(commands("base"))
    # After the copy of the data: only the log has it.
    house.send_tokens(_MANY)
    before = house.content()
    moment = house.moment()
    house.edge.call("emp", "SetRoamingAuthorisationList", token_xml("04A1"))
    with house.database.begin() as connection:
        connection.exec_driver_sql("DELETE FROM cdr")
    # The archive has all that is finished; a minute later it would have this too.
    with house.database.begin() as connection:
        connection.exec_driver_sql("SELECT pg_switch_wal()")
    house.close()

    restore = commands("point-in-time")
    assert "recovery_target_time = '2026-11-21 10:00:00+00'" in restore
    restore = restore.replace("2026-11-21 10:00:00+00", moment)
    said = installation.type(restore.replace("/archive/%f", f"{installation.archive}/%f"))

    assert "the schema is as this release expects it" in said
    assert House(installation.url).content() == before


def test_archive_keeps_what_it_has(installation: Installation, tmp_path: Path) -> None:
    piece = tmp_path / "piece"
    piece.write_bytes(b"log" * 1000)
    script = DEPLOY / "postgres" / "archive.sh"
    keep = f"ARCHIVE={tmp_path} bash '{script}' {piece} 0001"

    installation.type(keep)
    # Once more after a crash is well, another piece by the same name is not.
    installation.type(keep)
    piece.write_bytes(b"other")
    installation.type(f"! {keep}")

    assert gzip.decompress((tmp_path / "0001.gz").read_bytes()) == b"log" * 1000
    assert [path.name for path in tmp_path.glob("0001*")] == ["0001.gz"]


def _since() -> str:
    return "<lastUpdate><DateTime>2000-01-01T00:00:00Z</DateTime></lastUpdate>"
