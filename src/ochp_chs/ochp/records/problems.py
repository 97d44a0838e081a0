"""Reading the values of a schema-valid record by meaning, collecting everything that is wrong.

A reader answers a stand-in for a value that it cannot read and notes why: the partner wants the
whole list, not the first reason. Whoever reads throws the record away if anything was noted.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from lxml import etree

from ochp_chs.ochp.records.decimals import (
    CHARACTERS_MAX,
    ZERO,
    InvalidNumber,
    parse_decimal,
)
from ochp_chs.ochp.times import InvalidTime, parse_date_time, parse_local_date_time
from ochp_chs.ochp.violations import Violation

TIME_RULE = "time"
NUMBER_RULE = "number"
DURATION_RULE = "duration"

#: A record with a hundred thousand wrong periods is named by the first of them.
PROBLEMS_MAX = 100

_NO_TIME = datetime(2000, 1, 1, tzinfo=UTC)
_NO_DURATION = timedelta()
#: Longest wrong value that is kept.
_VALUE_CHARACTERS_MAX = 120


class Problems:
    """The violations found while one record is read."""

    __slots__ = ("_local_times", "found")

    def __init__(self) -> None:
        self.found: list[Violation] = []
        # Most periods of a CDR begin and end when the session or the next period does.
        self._local_times: dict[str, datetime] = {}

    def note(self, rule: str, field: str, value: str, text: str) -> None:
        """Keep one violation, up to a bound per record."""
        if len(self.found) < PROBLEMS_MAX:
            self.found.append(Violation(rule, field, value[:_VALUE_CHARACTERS_MAX], text))

    def local_date_time(self, element: etree._Element, field: str) -> datetime:
        """The moment of a LocalDateTimeType, with its own offset."""
        text = element[0].text or ""
        moment = self._local_times.get(text)
        if moment is not None:
            return moment
        try:
            moment = parse_local_date_time(text)
        except InvalidTime as error:
            self.note(TIME_RULE, f"{field}/LocalDateTime", text, error.reason)
            return _NO_TIME
        self._local_times[text] = moment
        return moment

    def date_time(self, element: etree._Element, field: str) -> datetime:
        """The moment of a DateTimeType, in UTC."""
        text = element[0].text or ""
        try:
            return parse_date_time(text)
        except InvalidTime as error:
            self.note(TIME_RULE, f"{field}/DateTime", text, error.reason)
            return _NO_TIME

    def decimal(self, text: str, field: str) -> Decimal:
        """The value of an xs:float."""
        try:
            return parse_decimal(text)
        except InvalidNumber as error:
            self.note(NUMBER_RULE, field, text, str(error))
            return ZERO

    def integer(self, text: str, field: str) -> int:
        """The value of an xs:int, which may be written with any number of leading zeros."""
        # Python refuses to read thousands of digits, and nobody means them.
        if len(text) <= CHARACTERS_MAX:
            return int(text)
        self.note(
            NUMBER_RULE,
            field,
            text,
            f"a number of {len(text)} characters, at most {CHARACTERS_MAX} are read",
        )
        return 0

    def duration(self, text: str, field: str) -> timedelta:
        """The length of a ``HHH:MM:SS``, three digits of hours."""
        # The XSD's \d takes the digits of every script; only these ten mean the same everywhere.
        if text.isascii():
            hours, minutes, seconds = int(text[:3]), int(text[4:6]), int(text[7:])
            if minutes < 60 and seconds < 60:
                return timedelta(hours=hours, minutes=minutes, seconds=seconds)
            wrong = f"minute {minutes}" if minutes >= 60 else f"second {seconds}"
            reason = f"there is no {wrong}"
        else:
            reason = "write it with the digits 0 to 9"
        self.note(DURATION_RULE, field, text, f"{text!r} is not a duration HHH:MM:SS: {reason}")
        return _NO_DURATION
