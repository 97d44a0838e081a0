"""How many connections each worker has, so that none takes them all while another is idle.

All workers are told of a new connection, and whoever asks first has it. A worker that is awake asks
sooner than one that slept, so that a client's connections, kept for hours, may all end with one.
"""

import mmap

#: A worker that has fewer gets so long to take a connection before one that has more.
HEAD_START_S = 0.002

_UNUSED = -1
#: More than there are workers at any time; their numbers are counted up for as long as they run.
_PLACES = 128


class ConnectionCounts:
    """The counts of all workers of one master; to be made before the first of them is forked."""

    def __init__(self) -> None:
        # In memory of all processes; a number in it is written at once.
        self._counts = memoryview(mmap.mmap(-1, _PLACES * 4)).cast("i")
        for place in range(_PLACES):
            self._counts[place] = _UNUSED

    def set(self, worker: int, count: int) -> None:
        """The worker of this number takes connections, and has so many."""
        self._counts[worker % _PLACES] = count

    def forget(self, worker: int) -> None:
        """The worker takes no connections any more."""
        self._counts[worker % _PLACES] = _UNUSED

    def is_ahead(self, worker: int) -> bool:
        """Whether another worker has fewer connections than this one."""
        own = self._counts[worker % _PLACES]
        return any(_UNUSED < count < own for count in self._counts)
