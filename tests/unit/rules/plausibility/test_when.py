"""Rules on times: of the session, its periods, its duration, and other sessions."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ochp_chs.ochp.violations import Violation
from ochp_chs.rules.context import KnownEvse
from ochp_chs.rules.model import VIOLATIONS_PER_RULE_MAX
from ochp_chs.rules.plausibility import (
    duration_difference,
    has_period,
    max_age,
    not_in_future,
    offset_time_zone,
    period_inside_session,
    session_overlap,
    start_before_end,
)
from ochp_chs.rules.sessions import Session, Sessions
from tests.support.cdrs import END, MIDDLE, NOW, START, make_cdr, make_context, period_xml
from tests.support.rules import found_by

_SECOND = timedelta(seconds=1)


class TestStartBeforeEnd:
    RULE = start_before_end.RULE

    def test_one_second_is_enough(self) -> None:
        assert found_by(self.RULE, make_cdr(end="2026-01-05T10:00:01+01:00")) == ()

    def test_earlier_time_of_day_at_the_end_of_summer_time(self) -> None:
        cdr = make_cdr(start="2025-10-26T02:50:00+02:00", end="2025-10-26T02:10:00+01:00")
        assert found_by(self.RULE, cdr) == ()

    @pytest.mark.parametrize(
        "end", [START, "2026-01-05T09:00:00+00:00", "2026-01-05T09:59:59+01:00"]
    )
    def test_end_at_or_before_start(self, end: str) -> None:
        assert found_by(self.RULE, make_cdr(end=end)) == (
            Violation(
                "start-before-end",
                "endDateTime",
                end,
                f"the session has to end after it starts at {START}",
            ),
        )


class TestNotInFuture:
    RULE = not_in_future.RULE

    def test_session_of_yesterday(self) -> None:
        assert found_by(self.RULE, make_cdr()) == ()

    def test_sender_whose_clock_is_ahead_by_just_the_tolerance(self) -> None:
        context = make_context(now=make_cdr().end - timedelta(seconds=120))
        assert found_by(self.RULE, make_cdr(), context) == ()

    def test_end_a_second_later_than_that(self) -> None:
        context = make_context(now=make_cdr().end.astimezone(UTC) - timedelta(seconds=121))
        assert found_by(self.RULE, make_cdr(), context) == (
            Violation(
                "not-in-future",
                "endDateTime",
                END,
                "this is in the future, the time is 2026-01-05T10:57:59+00:00",
            ),
        )

    def test_start_in_the_future_comes_first(self) -> None:
        context = make_context(now=make_cdr().start - timedelta(days=1))
        (violation,) = found_by(self.RULE, make_cdr(), context)
        assert violation.field == "startDateTime"

    def test_tolerance_is_a_parameter(self) -> None:
        context = make_context(now=make_cdr().end - _SECOND)
        assert found_by(self.RULE, make_cdr(), context, {"clock_tolerance_s": 0}) != ()
        assert found_by(self.RULE, make_cdr(), context, {"clock_tolerance_s": 1}) == ()


class TestMaxAge:
    RULE = max_age.RULE

    def test_just_as_old_as_allowed(self) -> None:
        context = make_context(now=make_cdr().end + timedelta(days=365))
        assert found_by(self.RULE, make_cdr(), context) == ()

    def test_a_second_older(self) -> None:
        context = make_context(now=make_cdr().end + timedelta(days=365) + _SECOND)
        assert found_by(self.RULE, make_cdr(), context) == (
            Violation("max-age", "endDateTime", END, "the session ended more than 365 days ago"),
        )

    def test_days_are_a_parameter(self) -> None:
        assert found_by(self.RULE, make_cdr(), None, {"max_age_days": 0}) != ()
        assert found_by(self.RULE, make_cdr(), None, {"max_age_days": 1}) == ()

    def test_first_year_of_the_calendar(self) -> None:
        cdr = make_cdr(start="0001-01-02T00:00:00+00:00", end="0001-01-02T01:00:00+00:00")
        assert len(found_by(self.RULE, cdr)) == 1


class TestDurationDifference:
    RULE = duration_difference.RULE

    @pytest.mark.parametrize("duration", [None, "002:00:00", "001:59:00", "002:01:00"])
    def test_absent_exact_or_off_by_the_tolerance(self, duration: str | None) -> None:
        assert found_by(self.RULE, make_cdr(duration=duration)) == ()

    @pytest.mark.parametrize("duration", ["001:58:59", "002:01:01", "000:00:00"])
    def test_off_by_more(self, duration: str) -> None:
        assert found_by(self.RULE, make_cdr(duration=duration)) == (
            Violation(
                "duration-difference",
                "duration",
                duration,
                "between start and end there are 002:00:00",
            ),
        )

    def test_time_that_really_passed_counts_over_the_end_of_summer_time(self) -> None:
        cdr = make_cdr(
            start="2025-10-26T02:00:00+02:00",
            end="2025-10-26T03:00:00+01:00",
            duration="002:00:00",
        )
        assert found_by(self.RULE, cdr) == ()

    def test_end_before_start(self) -> None:
        (violation,) = found_by(self.RULE, make_cdr(start=END, end=START))
        assert violation.text == "between start and end there are -002:00:00"

    def test_tolerance_is_a_parameter(self) -> None:
        cdr = make_cdr(duration="002:00:01")
        assert found_by(self.RULE, cdr, None, {"tolerance_s": 0}) != ()
        assert found_by(self.RULE, cdr, None, {"tolerance_s": 1}) == ()


class TestOffsetTimeZone:
    RULE = offset_time_zone.RULE

    def test_agrees(self) -> None:
        assert found_by(self.RULE, make_cdr()) == ()

    @pytest.mark.parametrize(
        ("start", "end"),
        [
            ("2025-03-30T01:30:00+01:00", "2025-03-30T03:30:00+02:00"),
            ("2025-10-26T02:30:00+02:00", "2025-10-26T02:30:00+01:00"),
        ],
    )
    def test_session_over_a_change_of_summer_time(self, start: str, end: str) -> None:
        cdr = make_cdr(start=start, end=end, periods=[period_xml(start=start, end=end)])
        assert found_by(self.RULE, cdr) == ()

    @pytest.mark.parametrize(
        "evse",
        [
            None,
            KnownEvse(),
            KnownEvse("Mars/Olympus"),
            KnownEvse("../etc/passwd"),
            KnownEvse("Europe"),
            KnownEvse(""),
            KnownEvse("\0"),
        ],
    )
    def test_nothing_is_said_where_the_zone_is_not_known(self, evse: KnownEvse | None) -> None:
        cdr = make_cdr(start="2026-01-05T09:00:00+00:00")
        context = make_context(evses={} if evse is None else {cdr.evse_key: evse})
        assert found_by(self.RULE, cdr, context) == ()

    def test_each_deviating_time_is_named(self) -> None:
        utc = "2026-01-05T09:00:00+00:00"
        cdr = make_cdr(start=utc, periods=[period_xml(end=MIDDLE), period_xml(start=utc)])
        assert found_by(self.RULE, cdr) == (
            Violation(
                "offset-time-zone",
                "startDateTime",
                utc,
                f"in Europe/Berlin this moment is written {START}",
            ),
            Violation(
                "offset-time-zone",
                "chargingPeriods[2]/startDateTime",
                utc,
                f"in Europe/Berlin this moment is written {START}",
            ),
        )

    def test_a_thousand_periods_are_named_by_the_first(self) -> None:
        utc = "2026-01-05T09:00:00+00:00"
        cdr = make_cdr(periods=[period_xml(start=utc)] * 1000)
        assert len(found_by(self.RULE, cdr)) == VIOLATIONS_PER_RULE_MAX


class TestHasPeriod:
    RULE = has_period.RULE

    def test_one(self) -> None:
        assert found_by(self.RULE, make_cdr()) == ()

    def test_none(self) -> None:
        assert found_by(self.RULE, replace(make_cdr(), periods=())) == (
            Violation(
                "has-period",
                "chargingPeriods",
                "",
                "a CDR has at least one period, one for each item on the bill",
            ),
        )


class TestPeriodInsideSession:
    RULE = period_inside_session.RULE

    def test_whole_session_part_of_it_and_a_moment(self) -> None:
        periods = [period_xml(), period_xml(start=MIDDLE), period_xml(start=END, end=END)]
        assert found_by(self.RULE, make_cdr(periods=periods)) == ()

    def test_moments_are_compared_and_not_texts(self) -> None:
        periods = [period_xml(start="2026-01-05T09:00:00+00:00")]
        assert found_by(self.RULE, make_cdr(periods=periods)) == ()

    def test_a_second_too_early_and_a_second_too_late(self) -> None:
        early, late = "2026-01-05T09:59:59+01:00", "2026-01-05T12:00:01+01:00"
        cdr = make_cdr(periods=[period_xml(), period_xml(start=early, end=late)])
        assert found_by(self.RULE, cdr) == (
            Violation(
                "period-inside-session",
                "chargingPeriods[2]/startDateTime",
                early,
                f"the period starts before the session does at {START}",
            ),
            Violation(
                "period-inside-session",
                "chargingPeriods[2]/endDateTime",
                late,
                f"the period ends after the session does at {END}",
            ),
        )

    def test_period_that_ends_before_it_starts(self) -> None:
        cdr = make_cdr(periods=[period_xml(start=END, end=MIDDLE)])
        assert found_by(self.RULE, cdr) == (
            Violation(
                "period-inside-session",
                "chargingPeriods[1]/endDateTime",
                MIDDLE,
                f"the period ends before it starts at {END}",
            ),
        )


class TestSessionOverlap:
    RULE = session_overlap.RULE

    @staticmethod
    def overlapping(
        start: str, end: str, cdr_id: str = "DECPO9", evse_key: str = "DECPOE1234*1"
    ) -> tuple[Violation, ...]:
        session = Session(
            evse_key, cdr_id, datetime.fromisoformat(start), datetime.fromisoformat(end)
        )
        context = make_context(sessions=Sessions([session]))
        return found_by(session_overlap.RULE, make_cdr(), context)

    def test_alone(self) -> None:
        assert found_by(self.RULE, make_cdr()) == ()

    @pytest.mark.parametrize(
        ("start", "end"),
        [("2026-01-05T08:00:00+01:00", START), (END, "2026-01-05T13:00:00+01:00")],
    )
    def test_sessions_that_touch(self, start: str, end: str) -> None:
        assert self.overlapping(start, end) == ()

    def test_this_very_cdr(self) -> None:
        assert self.overlapping(START, END, cdr_id="DECPO0000000001") == ()

    def test_another_evse(self) -> None:
        assert self.overlapping(START, END, evse_key="DECPOE12341") == ()

    @pytest.mark.parametrize(
        ("start", "end"),
        [
            (START, END),
            ("2026-01-05T09:00:00+01:00", "2026-01-05T10:00:01+01:00"),
            ("2026-01-05T11:59:59+01:00", "2026-01-05T13:00:00+01:00"),
            ("2026-01-05T09:00:00+01:00", "2026-01-05T13:00:00+01:00"),
            ("2026-01-05T10:30:00+01:00", "2026-01-05T10:30:01+01:00"),
        ],
    )
    def test_a_second_in_common(self, start: str, end: str) -> None:
        assert self.overlapping(start, end) == (
            Violation(
                "session-overlap",
                "startDateTime",
                START,
                f"CDR DECPO9 has this EVSE in use from {start} to {end}",
            ),
        )


def test_the_tests_play_on_the_day_after_the_session() -> None:
    assert NOW.astimezone(UTC).date() - make_cdr().end.date() == timedelta(days=1)
