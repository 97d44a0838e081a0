import threading

import pytest
import structlog

from ochp_chs.serving.chores import Chore, Chores

WAIT_S = 10


@pytest.fixture
def start():
    running = []

    def _start(*chores):
        running.append(Chores(chores, pause_s=0.001))
        running[-1].start()
        return running[-1]

    yield _start
    for each in running:
        each.stop()


def often(times):
    """A chore's function, and an event that is set when it was called so often."""
    reached, calls = threading.Event(), []

    def do():
        calls.append(1)
        if len(calls) >= times:
            reached.set()

    return do, reached


def test_chore_is_done_again_and_again(start):
    do, reached = often(3)

    start(Chore("count", do))

    assert reached.wait(WAIT_S)


def test_failing_chore_is_logged_and_ends_neither_itself_nor_the_others(start):
    failing, failed = often(2)
    do, reached = often(2)

    def fail():
        failing()
        raise RuntimeError("broken")

    with structlog.testing.capture_logs() as entries:
        start(Chore("break", fail), Chore("count", do))
        assert failed.wait(WAIT_S)
        assert reached.wait(WAIT_S)

    assert {entry["chore"] for entry in entries} == {"break"}


def test_what_was_begun_is_done_when_the_end_is_there(start):
    do, reached = often(1)
    finished = []

    def work():
        do()
        threading.Event().wait(0.05)
        finished.append(1)

    chores = start(Chore("work", work))
    assert reached.wait(WAIT_S)
    chores.stop()

    assert finished
    assert not chores.is_alive()


def test_end_before_the_beginning():
    Chores([], pause_s=1).stop()
