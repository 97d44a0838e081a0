"""HoursType: when an EVSE can be used (PROTOCOL, "Charge points"; specification, "HoursType").

What cannot be is noted in `problems` and refuses the record; what is only odd, in `doubts`.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import NamedTuple

from lxml import etree

from ochp_chs.ochp.operations import NAMESPACE
from ochp_chs.ochp.records.hours import Hours, read_hours
from ochp_chs.ochp.records.problems import Problems

PERIOD_ORDER_RULE = "period-order"
HOURS_PER_WEEKDAY_RULE = "hours-per-weekday"
HOURS_OVERLAP_RULE = "hours-overlap"
NEVER_OPEN_RULE = "never-open"
EXCEPTIONS_OVERLAP_RULE = "exceptions-overlap"

#: The contract says so of regularHours.
_PERIODS_PER_WEEKDAY_MAX = 2

_IN = f"{{{NAMESPACE}}}"
#: The end of a period without one.
AFTER_ALL = datetime.max.replace(tzinfo=UTC)
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)

_TRUE = frozenset({"true", "1"})


class Period(NamedTuple):
    """From one moment, included, until another, excluded, in UTC."""

    begin: datetime
    end: datetime


def judge_opening_times(
    element: etree._Element, problems: Problems, doubts: Problems, field: str
) -> None:
    """Note everything that is wrong or odd with a schema-valid HoursType."""
    regular: list[Hours] = []
    exceptions: dict[str, list[Period]] = {"exceptionalOpenings": [], "exceptionalClosings": []}
    always: bool | None = None
    for child in element:
        name = str(child.tag)[len(_IN) :]
        path = f"{field}/{name}"
        if name == "regularHours":
            hours = read_hours(child, problems, f"{path}[{len(regular) + 1}]")
            if hours is not None:
                regular.append(hours)
        elif name == "twentyfourseven":
            always = (child.text or "").strip() in _TRUE
        elif name in exceptions:
            found = exceptions[name]
            found.append(read_period(child[0], child[1], problems, f"{path}[{len(found) + 1}]"))
    openings, closings = exceptions.values()
    _judge_regular(regular, doubts, field)
    if always is False and not openings:
        doubts.note(
            NEVER_OPEN_RULE,
            f"{field}/twentyfourseven",
            "false",
            "without regular hours and exceptional openings the EVSE is never open",
        )
    if not problems.found and overlap(openings, closings):
        doubts.note(
            EXCEPTIONS_OVERLAP_RULE,
            f"{field}/exceptionalClosings",
            "",
            "an exceptional closing overlaps an exceptional opening; which one holds is open",
        )


def read_period(
    begin: etree._Element, end: etree._Element | None, problems: Problems, field: str
) -> Period:
    """The period between two elements of DateTimeType; it has to end after it begins."""
    first = problems.date_time(begin, f"{field}/{_name(begin)}")
    if end is None:
        return Period(first, AFTER_ALL)
    known = len(problems.found)
    last = problems.date_time(end, f"{field}/{_name(end)}")
    if last <= first and len(problems.found) == known:
        problems.note(
            PERIOD_ORDER_RULE,
            f"{field}/{_name(end)}",
            end[0].text or "",
            f"the period has to end after it begins at {begin[0].text}",
        )
    return Period(first, last)


def overlap(ones: Sequence[Period], others: Sequence[Period]) -> bool:
    """Tell whether one of the first periods overlaps one of the second."""
    # Sorted together, so that a thousand of each do not cost a million comparisons.
    reached = [_BEFORE_ALL, _BEFORE_ALL]
    sided = [(period, 0) for period in ones] + [(period, 1) for period in others]
    for period, side in sorted(sided):
        if period.begin < reached[1 - side]:
            return True
        reached[side] = max(reached[side], period.end)
    return False


def overlap_each_other(periods: Sequence[Period]) -> bool:
    """Tell whether any two of the periods overlap."""
    ordered = sorted(periods)
    return any(later.begin < earlier.end for earlier, later in pairwise(ordered))


def _judge_regular(regular: Sequence[Hours], doubts: Problems, field: str) -> None:
    days: defaultdict[int, list[Hours]] = defaultdict(list)
    for hours in regular:
        days[hours.weekday].append(hours)
    for weekday, windows in days.items():
        path = f"{field}/regularHours"
        if len(windows) > _PERIODS_PER_WEEKDAY_MAX:
            doubts.note(
                HOURS_PER_WEEKDAY_RULE,
                path,
                str(weekday),
                f"weekday {weekday} has {len(windows)} periods,"
                f" it should have {_PERIODS_PER_WEEKDAY_MAX} at most",
            )
        windows.sort(key=lambda each: each.begin_minute)
        if any(later.begin_minute < earlier.end_minute for earlier, later in pairwise(windows)):
            doubts.note(
                HOURS_OVERLAP_RULE, path, str(weekday), f"periods of weekday {weekday} overlap"
            )


def _name(element: etree._Element) -> str:
    return str(element.tag)[len(_IN) :]
