"""Everybody's day at once, and an upgrade of the nodes in the middle of it."""

import threading
import time
from collections.abc import Callable, Sequence

from day.cpo import Cpo
from day.emp import Emp
from day.wire import Book
from tests.support.scale import Scale

#: When which node is replaced, as shares of the day: an upgrade at noon, without a pause.
_REPLACED_AT = (0.4, 0.5, 0.6)


def live(partners: Sequence[Cpo | Emp], day_s: float, meanwhile: Callable[[], object]) -> None:
    """Let every partner live its day, each in a thread of its own."""
    lives = [partner.agenda().live for partner in partners]
    threads = [threading.Thread(target=each, args=[day_s]) for each in lives]
    threads.append(threading.Thread(target=meanwhile))
    for thread in threads:
        # Who is ended from outside does not wait for the evening.
        thread.daemon = True
        thread.start()
    for thread in threads:
        thread.join()


def replace_nodes(scale: Scale, book: Book, day_s: float, marks: list[float]) -> None:
    """End each node in order and begin it anew, one after the other; `marks` are the moments."""
    for node, moment in zip(scale.nodes, _REPLACED_AT, strict=True):
        time.sleep(max(0.0, book.began + moment * day_s - time.monotonic()))
        marks.append(time.monotonic() - book.began)
        try:
            scale.replace(node)
        except Exception as error:
            book.errors.append(f"node {node.port} was not replaced: {error!r}")
