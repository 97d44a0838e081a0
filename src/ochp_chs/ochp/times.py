"""Dates and times as OCHP 1.4 writes them, judged by their meaning and not by their look alone.

The XSD's patterns let month 13 and hour 29 pass. Every parser takes the text of one element or
attribute and raises ``InvalidTime`` with a reason that its sender can act on.
"""

import re
from datetime import UTC, date, datetime, timedelta

_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_OFFSET = r"[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00)"

_DATE = re.compile(_DAY)
_DATE_TIME = re.compile(f"{_DAY}T{_CLOCK}Z")
_LOCAL_DATE_TIME = re.compile(f"{_DAY}T{_CLOCK}{_OFFSET}")
_XS_DATE_TIME = re.compile(
    rf"({_DAY})T({_CLOCK}|24:00:00(?=\.?0*[Z+-]))(?:\.([0-9]+))?(Z|{_OFFSET})"
)
#: The looser shape in which a wrong value can still be named.
_PARTS = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
    r"(?:T(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})(?:\.[0-9]+)?"
    r"(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?)?"
)

DATE_FORM = "YYYY-MM-DD"
DATE_TIME_FORM = "YYYY-MM-DDTHH:MM:SSZ"
LOCAL_DATE_TIME_FORM = "YYYY-MM-DDTHH:MM:SS+hh:mm"

_FIRST_YEAR, _LAST_YEAR = 1, 9999

#: White space of XML, which the XSD types of dates and times collapse.
_XML_SPACE = " \t\r\n"
#: Longest piece of a wrong value that is repeated in a reason.
_SHOWN_CHARACTERS_MAX = 40


class InvalidTime(ValueError):
    """A text that is no such date or time; ``reason`` says why, for the person who sent it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def parse_date_time(text: str) -> datetime:
    """Return the moment of a DateTimeType, ``YYYY-MM-DDTHH:MM:SSZ``, in UTC."""
    return _moment(text, _DATE_TIME, DATE_TIME_FORM)


def parse_local_date_time(text: str) -> datetime:
    """Return the moment of a LocalDateTimeType, ``YYYY-MM-DDTHH:MM:SS+hh:mm``, with its offset."""
    return _within_reach(_moment(text, _LOCAL_DATE_TIME, LOCAL_DATE_TIME_FORM), text)


def parse_xs_date_time(text: str) -> datetime:
    """Return the moment of an xs:dateTime (the ttl of a status record), with its offset.

    Fractions are cut to microseconds. Without ``Z`` or an offset it names no moment and is
    refused, although the XSD lets it pass: no zone is invented.
    """
    match = _XS_DATE_TIME.fullmatch(text.strip(_XML_SPACE))
    if match is None:
        raise _invalid(text, DATE_TIME_FORM)
    day, clock, fraction, zone = match.groups()
    # XSD lets a day end with 24:00:00; that is the first moment of the next one.
    days = 1 if clock == "24:00:00" else 0
    clock = "00:00:00" if days else clock
    micros = (fraction or "")[:6].ljust(6, "0")
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}.{micros}{zone}")
    except ValueError:
        raise _invalid(text, DATE_TIME_FORM) from None
    return _within_reach(moment, text, days)


def parse_date(text: str) -> date:
    """Return the day of a date, ``YYYY-MM-DD`` (the validDate of a service endpoint)."""
    stripped = text.strip(_XML_SPACE)
    if _DATE.fullmatch(stripped):
        try:
            return date.fromisoformat(stripped)
        except ValueError:
            pass
    raise _invalid(text, DATE_FORM)


def format_date_time(moment: datetime) -> str:
    """Return a moment as DateTimeType: in UTC, in whole seconds, a part of one is dropped.

    Raises ``ValueError`` for a datetime without zone, which Python would take as local time.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return moment.astimezone(UTC).isoformat(timespec="seconds")[:19] + "Z"


def format_local_date_time(moment: datetime) -> str:
    """Return a moment as LocalDateTimeType: with its own offset, in whole seconds.

    Raises ``ValueError`` for a datetime without zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return moment.isoformat(timespec="seconds")


def _moment(text: str, pattern: re.Pattern[str], form: str) -> datetime:
    stripped = text.strip(_XML_SPACE)
    # The pattern comes first because fromisoformat takes other notations of ISO 8601 as well.
    if pattern.fullmatch(stripped):
        try:
            return datetime.fromisoformat(stripped)
        except ValueError:
            pass
    raise _invalid(text, form)


def _within_reach(moment: datetime, text: str, days: int = 0) -> datetime:
    """Return the moment that many days later, provided that it has a time in UTC.

    The first and last hours that Python and its database driver can count are lost on the way to
    UTC, by an ``OverflowError`` far from here.
    """
    if _FIRST_YEAR < moment.year < _LAST_YEAR and not days:
        return moment
    try:
        moment += timedelta(days=days)
        moment.astimezone(UTC)
    except OverflowError:
        shown = repr(text[:_SHOWN_CHARACTERS_MAX])
        raise InvalidTime(f"{shown} is outside the years 0001 to 9999 in UTC.") from None
    return moment


def _invalid(text: str, form: str) -> InvalidTime:
    """Say what is wrong with a text that is not of this form, as closely as possible."""
    shown = repr(text[:_SHOWN_CHARACTERS_MAX])
    kind = "a date" if form == DATE_FORM else "a date and time"
    match = _PARTS.fullmatch(text.strip(_XML_SPACE))
    reason = (match and _wrong_part(match)) or f"it must be written {form}"
    return InvalidTime(f"{shown} is not {kind}: {reason}.")


def _wrong_part(match: re.Match[str]) -> str | None:
    """Name the first part of a date and time that has an impossible value."""
    year, month, day = (int(match[part]) for part in ("year", "month", "day"))
    if year == 0:
        return "there is no year 0000"
    if not 1 <= month <= 12:
        return f"there is no month {match['month']}"
    try:
        date(year, month, day)
    except ValueError:
        return f"{match['year']}-{match['month']} has no day {match['day']}"
    if match["hour"] is None:
        return None
    return _wrong_clock(match) or _wrong_zone(match)


def _wrong_clock(match: re.Match[str]) -> str | None:
    if match["hour"] == "24":
        return "there is no hour 24, write 00:00:00 of the next day"
    limits = (("hour", 23), ("minute", 59), ("second", 59))
    for part, last in limits:
        if int(match[part]) > last:
            return f"there is no {part} {match[part]}"
    return None


def _wrong_zone(match: re.Match[str]) -> str | None:
    zone = match["zone"]
    if zone is None:
        return "it has no time zone, end it with Z or an offset as the field wants it"
    if zone != "Z" and re.fullmatch(_OFFSET, zone) is None:
        return f"there is no offset {zone}, offsets end at 14:00"
    return None
