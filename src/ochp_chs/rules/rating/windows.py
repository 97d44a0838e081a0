"""The charge point's clock on the wall, and when it passes from one tariff window into another.

A day on which summer time begins has 23 hours in its window from 00:00 to 24:00, one on which it
ends has 25, and what the clock shows twice is inside a window both times. So the session is
divided where the clock is put forward or back; in each part local time is a plain sum.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo

from ochp_chs.ochp.records.hours import Hours
from ochp_chs.rules.lengths import seconds_between

_DAY_S = 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: 1970-01-01 was a Thursday.
_EPOCH_WEEKDAY = 4


def edge_minutes(windows: Iterable[Hours]) -> frozenset[int]:
    """The minutes of the day at which a window begins or ends, 0 to 1439.

    Midnight is one of them wherever there is any window, because a window is on one weekday.
    """
    minutes = {m for w in windows for m in (w.begin_minute, w.end_minute % 1440)}
    return frozenset(minutes | {0}) if minutes else frozenset()


class LocalClock:
    """Local time between two seconds of a session, both counted from its start."""

    __slots__ = ("_begins", "_first_s", "_last_s", "_start_s", "_sums")

    def __init__(self, zone: tzinfo, start: datetime, first_s: int, last_s: int) -> None:
        self._start_s = seconds_between(_EPOCH, start)
        self._first_s, self._last_s = first_s, last_s
        # What is to be added to a second of the session to get the local time in seconds, and
        # from which second on.
        self._begins = [first_s]
        self._sums = [self._start_s + _offset_s(zone, start, first_s)]
        for change_s in _clock_changes(zone, start, first_s, last_s):
            self._begins.append(change_s)
            self._sums.append(self._start_s + _offset_s(zone, start, change_s))

    def is_inside(self, second: int, windows: Iterable[Hours]) -> bool:
        """Tell whether the clock is inside one of the windows at a second of the session."""
        place = max(bisect_right(self._begins, second) - 1, 0)
        day, second_of_day = divmod(second + self._sums[place], _DAY_S)
        weekday = (day + _EPOCH_WEEKDAY - 1) % 7 + 1
        minute = second_of_day // 60
        return any(
            w.weekday == weekday and w.begin_minute <= minute < w.end_minute for w in windows
        )

    def cuts(self, minutes: Iterable[int]) -> Iterator[int]:
        """The seconds of the session at which the clock shows one of these minutes of the day.

        Those at which it is put forward or back are among them.
        """
        yield from self._begins
        ends = [*self._begins[1:], self._last_s]
        for begin_s, end_s, local in zip(self._begins, ends, self._sums, strict=True):
            first_day = (begin_s + local) // _DAY_S
            last_day = (end_s + local) // _DAY_S
            for day in range(first_day, last_day + 1):
                for minute in minutes:
                    cut = day * _DAY_S + minute * 60 - local
                    if begin_s < cut < end_s:
                        yield cut


def _offset_s(zone: tzinfo, start: datetime, second: int) -> int:
    moment = start.astimezone(UTC) + timedelta(seconds=second)
    offset = moment.astimezone(zone).utcoffset() or timedelta()
    return offset.days * _DAY_S + offset.seconds


def _clock_changes(zone: tzinfo, start: datetime, first_s: int, last_s: int) -> Iterator[int]:
    """The seconds at which the zone's offset changes, looked for day by day."""
    low = first_s
    before = _offset_s(zone, start, low)
    while low < last_s:
        high = min(low + _DAY_S, last_s)
        after = _offset_s(zone, start, high)
        if after != before:
            left, right = low, high
            while right - left > 1:
                middle = (left + right) // 2
                if _offset_s(zone, start, middle) == before:
                    left = middle
                else:
                    right = middle
            yield right
        low, before = high, after
