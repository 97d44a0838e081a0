import os

from ochp_chs.serving.shares import ConnectionCounts


def test_who_has_more_than_another_is_ahead():
    counts = ConnectionCounts()
    counts.set(1, 3)
    assert not counts.is_ahead(1)
    counts.set(2, 2)
    assert counts.is_ahead(1)
    assert not counts.is_ahead(2)
    counts.set(2, 3)
    assert not counts.is_ahead(1)


def test_who_takes_none_any_more_does_not_count():
    counts = ConnectionCounts()
    counts.set(1, 3)
    counts.set(2, 0)
    counts.forget(2)
    assert not counts.is_ahead(1)


def test_processes_see_each_others_counts():
    counts = ConnectionCounts()
    counts.set(1, 1)
    child = os.fork()
    if not child:
        counts.set(2, 0)
        os._exit(0)
    os.waitpid(child, 0)
    assert counts.is_ahead(1)


def test_number_of_a_worker_may_be_any():
    counts = ConnectionCounts()
    counts.set(100_001, 1)
    counts.set(100_002, 0)
    assert counts.is_ahead(100_001)
