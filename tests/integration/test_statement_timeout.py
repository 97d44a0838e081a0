"""One statement cannot keep the database busy without end."""

import time

import pytest

from ochp_chs.repository.engine import Database

SLEEP = "SELECT pg_sleep(20)"


def test_statement_that_takes_too_long_is_ended(postgres_url: str) -> None:
    database = Database(postgres_url, statement_timeout_s=1)
    began = time.monotonic()
    with (
        pytest.raises(Exception, match="statement timeout"),
        database.begin() as connection,
    ):
        connection.exec_driver_sql(SLEEP)
    assert time.monotonic() - began < 10
    with (
        pytest.raises(Exception, match="statement timeout"),
        database.snapshot() as connection,
    ):
        connection.exec_driver_sql(SLEEP)
    database.dispose()


def test_statements_of_a_transaction_are_counted_apart(postgres_url: str) -> None:
    database = Database(postgres_url, statement_timeout_s=1)
    with database.begin() as connection:
        for _ in range(3):
            connection.exec_driver_sql("SELECT pg_sleep(0.4)")
    database.dispose()
