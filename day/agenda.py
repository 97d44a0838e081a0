"""What a partner does when: times of the day, from 0 to 1, each with something to do."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from day.wire import Book, Line

#: Full lists are sent and fetched before, everything else after.
NIGHT_ENDS = 0.16


@dataclass
class Agenda:
    """One partner's day."""

    line: Line
    book: Book
    chance: random.Random
    entries: list[tuple[float, Callable[[], object]]] = field(default_factory=list)

    def at(self, begin: float, end: float, do: Callable[[], object]) -> None:
        """Once, some time between the two."""
        self.entries.append((self.chance.uniform(begin, end), do))

    def regularly(self, times: int, do: Callable[[], object]) -> None:
        """So many times from the end of the night to the end of the day, evenly."""
        pause = (1 - NIGHT_ENDS) / times
        offset = self.chance.uniform(0, pause)
        self.entries += [(NIGHT_ENDS + n * pause + offset, do) for n in range(times)]

    def live(self, day_s: float) -> None:
        """Do everything, each at its time or as soon after it as possible."""
        for moment, do in sorted(self.entries, key=lambda entry: entry[0]):
            wait_s = self.book.began + moment * day_s - time.monotonic()
            if wait_s > 0:
                time.sleep(wait_s)
            else:
                self.book.late_s = max(self.book.late_s, -wait_s)
            # Noted by the line; the day goes on, and its end tells what that did.
            try:
                do()
            except Exception as error:
                self._note(error)
        self.line.close()

    def _note(self, error: Exception) -> None:
        if not self.book.errors or self.line.partner not in self.book.errors[-1]:
            self.book.errors.append(f"{self.line.partner}: {type(error).__name__}: {error}")
