"""Lengths of time in whole seconds, which is how finely OCHP's times are given."""

from datetime import datetime

from ochp_chs.ochp.records.cdr import Period


def seconds_between(start: datetime, end: datetime) -> int:
    """The seconds that really passed, whatever the clocks showed; negative if `end` is first."""
    length = end - start
    return length.days * 86_400 + length.seconds


def seconds_of(period: Period) -> int:
    """The length of a period; negative if it ends before it starts."""
    return seconds_between(period.start, period.end)
