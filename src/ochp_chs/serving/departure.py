"""That the server is about to leave: said by the master, known to all workers at once."""

import mmap


class Departure:
    """Made before the workers are forked, who share it with the master."""

    def __init__(self) -> None:
        # Memory that a fork shares and does not copy; it goes with the last process.
        self._flag = mmap.mmap(-1, 1)

    def announce(self) -> None:
        """Say it; there is no way back."""
        self._flag[0] = 1

    def is_announced(self) -> bool:
        """Whether it was said, by whichever process."""
        return self._flag[0] == 1
