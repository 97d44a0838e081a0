"""A clock of this process that nobody can set back."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime


class SteadyClock:
    """Goes on from the latest time that the system's clock ever showed, as time passes."""

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall = wall
        self._elapsed = elapsed
        self._lock = threading.Lock()
        #: How far the latest time is ahead of the time that passes.
        self._offset = wall() - elapsed()

    def __call__(self) -> datetime:
        """The time, aware; never earlier than at an earlier call."""
        with self._lock:
            elapsed = self._elapsed()
            self._offset = max(self._offset, self._wall() - elapsed)
            return datetime.fromtimestamp(self._offset + elapsed, UTC)
