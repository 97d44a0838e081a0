"""The time of a change is read under the publishing lock (repository/changes.py)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import sqlalchemy as sa

from ochp_chs.repository import changes
from ochp_chs.repository.engine import Database
from ochp_chs.repository.live_status import LIVE_STATUS
from ochp_chs.repository.tables import change
from ochp_chs.repository.tokens import TOKENS

_WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


def publish(database: Database, identifier: int) -> None:
    with database.begin() as connection:
        changes.publish(connection, LIVE_STATUS, identifier)


def time_of(database: Database, identifier: int) -> datetime:
    with database.begin() as connection:
        return connection.execute(
            sa.select(change.c.changed_at).where(change.c.id == identifier)
        ).scalar_one()


def test_change_that_waited_for_a_poll_is_later_than_the_poll(database: Database) -> None:
    with ThreadPoolExecutor(1) as pool:
        with database.begin() as poll:
            changes.await_publishers(poll, LIVE_STATUS)
            publishing = pool.submit(publish, database, 1)
            with database.begin() as observer:
                while not observer.exec_driver_sql(_WAITING).scalar_one():
                    assert not publishing.done()
                polled_at = observer.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
        publishing.result(timeout=10)
    assert time_of(database, 1) > polled_at


def test_changes_wait_neither_for_each_other_nor_for_polls_of_other_feeds(
    database: Database,
) -> None:
    with database.begin() as poll, database.begin() as other:
        changes.await_publishers(poll, TOKENS)
        changes.publish(other, LIVE_STATUS, 1)
        publish(database, 2)
    assert time_of(database, 1) < time_of(database, 2)
