"""How many requests of a partner a node serves at once, over processes that come and go."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from ochp_chs.clearing.slots import PartnerSlots, Slot, TooManyRequests

_TAKES_TWO = """
import signal, sys
from ochp_chs.clearing.slots import PartnerSlots
slots = PartnerSlots(2, int(sys.argv[1]))
taken = slots.take(1), slots.take(1)
print("taken", end="", flush=True)
signal.pause()
"""


@pytest.fixture
def file() -> Iterator[int]:
    descriptor = os.memfd_create("slots")
    yield descriptor
    os.close(descriptor)


def take_all(slots: PartnerSlots, partner_id: int, count: int) -> list[Slot]:
    return [slots.take(partner_id) for _ in range(count)]


def test_as_many_as_may_be_and_one_more(file: int) -> None:
    slots = PartnerSlots(3, file)
    taken = take_all(slots, 7, 3)
    with pytest.raises(TooManyRequests, match="3 requests of yours under way"):
        slots.take(7)
    taken[1].release()
    with slots.take(7), pytest.raises(TooManyRequests):
        slots.take(7)
    assert take_all(slots, 7, 1)


def test_partners_do_not_take_from_each_other(file: int) -> None:
    slots = PartnerSlots(2, file)
    take_all(slots, 1, 2)
    assert len(take_all(slots, 2, 2)) == 2
    assert len(take_all(slots, 2**31, 2)) == 2


def test_slot_is_given_back_once(file: int) -> None:
    slots = PartnerSlots(1, file)
    first = slots.take(1)
    first.release()
    second = slots.take(1)
    first.release()
    with pytest.raises(TooManyRequests):
        slots.take(1)
    second.release()


def test_two_that_count_together(file: int) -> None:
    one, other = PartnerSlots(2, file), PartnerSlots(2, file)
    first, second = one.take(1), other.take(1)
    for slots in (one, other):
        with pytest.raises(TooManyRequests):
            slots.take(1)
    first.release()
    other.take(1).release()
    second.release()
    assert len(take_all(one, 1, 2)) == 2


def test_one_that_counts_alone() -> None:
    assert [PartnerSlots(1).take(1), PartnerSlots(1).take(1)]


def test_slots_of_a_process_that_was_killed(file: int) -> None:
    slots = PartnerSlots(2, file)
    process = subprocess.Popen(
        [sys.executable, "-c", _TAKES_TWO, str(file)], pass_fds=[file], stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.read(5) == b"taken"
        with pytest.raises(TooManyRequests):
            slots.take(1)
        process.kill()
    assert len(take_all(slots, 1, 2)) == 2


def test_threads_never_have_more_than_may_be(file: int) -> None:
    slots = PartnerSlots(3, file)
    under_way = most = 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal under_way, most
        for _ in range(300):
            try:
                slot = slots.take(1)
            except TooManyRequests:
                continue
            with lock:
                under_way += 1
                most = max(most, under_way)
            with lock:
                under_way -= 1
            slot.release()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= most <= 3
    assert len(take_all(slots, 1, 3)) == 3
