"""What the server does by itself from time to time, beside answering requests."""

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Chore:
    """One thing to do again and again; it must not mind being done by several nodes at once."""

    name: str
    do: Callable[[], object]


def nothing_to_note(_chore: str, _succeeded: bool) -> None:
    """For who does not want to know how chores end."""


class Chores(threading.Thread):
    """Does every chore about every `pause_s` seconds until `stop()`; a failure ends none of them.

    Started in a worker after it was forked, never in the master: see serving/server.py. It is a
    daemon, so that a worker need not wait for it at its end.
    """

    def __init__(
        self,
        chores: Sequence[Chore],
        *,
        pause_s: float,
        on_done: Callable[[str, bool], None] = nothing_to_note,
    ) -> None:
        super().__init__(name="chores", daemon=True)
        #: Told the name of a chore and whether it succeeded.
        self._on_done = on_done
        self._chores = chores
        self._pause_s = pause_s
        self._stopped = threading.Event()

    def run(self) -> None:
        """Go on until `stop()`."""
        # Workers start together and need not all knock at the database at the same time.
        while not self._stopped.wait(random.uniform(0.5, 1.5) * self._pause_s):  # noqa: S311
            for chore in self._chores:
                try:
                    chore.do()
                except Exception:
                    log.exception("chore failed and is tried again", chore=chore.name)
                    self._on_done(chore.name, False)
                else:
                    self._on_done(chore.name, True)

    def stop(self) -> None:
        """Begin nothing more; returns when what was begun is done."""
        self._stopped.set()
        if self.is_alive():
            self.join()
