import pytest
import sqlalchemy as sa

from ochp_chs.repository.engine import Database
from ochp_chs.repository.query import Query
from ochp_chs.repository.tables import partner
from tests.support.pooler import pooler

_PREPARED = sa.text("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'ochp_chs_%'")
_LOCK_TIMEOUT = sa.func.current_setting("lock_timeout")


def number(value):
    return Query(sa.select(sa.cast(sa.bindparam("n"), sa.Integer) + value))


@pytest.fixture
def own(postgres_url):
    database = Database(postgres_url, pool_size=1)
    yield database
    database.dispose()


@pytest.fixture
def pooled(postgres_url):
    with pooler(postgres_url) as url:
        database = Database(url, pool_size=1)
        yield database
        database.dispose()


class TestWithoutPooler:
    def test_what_was_asked_stays_prepared(self, own):
        prepared = Query(sa.select(sa.literal_column(f"({_PREPARED.text})")))

        assert own.ask(number(1), {"n": 1}) == [(2,)]
        assert own.ask(prepared, {}) == [(2,)]

    def test_table_that_became_another_is_asked_anew(self, own, database):
        everything = Query(sa.select(sa.text("* FROM changing")))
        with database.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE changing AS SELECT 1 AS a")
        try:
            before = own.ask(everything, {})
            with database.begin() as connection:
                connection.exec_driver_sql("ALTER TABLE changing ADD b integer DEFAULT 2")

            assert (before, own.ask(everything, {})) == ([(1,)], [(1, 2)])
        finally:
            with database.begin() as connection:
                connection.exec_driver_sql("DROP TABLE changing")

    def test_percent_sign_is_what_it_is(self, own):
        query = Query(
            sa.select(sa.literal("100%"), sa.literal_column("'5%' LIKE '_%'"), sa.bindparam("a"))
        )

        assert own.ask(query, {"a": "%s"}) == [("100%", True, "%s")]


class TestThroughPooler:
    def test_every_question_is_answered(self, pooled):
        queries = [number(value) for value in range(3)]

        answers = [pooled.ask(query, {"n": n}) for n in range(4) for query in queries]

        assert answers == [[(n + value,)] for n in range(4) for value in range(3)]

    def test_every_question_has_the_settings(self, pooled):
        query = Query(sa.select(_LOCK_TIMEOUT, sa.func.current_setting("enable_seqscan")))

        assert [pooled.ask(query, {}) for _ in range(4)] == [[("1min", "off")]] * 4

    def test_nothing_is_left_prepared_in_a_session(self, pooled):
        pooled.ask(number(1), {"n": 1})
        pooled.ask(number(1), {"n": 1})
        left = Query(sa.select(sa.literal_column(f"({_PREPARED.text})")))

        # In the same two sessions, in turn.
        assert [pooled.ask(left, {}) for _ in range(2)] == [[(0,)]] * 2

    def test_transactions_go_through_as_well(self, pooled, database):
        with pooled.begin() as connection:
            connection.execute(sa.insert(partner).values(name="a", password_hash="-"))
        names = Query(sa.select(partner.c.name))

        assert pooled.ask(names, {}) == database.ask(names, {}) == [("a",)]
