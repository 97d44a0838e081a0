"""A clock that nobody can set back."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from ochp_chs.repository.steady_clock import SteadyClock


@dataclass
class _Times:
    """What the system says: the time, and how long it has been running."""

    wall: float = 1_000_000.0
    running: float = 50.0

    def pass_by(self, seconds: float) -> None:
        self.wall += seconds
        self.running += seconds


@pytest.fixture
def times() -> _Times:
    return _Times()


@pytest.fixture
def clock(times: _Times) -> SteadyClock:
    return SteadyClock(lambda: times.wall, lambda: times.running)


def test_is_the_systems_time(times: _Times, clock: SteadyClock) -> None:
    times.pass_by(10)
    assert clock() == datetime.fromtimestamp(times.wall, UTC)


def test_goes_on_when_the_clock_is_set_back(times: _Times, clock: SteadyClock) -> None:
    times.pass_by(10)
    before = clock()
    times.wall -= 3600
    assert clock() == before
    times.pass_by(5)
    assert clock() == before + timedelta(seconds=5)


def test_follows_when_the_clock_is_set_forward(times: _Times, clock: SteadyClock) -> None:
    times.wall += 3600
    assert clock() == datetime.fromtimestamp(times.wall, UTC)


def test_catches_up_after_it_was_set_back_too_far(times: _Times, clock: SteadyClock) -> None:
    times.wall -= 3600
    clock()
    times.wall += 3700
    assert clock() == datetime.fromtimestamp(times.wall, UTC)
