import os
import signal
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from ochp_chs.serving.worker import BoundedThreadWorker


class Pool(ThreadPoolExecutor):
    """A pool whose lock is held by the thread that the signal has interrupted."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        raise AssertionError("the handler would wait for ever")


def test_signal_in_the_middle_of_handing_a_request_to_the_pool_ends_the_worker() -> None:
    worker = BoundedThreadWorker.__new__(BoundedThreadWorker)
    worker.alive, worker.tpool, worker._wake_up = True, Pool(1), os.eventfd(0)
    worker.cfg = SimpleNamespace(worker_int=lambda _: None)
    for number in (signal.SIGINT, signal.SIGQUIT):
        with pytest.raises(SystemExit):
            worker.handle_quit(number, None)
    assert not worker.alive
