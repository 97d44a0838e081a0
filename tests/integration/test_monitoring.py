"""What the database tells an operator."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from ochp_chs.repository import monitoring
from ochp_chs.repository.engine import Database
from ochp_chs.repository.monitoring import Findings, find_all
from ochp_chs.repository.tables import cdr

NOW = datetime.now(UTC)


def insert(database: Database, status: str, count: int, provider: str = "DEEMP", **more: object):
    """CDRs without content."""
    with database.begin() as connection:
        first = connection.execute(sa.select(sa.func.coalesce(sa.func.max(cdr.c.id), 0))).scalar()
        row = {
            "operator": "DECPO",
            "provider": provider,
            "contract_key": "DEEMPC00000001",
            "status": status,
            "version": 1,
            "evse_key": "DECPOE1",
            **dict.fromkeys(("starts_at", "ends_at", "accepted_at", "status_at"), NOW),
            **more,
        }
        names = [f"{provider}{first + n}" for n in range(count)]
        connection.execute(
            cdr.insert(), [{**row, "key": name, "cdr_id": name} for name in names]
        )  # fmt: skip


def found(database: Database) -> Findings:
    return find_all(database)


def test_no_cdrs(database):
    assert set(found(database).cdrs.values()) == {0}
    assert found(database).oldest_unconfirmed_age_s == 0


def test_cdrs_by_status_over_all_providers(database):
    insert(database, "accepted", 3)
    insert(database, "accepted", 4, "NLEMP")
    insert(database, "approved", 2)
    insert(database, "declined", 1, "ATEMP")

    assert found(database).cdrs == {
        "accepted": 7,
        "revised": 0,
        "approved": 2,
        "declined": 1,
        "rejected": 0,
    }


def test_oldest_that_waits_is_of_any_provider_and_not_final(database):
    insert(database, "approved", 1, accepted_at=NOW - timedelta(days=9))
    insert(database, "declined", 1, accepted_at=NOW - timedelta(days=8))
    insert(database, "accepted", 1, accepted_at=NOW - timedelta(days=1))
    insert(database, "revised", 1, "NLEMP", accepted_at=NOW - timedelta(days=3))

    age = found(database).oldest_unconfirmed_age_s

    assert age == pytest.approx(timedelta(days=3).total_seconds(), abs=600)


def test_many_cdrs_are_estimated(database, monkeypatch):
    monkeypatch.setattr(monitoring, "CDRS_COUNTED_MAX", 50)
    insert(database, "approved", 400)
    insert(database, "accepted", 10)
    with database.begin() as connection:
        connection.exec_driver_sql("ANALYZE cdr")

    counts = found(database).cdrs

    assert counts["approved"] == pytest.approx(400, rel=0.1)
    assert counts["accepted"] == 10


def test_many_cdrs_of_which_the_planner_does_not_know_yet(database, monkeypatch):
    with database.begin() as connection:
        connection.exec_driver_sql("ANALYZE cdr")
    monkeypatch.setattr(monitoring, "CDRS_COUNTED_MAX", 50)
    insert(database, "approved", 60)

    assert found(database).cdrs["approved"] >= 50


@pytest.mark.parametrize(
    "statement", [monitoring._COUNTS, monitoring._OLDEST_UNCONFIRMED], ids=["counts", "oldest"]
)
def test_statements_use_the_index_and_read_no_table(database, statement):
    insert(database, "approved", 2000)
    insert(database, "accepted", 2000, "NLEMP")
    parameters = {"statuses": ["accepted"], "counted_max": 100}
    with database.begin() as connection:
        connection.exec_driver_sql("ANALYZE cdr")
        explained = sa.text(f"EXPLAIN {statement.text}")
        names = {name: value for name, value in parameters.items() if f":{name}" in statement.text}
        plan = "\n".join(connection.execute(explained, names).scalars())

    assert "ix_cdr_provider_status_id" in plan
    assert "Seq Scan on cdr" not in plan
