"""Opening times: windows, exceptions, and what is odd about them."""

import random

import pytest

from ochp_chs.ochp.records.charge_point import ChargePointCodec
from ochp_chs.ochp.records.codec import RecordRefused
from ochp_chs.ochp.schema import record_schema
from tests.support.cdrs import element_of
from tests.support.charge_points import charge_point_xml

ALWAYS = "<twentyfourseven>true</twentyfourseven>"


def regular(weekday: int, begin: str, end: str) -> str:
    return f'<regularHours weekday="{weekday}" periodBegin="{begin}" periodEnd="{end}"/>'


def exception(kind: str, begin: str, end: str) -> str:
    return (
        f"<exceptional{kind}><periodBegin><DateTime>{begin}</DateTime></periodBegin>"
        f"<periodEnd><DateTime>{end}</DateTime></periodEnd></exceptional{kind}>"
    )


def day(kind: str, first: int, last: int) -> str:
    return exception(kind, f"2030-01-{first:02}T00:00:00Z", f"2030-01-{last:02}T00:00:00Z")


def judged(*content: str) -> tuple[list[tuple[str, str]], list[str]]:
    """Rule and field of what refuses the opening times, and the rules that only doubt them."""
    hours = f"<openingTimes>{''.join(content)}<closedCharging>true</closedCharging></openingTimes>"
    element = element_of(charge_point_xml(opening_times=hours))
    record_schema().assertValid(element)
    try:
        row = ChargePointCodec().decode(element)
    except RecordRefused as refused:
        return [(each.rule, each.field) for each in refused.violations], []
    return [], [each.rule for each in row.doubts]


FINE: tuple[list[tuple[str, str]], list[str]] = ([], [])


class TestRegularHours:
    @pytest.mark.parametrize(
        ("begin", "end"), [("08:00", "20:00"), ("00:00", "24:00"), ("23:59", "24:00")]
    )
    def test_window(self, begin: str, end: str) -> None:
        assert judged(regular(1, begin, end)) == FINE

    @pytest.mark.parametrize(
        ("begin", "end"),
        [
            ("08:00", "24:01"),
            ("08:00", "29:00"),
            ("20:00", "08:00"),
            ("08:00", "08:00"),
            ("08:00", "00:00"),
            ("24:00", "24:00"),
            ("25:00", "24:00"),
        ],
    )
    def test_window_that_cannot_be(self, begin: str, end: str) -> None:
        assert judged(regular(1, "08:00", "09:00"), regular(2, begin, end)) == (
            [("hours", "openingTimes/regularHours[2]/@periodEnd")],
            [],
        )

    def test_two_windows_that_touch(self) -> None:
        assert judged(regular(1, "12:00", "20:00"), regular(1, "08:00", "12:00")) == FINE

    def test_windows_of_one_weekday_overlap(self) -> None:
        windows = (regular(1, "12:00", "20:00"), regular(1, "08:00", "12:01"))
        assert judged(*windows) == ([], ["hours-overlap"])

    def test_same_window_on_two_weekdays(self) -> None:
        assert judged(regular(1, "08:00", "12:00"), regular(2, "08:00", "12:00")) == FINE

    def test_more_than_two_windows_on_a_weekday(self) -> None:
        windows = (
            regular(3, "08:00", "10:00"),
            regular(3, "11:00", "13:00"),
            regular(3, "14:00", "16:00"),
        )
        assert judged(*windows) == ([], ["hours-per-weekday"])


class TestExceptions:
    def test_closed_for_a_day(self) -> None:
        assert judged(ALWAYS, day("Closings", 1, 2)) == FINE

    def test_exception_that_ends_before_it_begins(self) -> None:
        assert judged(ALWAYS, day("Closings", 1, 2), day("Closings", 3, 3))[0] == [
            ("period-order", "openingTimes/exceptionalClosings[2]/periodEnd")
        ]

    def test_exception_in_month_13(self) -> None:
        opening = exception("Openings", "2030-13-01T00:00:00Z", "2030-12-01T00:00:00Z")
        assert judged(ALWAYS, opening)[0] == [
            ("time", "openingTimes/exceptionalOpenings[1]/periodBegin/DateTime")
        ]

    def test_closing_overlaps_an_opening(self) -> None:
        assert judged(
            ALWAYS, day("Openings", 3, 9), day("Closings", 1, 2), day("Closings", 8, 9)
        ) == (
            [],
            ["exceptions-overlap"],
        )

    def test_closing_and_opening_that_touch(self) -> None:
        assert judged(ALWAYS, day("Openings", 3, 5), day("Closings", 1, 3)) == FINE

    def test_exceptions_of_one_kind_may_overlap(self) -> None:
        assert judged(ALWAYS, day("Closings", 1, 5), day("Closings", 2, 4)) == FINE

    def test_overlap_in_any_order(self) -> None:
        shuffled = random.Random(4)
        for _ in range(200):
            periods = [
                (kind, begin, begin + shuffled.randint(1, 4))
                for kind in ("Openings", "Closings")
                for begin in (shuffled.randint(1, 25), shuffled.randint(1, 25))
            ]
            expected = any(
                one[1] < other[2] and other[1] < one[2]
                for one in periods[:2]
                for other in periods[2:]
            )
            content = [day(*period) for period in periods]
            assert judged(ALWAYS, *content)[1] == (["exceptions-overlap"] if expected else [])


class TestNeverOpen:
    @pytest.mark.parametrize("never", ["false", "0"])
    def test_not_always_and_nothing_else(self, never: str) -> None:
        text = f"<twentyfourseven>{never}</twentyfourseven>"
        assert judged(text, day("Closings", 1, 2)) == ([], ["never-open"])
        assert judged(text, day("Openings", 1, 2)) == FINE
