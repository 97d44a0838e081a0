import threading

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ochp_chs.repository.engine import Database


@pytest.fixture
def small(postgres_url):
    """A pool of one connection, and one more under pressure."""
    database = Database(postgres_url, pool_size=1)
    yield database
    database.dispose()


def test_before_the_first_use(small):
    assert small.usage().size == 0


def test_connections_in_use_and_idle(small):
    with small.begin(), small.begin():
        usage = small.usage()
        assert (usage.size, usage.in_use, usage.idle) == (2, 2, 0)

    usage = small.usage()
    assert (usage.in_use, usage.idle, usage.waits) == (0, 1, 0)


def test_wait_for_a_connection_is_counted_with_its_time(small):
    begun, done = threading.Event(), threading.Event()

    def hold() -> None:
        with small.begin():
            begun.set()
            done.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    begun.wait(10)
    timer = threading.Timer(0.2, done.set)
    timer.start()
    with small.begin(), small.begin():
        usage = small.usage()
    holder.join()
    timer.join()

    assert usage.waits == 1
    assert usage.wait_s >= 0.1
    assert usage.timeouts == 0


def test_wait_in_vain(small, monkeypatch):
    with small.begin(), small.begin():
        pool = next(iter(small._own_engines().values())).pool
        monkeypatch.setattr(pool, "_timeout", 0.05)
        with pytest.raises(PoolTimeout), small.begin():
            pass

    usage = small.usage()
    assert (usage.waits, usage.timeouts) == (1, 1)
    assert usage.in_use == 0
