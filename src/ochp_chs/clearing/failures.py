"""Slowing down those who fail to log in again and again, per user name and per address.

Each process counts for itself. A success is never delayed and clears nothing: the counts drain by
themselves, so that an attacker cannot clean them with an account of its own.
"""

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

_KEY_CHARACTERS_MAX = 128


@dataclass(frozen=True, slots=True)
class DelaySettings:
    """How failures are delayed. `sleepers_max` is what bounds the threads that stand still."""

    #: Failures that cost nothing: people mistype, and clients are set up.
    free_failures: int = 3
    first_delay_s: float = 0.25
    delay_s_max: float = 4.0
    #: One failure is forgotten in this time.
    forget_one_s: float = 60.0
    #: Above this, failures are not counted on, so that a week of them is forgotten in an hour too.
    failures_max: int = 60
    #: Names and addresses remembered, of each.
    remembered_max: int = 4096
    sleepers_max: int = 2


@dataclass(frozen=True, slots=True)
class Delay:
    """What a failure brought: the counts, this one included, and the time to wait for."""

    user_failures: int
    address_failures: int
    seconds: float


class FailureDelays:
    """Counts failures and holds the failing ones up; to be shared by the threads of a process."""

    def __init__(
        self,
        settings: DelaySettings | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings or DelaySettings()
        self._monotonic = monotonic
        self._sleep = sleep
        self._lock = threading.Lock()
        # Two memories: made-up user names must not push addresses out.
        self._users = _Counts(self._settings)
        self._addresses = _Counts(self._settings)
        self._sleepers = threading.BoundedSemaphore(self._settings.sleepers_max)

    def count(self, user: str, address: str) -> Delay:
        """Count one failure of this user name from this address."""
        now = self._monotonic()
        with self._lock:
            by_user = self._users.add(user[:_KEY_CHARACTERS_MAX], now)
            by_address = self._addresses.add(_network(address), now)
        return Delay(by_user, by_address, self._seconds(max(by_user, by_address)))

    def hold_up(self, delay: Delay) -> bool:
        """Wait for as long as the delay says; False if too many wait already and this one did not.

        A thread that waits serves nobody. Were their number not bounded, the delays would be the
        attack; whoever is let off is still bounded by the time that a verification takes.
        """
        if delay.seconds <= 0:
            return True
        if not self._sleepers.acquire(blocking=False):
            return False
        try:
            self._sleep(delay.seconds)
        finally:
            self._sleepers.release()
        return True

    def _seconds(self, failures: int) -> float:
        charged = failures - self._settings.free_failures
        if charged <= 0:
            return 0.0
        seconds = self._settings.first_delay_s
        for _ in range(charged - 1):
            if seconds >= self._settings.delay_s_max:
                break
            seconds *= 2
        return min(seconds, self._settings.delay_s_max)


class _Counts:
    """Failures by key, draining with time; the key that failed longest ago is forgotten first."""

    def __init__(self, settings: DelaySettings) -> None:
        self._settings = settings
        #: key -> when its count will have drained, on the monotonic clock.
        self._drained_at: OrderedDict[str, float] = OrderedDict()

    def add(self, key: str, now: float) -> int:
        """Count one failure and give the count, rounded up."""
        one = self._settings.forget_one_s
        drained_at = max(self._drained_at.pop(key, now), now) + one
        drained_at = min(drained_at, now + one * self._settings.failures_max)
        self._drained_at[key] = drained_at
        if len(self._drained_at) > self._settings.remembered_max:
            self._drained_at.popitem(last=False)
        # The small part taken off keeps the noise of floating point from rounding up.
        return int((drained_at - now) / one + 1 - 1e-6)


def _network(address: str) -> str:
    """Give the address; of IPv6 the /64, which is what one subscriber has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:_KEY_CHARACTERS_MAX]
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(parsed), 64), strict=False))
