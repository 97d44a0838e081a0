"""How failing callers are slowed down."""

import threading
from dataclasses import replace

import pytest

from ochp_chs.clearing.failures import Delay, DelaySettings, FailureDelays

SETTINGS = DelaySettings()


class Clock:
    """A monotonic clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def delays(clock: Clock, settings: DelaySettings = SETTINGS) -> FailureDelays:
    return FailureDelays(settings, monotonic=clock, sleep=lambda _: None)


def seconds(failing: FailureDelays, times: int, user: str = "u", address: str = "a") -> list[float]:
    return [failing.count(user, address).seconds for _ in range(times)]


def test_the_first_failures_cost_nothing_and_the_next_ones_double_up_to_the_cap() -> None:
    assert seconds(delays(Clock()), 10) == [0, 0, 0, 0.25, 0.5, 1, 2, 4, 4, 4]


def test_a_failure_is_forgotten_after_its_time() -> None:
    clock = Clock()
    failing = delays(clock)
    seconds(failing, 5)
    clock.now += 2 * SETTINGS.forget_one_s
    assert seconds(failing, 1) == [0.25]
    clock.now += 10 * SETTINGS.forget_one_s
    assert failing.count("u", "a") == Delay(user_failures=1, address_failures=1, seconds=0)


def test_a_partly_forgotten_failure_still_counts_whole() -> None:
    clock = Clock()
    failing = delays(clock)
    seconds(failing, 3)
    clock.now += 0.5 * SETTINGS.forget_one_s
    assert failing.count("u", "a").user_failures == 4


def test_endless_failures_are_forgotten_in_bounded_time() -> None:
    clock = Clock()
    failing = delays(clock)
    seconds(failing, 1000)
    clock.now += SETTINGS.failures_max * SETTINGS.forget_one_s
    assert seconds(failing, 1) == [0]


def test_one_user_from_many_addresses_is_slowed_down() -> None:
    failing = delays(Clock())
    brought = [failing.count("u", f"10.0.0.{number}") for number in range(4)]
    assert brought[-1] == Delay(user_failures=4, address_failures=1, seconds=0.25)


def test_one_address_with_many_users_is_slowed_down() -> None:
    failing = delays(Clock())
    brought = [failing.count(f"user{number}", "10.0.0.1") for number in range(4)]
    assert brought[-1] == Delay(user_failures=1, address_failures=4, seconds=0.25)


def test_others_are_not_slowed_down() -> None:
    failing = delays(Clock())
    seconds(failing, 10)
    assert failing.count("other", "b").seconds == 0


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("unknown", "", False),
    ],
)
def test_addresses_of_one_subscriber_count_together(one: str, other: str, together: bool) -> None:
    failing = delays(Clock())
    failing.count("u", one)
    assert failing.count("v", other).address_failures == (2 if together else 1)


def test_memory_is_bounded_and_names_do_not_push_out_addresses() -> None:
    failing = delays(Clock(), replace(SETTINGS, remembered_max=3))
    seconds(failing, 3, user="first")
    for number in range(3):
        failing.count(f"made-up-{number}", "a")
    assert failing.count("first", "b") == Delay(user_failures=1, address_failures=1, seconds=0)
    assert failing.count("other", "a").address_failures == 7


def test_endless_names_are_remembered_by_their_beginning() -> None:
    failing = delays(Clock())
    failing.count("x" * 1_000_000, "a")
    assert failing.count("x" * 128, "b").user_failures == 2


def test_a_delay_is_slept_and_none_is_not() -> None:
    slept: list[float] = []
    failing = FailureDelays(SETTINGS, sleep=slept.append)
    assert failing.hold_up(Delay(4, 1, 0.25))
    assert failing.hold_up(Delay(1, 1, 0))
    assert slept == [0.25]


def test_no_more_threads_than_allowed_wait_at_once() -> None:
    entered, leave = threading.Semaphore(0), threading.Event()

    def sleep(_: float) -> None:
        entered.release()
        leave.wait(10)

    failing = FailureDelays(replace(SETTINGS, sleepers_max=2), sleep=sleep)
    delay = Delay(9, 9, 4)
    threads = [threading.Thread(target=failing.hold_up, args=(delay,)) for _ in range(2)]
    for thread in threads:
        thread.start()
        assert entered.acquire(timeout=10)
    assert not failing.hold_up(delay)
    leave.set()
    for thread in threads:
        thread.join()
    assert failing.hold_up(delay)


def test_a_sleep_that_breaks_off_gives_its_place_back() -> None:
    def sleep(_: float) -> None:
        raise KeyboardInterrupt

    failing = FailureDelays(replace(SETTINGS, sleepers_max=1), sleep=sleep)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            failing.hold_up(Delay(9, 9, 4))
