import os
from contextlib import suppress
from datetime import timedelta

import psycopg2
import pytest
import sqlalchemy as sa

from ochp_chs.repository.engine import Database, DatabaseUnavailable
from ochp_chs.repository.query import Query
from ochp_chs.repository.tables import partner


@pytest.fixture
def own(postgres_url):
    """A pool of this test's own, of one connection."""
    database = Database(postgres_url, pool_size=1)
    yield database
    database.dispose()


def add(connection, name):
    connection.execute(sa.insert(partner).values(name=name, password_hash="-"))


def names(database):
    with database.snapshot() as connection:
        return connection.execute(sa.select(partner.c.name)).scalars().all()


def show(connection, setting):
    return connection.execute(sa.text(f"SHOW {setting}")).scalar_one()


class TestBegin:
    def test_leaving_the_block_commits(self, database):
        with database.begin() as connection:
            add(connection, "a")

        assert names(database) == ["a"]

    def test_exception_rolls_back(self, database):
        with suppress(KeyError), database.begin() as connection:
            add(connection, "a")
            raise KeyError

        assert names(database) == []

    def test_times_are_utc(self, database):
        with database.begin() as connection:
            assert show(connection, "TimeZone") == "UTC"

    def test_settings_end_with_the_transaction(self, own):
        with own.begin() as connection:
            inside = show(connection, "lock_timeout")
            raw = connection.connection.dbapi_connection
        raw.autocommit = True
        with raw.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            assert (inside, cursor.fetchone()) == ("1min", ("0",))
        raw.autocommit = False

    def test_waiting_for_a_lock_has_an_end(self, database, postgres_url):
        hasty = Database(postgres_url, lock_timeout_ms=50)
        with database.begin() as holder:
            add(holder, "a")
            with pytest.raises(sa.exc.OperationalError, match="lock timeout"), hasty.begin() as c:
                add(c, "a")
        hasty.dispose()


class TestSnapshot:
    def test_shows_one_moment(self, database):
        with database.snapshot() as connection:
            before = connection.execute(sa.select(sa.func.count()).select_from(partner)).scalar()
            with database.begin() as other:
                add(other, "a")
            after = connection.execute(sa.select(sa.func.count()).select_from(partner)).scalar()

        assert (before, after) == (0, 0)

    def test_refuses_to_write(self, database):
        with (
            pytest.raises(sa.exc.InternalError, match="read-only"),
            database.snapshot() as connection,
        ):
            add(connection, "a")

    def test_does_not_make_later_transactions_read_only(self, own, database):
        with own.snapshot() as connection:
            connection.execute(sa.text("SELECT 1"))
        with own.begin() as connection:
            add(connection, "a")

        assert names(database) == ["a"]

    def test_streams(self, database):
        with database.snapshot() as connection:
            rows = connection.execution_options(stream_results=True, max_row_buffer=10).execute(
                sa.text("SELECT generate_series(1, 1000)")
            )
            assert sum(rows.scalars()) == 500500


class TestConnections:
    def test_lost_connection_is_replaced_unnoticed(self, own, database):
        with own.begin() as connection:
            pid = connection.execute(sa.text("SELECT pg_backend_pid()")).scalar()
        with database.begin() as connection:
            connection.execute(sa.text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})

        with own.begin() as connection:
            add(connection, "a")

        assert names(database) == ["a"]

    def test_child_process_opens_its_own(self, own):
        with own.begin() as connection:
            parent = connection.execute(sa.text("SELECT pg_backend_pid()")).scalar()
        child = os.fork()
        if child == 0:
            with own.begin() as connection:
                pid = connection.execute(sa.text("SELECT pg_backend_pid()")).scalar()
            os._exit(0 if pid != parent else 1)
        _, status = os.waitpid(child, 0)

        assert os.waitstatus_to_exitcode(status) == 0
        with own.begin() as connection:
            assert connection.execute(sa.text("SELECT pg_backend_pid()")).scalar() == parent

    def test_unreachable_database_is_one_line_without_password(self):
        with pytest.raises(DatabaseUnavailable) as caught:
            Database("postgresql://chs:hunter2@127.0.0.1:1/chs").ping()

        assert "Connection refused" in str(caught.value)
        assert "hunter2" not in str(caught.value)
        assert "\n" not in str(caught.value)


class TestAsk:
    def test_gives_all_rows(self, database):
        with database.begin() as connection:
            add(connection, "a")
            add(connection, "b")
        query = Query(sa.select(partner.c.name).where(partner.c.name != sa.bindparam("but")))

        assert database.ask(query, {"but": "b"}) == [("a",)]

    def test_has_the_settings_of_a_transaction(self, own):
        query = Query(sa.select(sa.func.current_setting("lock_timeout"), sa.func.now()))

        ((lock_timeout, now),) = own.ask(query, {})

        assert (lock_timeout, now.utcoffset()) == ("1min", timedelta(0))

    def test_lost_connection_is_replaced_unnoticed(self, own, database):
        query = Query(sa.select(sa.func.pg_backend_pid()))
        ((pid,),) = own.ask(query, {})
        with database.begin() as connection:
            connection.execute(sa.text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})

        assert own.ask(query, {}) != [(pid,)]

    def test_refusal_of_the_database_is_no_lost_connection(self, own):
        query = Query(sa.select(sa.literal_column("1") / sa.bindparam("by", type_=sa.Integer)))

        with pytest.raises(psycopg2.errors.DivisionByZero):
            own.ask(query, {"by": 0})
        assert own.ask(query, {"by": 1}) == [(1,)]
