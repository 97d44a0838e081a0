"""Reading what comes next in a second thread, while this one is busy with what came before."""

from collections.abc import Iterator
from contextlib import contextmanager
from queue import Full, Queue
from threading import Event, Thread
from typing import Generic, TypeVar

T = TypeVar("T")

#: A reader that is not wanted any more finds out after this long at most, in seconds.
_PUT_TIMEOUT_S = 0.2


@contextmanager
def read_ahead(items: Iterator[T], items_max: int = 1) -> Iterator[Iterator[T]]:
    """The same items; up to `items_max` are ready before they are asked for.

    What reading raises is raised where the item would have been. When the block is left, reading
    has stopped, whatever the reason: nobody else uses what it works with.
    """
    reader = _Reader(items, items_max)
    reader.thread.start()
    try:
        yield reader.items()
    finally:
        reader.unwanted.set()
        reader.thread.join()


class _Reader(Generic[T]):
    def __init__(self, source: Iterator[T], items_max: int) -> None:
        self._source = source
        self._ready: Queue[tuple[T] | BaseException | None] = Queue(items_max)
        self.unwanted = Event()
        self.thread = Thread(target=self._read, name="read-ahead", daemon=True)

    def items(self) -> Iterator[T]:
        while (ready := self._ready.get()) is not None:
            if isinstance(ready, BaseException):
                raise ready
            yield ready[0]

    def _read(self) -> None:
        try:
            for item in self._source:
                self._put((item,))
                if self.unwanted.is_set():
                    break
        except BaseException as error:
            self._put(error)
        else:
            self._put(None)

    def _put(self, ready: "tuple[T] | BaseException | None") -> None:
        while not self.unwanted.is_set():
            try:
                self._ready.put(ready, timeout=_PUT_TIMEOUT_S)
            except Full:
                continue
            return
