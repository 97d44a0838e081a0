"""Reading in a second thread: the same items, the same errors, and nothing goes on afterwards."""

import threading
from collections.abc import Iterator

import pytest

from ochp_chs.clearing.read_ahead import read_ahead


def test_items_in_their_order() -> None:
    with read_ahead(iter(range(1000))) as items:
        assert list(items) == list(range(1000))


def test_nothing_to_read() -> None:
    with read_ahead(iter(())) as items:
        assert list(items) == []


def test_error_comes_where_the_item_would_have_been() -> None:
    def broken() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("the message breaks off")

    with read_ahead(broken()) as items:
        assert [next(items), next(items)] == [1, 2]
        with pytest.raises(ValueError, match="the message breaks off"):
            next(items)


def test_no_more_is_read_than_was_asked_for_and_a_little() -> None:
    read = []

    def numbers() -> Iterator[int]:
        for number in range(1000):
            read.append(number)
            yield number

    with read_ahead(numbers(), items_max=2) as items:
        next(items)
    assert len(read) <= 5


def test_reading_has_ended_when_the_block_is_left_by_an_error() -> None:
    ended = threading.Event()

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 0
        finally:
            ended.set()

    def interrupted(source: Iterator[int]) -> None:
        with read_ahead(source) as items:
            next(items)
            raise RuntimeError("the database is gone")

    source = endless()
    with pytest.raises(RuntimeError, match="database"):
        interrupted(source)
    assert not [thread for thread in threading.enumerate() if thread.name == "read-ahead"]
    source.close()
    assert ended.is_set()
