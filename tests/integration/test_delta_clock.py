"""PostgreSQL's clock set back or forward by an hour, or by years: no change is missing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from ochp_chs.config import Settings
from ochp_chs.ochp.roles import Carries
from ochp_chs.repository import changes, migrate
from ochp_chs.repository.engine import Database
from ochp_chs.repository.steady_clock import SteadyClock
from tests.support.edge import Clock, Edge, O
from tests.support.endpoints import SECRET_KEY
from tests.support.tokens import token_xml

HOUR = 3600
YEARS = 70 * 365 * 86400

# What is named in the search path before pg_catalog shadows PostgreSQL's own functions.
_SHADOW = """
CREATE SCHEMA shadow;
CREATE TABLE shadow.set_by (seconds double precision NOT NULL);
INSERT INTO shadow.set_by VALUES (0);
CREATE FUNCTION shadow.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
    SELECT pg_catalog.clock_timestamp() + seconds * interval '1 second' FROM shadow.set_by
$$;
CREATE FUNCTION shadow.statement_timestamp() RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT pg_catalog.statement_timestamp() + seconds * interval '1 second' FROM shadow.set_by
$$;
"""


@dataclass
class House:
    """A server on a PostgreSQL whose clock can be set, and a CPO that follows."""

    edge: Edge
    database: Database

    def set_clock(self, seconds: float) -> None:
        """Set PostgreSQL's clock off by so much."""
        with self.database.begin() as connection:
            connection.execute(sa.text("UPDATE shadow.set_by SET seconds = :s"), {"s": seconds})

    def send(self, instance: str) -> None:
        sent = token_xml(instance)
        assert self.edge.call("emp", "UpdateRoamingAuthorisationList", sent).result == "ok"

    def poll(self, since: datetime, partner: str = "cpo") -> set[str]:
        """What changed since, by the clock of the partner, which is right."""
        asked = f"<lastUpdate><DateTime>{since:%Y-%m-%dT%H:%M:%SZ}</DateTime></lastUpdate>"
        reply = self.edge.call(partner, "GetRoamingAuthorisationListUpdates", asked)
        return {
            record.findtext(f"{O}EmtId/{O}instance") or ""
            for record in reply.elements("roamingAuthorisationInfo")
        }


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def house(empty_postgres_url: str, clock: Clock) -> Iterator[House]:
    migrate.upgrade(empty_postgres_url)
    setup = Database(empty_postgres_url)
    with setup.begin() as connection:
        connection.exec_driver_sql(_SHADOW)
        name = connection.execute(sa.text("SELECT current_database()")).scalar_one()
        connection.exec_driver_sql(
            f'ALTER DATABASE "{name}" SET search_path = public, shadow, pg_catalog'
        )
    setup.dispose()
    database = Database(empty_postgres_url)
    edge = Edge(database, clock, Settings(clock_tolerance_s=0, secret_key=SECRET_KEY))
    edge.partner("emp", "emp", "DE-EMP")
    edge.partner("cpo", "cpo", "DE*CPO")
    edge.partner("cpo2", "cpo", "DE*CP2")
    edge.connect("emp", "cpo")
    with database.begin() as connection:
        # Nobody is new to anybody, whose deltas would hold everything.
        connection.exec_driver_sql(
            "UPDATE roaming_connection SET connected_at = '2020-01-01';"
            " UPDATE partner_party SET granted_at = '2020-01-01'"
        )
    yield House(edge, database)
    database.dispose()


@pytest.mark.parametrize("seconds", [-HOUR, HOUR])
def test_change_after_a_jump(house: House, seconds: float) -> None:
    house.send("04AAAAAA")
    polled = now()
    assert house.poll(polled.replace(year=2000)) == {"04AAAAAA"}
    house.set_clock(seconds)
    house.send("04BBBBBB")
    assert "04BBBBBB" in house.poll(polled)
    polled = now()
    house.send("04CCCCCC")
    assert "04CCCCCC" in house.poll(polled)
    house.set_clock(0)
    polled = now()
    house.send("04DDDDDD")
    assert "04DDDDDD" in house.poll(polled)


def test_without_a_steady_clock_it_would_be_missing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.send("04AAAAAA")
    polled = now()
    monkeypatch.setattr(changes, "_steady", lambda: datetime(2000, 1, 1, tzinfo=UTC))
    house.set_clock(-HOUR)
    with house.database.begin() as connection:
        connection.execute(
            sa.text("UPDATE change SET changed_at = changed_at - interval '1 minute'")
        )
    house.send("04BBBBBB")
    assert "04BBBBBB" not in house.poll(polled)


def test_server_that_began_after_the_jump_goes_on_from_the_last_change(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = now()
    house.send("04AAAAAA")
    house.set_clock(-HOUR)
    monkeypatch.setattr(changes, "_steady", SteadyClock(wall=lambda: now().timestamp() - HOUR))
    house.send("04BBBBBB")
    assert house.poll(began) == {"04AAAAAA", "04BBBBBB"}


def test_connection_made_after_the_jump_brings_everything(house: House) -> None:
    house.edge.connect("cpo2", "emp", only=[Carries.CDRS])
    polled = now()
    house.send("04AAAAAA")
    house.set_clock(-HOUR)
    house.edge.connect("cpo2", "emp")
    assert house.poll(polled, "cpo2") == {"04AAAAAA"}


def test_year_that_was_wrong_for_a_minute_is_not_believed_for_ever(house: House) -> None:
    house.set_clock(YEARS)
    house.send("04AAAAAA")
    house.set_clock(0)
    house.send("04BBBBBB")
    with house.database.begin() as connection:
        times = (
            connection.execute(sa.text("SELECT changed_at FROM change ORDER BY id")).scalars().all()
        )
    assert times[0].year > 2090
    assert abs((times[1] - now()).total_seconds()) < 60
