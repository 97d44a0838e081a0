"""Time zones by name, as charge point data gives them."""

from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

#: Names remembered, known or not: more than tzdata has, and a bound on what partners can invent.
_NAMES_MAX = 2048


@lru_cache(maxsize=_NAMES_MAX)
def find_time_zone(name: str) -> ZoneInfo | None:
    """The zone of tzdata with this name, None if there is none."""
    try:
        return ZoneInfo(name)
    # A name can be a folder of tzdata ("Europe"), point out of it, or be no file name at all.
    except (KeyError, OSError, ValueError):
        return None


def find_offset(zone: ZoneInfo, moment: datetime) -> timedelta | None:
    """The zone's offset at an aware moment; None where that would leave the calendar."""
    try:
        return moment.astimezone(zone).utcoffset()
    except OverflowError:
        return None
