"""RegularHoursType: a window on a weekday, of tariffs and of opening times."""

from dataclasses import dataclass

from lxml import etree

from ochp_chs.ochp.records.problems import Problems

HOURS_RULE = "hours"

_DAY_END_MINUTE = 24 * 60


@dataclass(frozen=True, slots=True)
class Hours:
    """A window on one weekday (1 is Monday) in the charge point's local time.

    Minutes of the day from `begin_minute`, included, to `end_minute`, excluded, 1440 at most.
    """

    weekday: int
    begin_minute: int
    end_minute: int


def read_hours(element: etree._Element, problems: Problems, field: str) -> Hours | None:
    """The window of a RegularHoursType; None if it is none, which is noted in `problems`."""
    begin_text, end_text = (str(element.get(name)) for name in ("periodBegin", "periodEnd"))
    begin, end = _minute(begin_text), _minute(end_text)
    if end > _DAY_END_MINUTE:
        problems.note(
            HOURS_RULE, f"{field}/@periodEnd", end_text, "a day ends at 24:00 at the latest"
        )
        return None
    if begin >= end:
        problems.note(
            HOURS_RULE,
            f"{field}/@periodEnd",
            end_text,
            f"the period has to end after it begins at {begin_text}",
        )
        return None
    weekday = problems.integer(str(element.get("weekday")), f"{field}/@weekday")
    return Hours(weekday, begin, end)


def _minute(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])
