"""Rating: the specification's complex tariff by hand, and every kind of limit and step."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from ochp_chs.ochp.records.billing import BillingItem
from ochp_chs.ochp.records.decimals import plain
from ochp_chs.ochp.records.hours import Hours
from ochp_chs.ochp.records.tariff import IndividualTariff, Restriction, TariffElement
from ochp_chs.rules.rating.rate import SESSION_DAYS_MAX, Rating, rate
from tests.support.cdrs import make_cdr, period_xml

BERLIN = ZoneInfo("Europe/Berlin")

WEEKDAYS = (1, 2, 3, 4, 5)
SATURDAY, SUNDAY = 6, 7


def element(item: BillingItem, price: str, step: str, **limits: object) -> TariffElement:
    return TariffElement(item, Decimal(price), Decimal(step), Restriction(**limits))  # type: ignore[arg-type]


def hours(weekdays: Sequence[int], begin: str, end: str) -> tuple[Hours, ...]:
    first, last = (int(text[:2]) * 60 + int(text[3:]) for text in (begin, end))
    return tuple(Hours(weekday, first, last) for weekday in weekdays)


def tariff(*elements: TariffElement) -> IndividualTariff:
    return IndividualTariff("EUR", elements)


#: Specification, "Complex Tariff example", the default individual tariff:
#:   0  start fee 2.50
#:   1  usage 1.00 per hour below 11 kW, in quarters of an hour
#:   2  usage 2.00 per hour from 11 kW on, Monday to Friday, in fifths of an hour
#:   3  usage 1.25 per hour from 11 kW on, Saturday and Sunday, in fifths of an hour
#:   4  parking 5.00 per hour, Monday to Friday 09:00 to 18:00, in tenths of an hour
#:   5  parking 6.00 per hour, Saturday 10:00 to 17:00, in tenths of an hour
COMPLEX = tariff(
    element(BillingItem.SERVICE_FEE, "2.5", "1.0"),
    element(BillingItem.USAGETIME, "1.0", "0.25", max_power=Decimal(11)),
    element(
        BillingItem.USAGETIME,
        "2.0",
        "0.2",
        hours=hours(WEEKDAYS, "00:00", "24:00"),
        min_power=Decimal(11),
    ),
    element(
        BillingItem.USAGETIME,
        "1.25",
        "0.2",
        hours=hours((SATURDAY, SUNDAY), "00:00", "24:00"),
        min_power=Decimal(11),
    ),
    element(BillingItem.PARKINGTIME, "5.0", "0.1", hours=hours(WEEKDAYS, "09:00", "18:00")),
    element(BillingItem.PARKINGTIME, "6.0", "0.1", hours=hours((SATURDAY,), "10:00", "17:00")),
)


def rated(
    by: IndividualTariff,
    *periods: tuple[str, str, str, str],
    zone: ZoneInfo = BERLIN,
    rated_power: Decimal | None = None,
) -> Rating | None:
    """Rate a session with these periods: item, value, start, end; it starts with the first."""
    cdr = make_cdr(
        start=min(p[2] for p in periods),
        end=max(p[3] for p in periods),
        periods=[
            period_xml(item, value, start=start, end=end) for item, value, start, end in periods
        ],
    )
    return rate(by, cdr, zone, rated_power)


def bill(rating: Rating | None) -> list[tuple[int, str, str]]:
    """The rating's lines as element, amount billed and cost, without idle zeros."""
    assert rating is not None, "the session could not be rated"
    return [(line.element, _shown(line.billed), _shown(line.cost)) for line in rating.lines]


def _shown(amount: Decimal) -> str:
    # Rating rounds at its sixtieth digit; nobody needs to see that.
    return plain(amount.quantize(Decimal("1E-20")))


def total(rating: Rating | None) -> Decimal:
    assert rating is not None, "the session could not be rated"
    return rating.total


class TestComplexTariff:
    def test_weekday_slow_charging_then_parking(self) -> None:
        # Monday 2026-01-05, 7.4 kWh in one hour: 7.4 kW, below 11 kW.
        #   start fee                        1                           x 2.50 = 2.50
        #   usage    10:00-11:00   60 min = 1.0000 h -> 4 x 0.25 = 1.00 x 1.00 = 1.00
        #   parking  11:00-12:08   68 min = 1.1333 h -> 12 x 0.1 = 1.20 x 5.00 = 6.00
        #                                                                 total  9.50
        rating = rated(
            COMPLEX,
            ("usagetime", "1.0", "2026-01-05T10:00:00+01:00", "2026-01-05T11:00:00+01:00"),
            ("energy", "7.4", "2026-01-05T10:00:00+01:00", "2026-01-05T11:00:00+01:00"),
            ("parkingtime", "1.2", "2026-01-05T11:00:00+01:00", "2026-01-05T12:08:00+01:00"),
        )
        assert bill(rating) == [(0, "1", "2.5"), (1, "1", "1"), (4, "1.2", "6")]
        assert total(rating) == Decimal("9.5")

    def test_eight_minutes_are_two_blocks_of_six(self) -> None:
        # The specification's own example of a step: 8 min parking, step 0.1 h -> 12 min.
        #   start fee 2.50; parking 0.1333 h -> 2 x 0.1 = 0.2 x 5.00 = 1.00
        rating = rated(
            COMPLEX,
            ("parkingtime", "0.2", "2026-01-05T10:00:00+01:00", "2026-01-05T10:08:00+01:00"),
        )
        assert bill(rating) == [(0, "1", "2.5"), (4, "0.2", "1")]

    @pytest.mark.parametrize(
        ("kwh", "element_and_cost"),
        [("10.99", (1, "1", "1")), ("11", (2, "1", "2")), ("11.01", (2, "1", "2"))],
    )
    def test_eleven_kilowatts_belong_to_the_upper_element(
        self, kwh: str, element_and_cost: tuple[int, str, str]
    ) -> None:
        rating = rated(
            COMPLEX,
            ("usagetime", "1", "2026-01-05T10:00:00+01:00", "2026-01-05T11:00:00+01:00"),
            ("energy", kwh, "2026-01-05T10:00:00+01:00", "2026-01-05T11:00:00+01:00"),
        )
        assert bill(rating) == [(0, "1", "2.5"), element_and_cost]

    def test_fast_charging_across_midnight_into_the_weekend(self) -> None:
        # Friday 2026-01-09 23:10 to Saturday 01:00, 22 kW throughout.
        #   start fee                                                     x 2.50 = 2.50
        #   usage Fri 23:10-24:00  50 min = 0.8333 h -> 5 x 0.2 = 1.0 h x 2.00 = 2.00
        #   usage Sat 00:00-01:00  60 min = 1.0000 h -> 5 x 0.2 = 1.0 h x 1.25 = 1.25
        #                                                                 total  5.75
        begin, end = "2026-01-09T23:10:00+01:00", "2026-01-10T01:00:00+01:00"
        rating = rated(COMPLEX, ("usagetime", "2", begin, end), ("power", "22", begin, end))
        assert bill(rating) == [(0, "1", "2.5"), (2, "1", "2"), (3, "1", "1.25")]
        assert total(rating) == Decimal("5.75")

    def test_fast_charging_across_the_whole_weekend_into_monday(self) -> None:
        # Friday 2026-01-09 22:00 to Monday 2026-01-12 02:00.
        #   usage Fri 22:00-24:00  2 h  and Mon 00:00-02:00  2 h: one element, 4 h x 2.00 =  8.00
        #   usage Sat, Sun         48 h                                         48 h x 1.25 = 60.00
        #   start fee                                                                          2.50
        #                                                                      total          70.50
        begin, end = "2026-01-09T22:00:00+01:00", "2026-01-12T02:00:00+01:00"
        rating = rated(COMPLEX, ("usagetime", "52", begin, end), ("power", "22", begin, end))
        assert bill(rating) == [(0, "1", "2.5"), (2, "4", "8"), (3, "48", "60")]
        assert total(rating) == Decimal("70.5")

    def test_parking_from_friday_evening_to_saturday_noon(self) -> None:
        # Friday 2026-01-09 17:30 to Saturday 12:00.
        #   start fee                                                          2.50
        #   Fri 17:30-18:00  30 min = 0.5 h -> 5 x 0.1 = 0.5 x 5.00 =          2.50
        #   Fri 18:00-Sat 10:00  outside of both windows: nothing
        #   Sat 10:00-12:00  2 h -> 20 x 0.1 = 2.0 x 6.00 =                   12.00
        #                                                         total       17.00
        rating = rated(
            COMPLEX,
            ("parkingtime", "18.5", "2026-01-09T17:30:00+01:00", "2026-01-10T12:00:00+01:00"),
        )
        assert bill(rating) == [(0, "1", "2.5"), (4, "0.5", "2.5"), (5, "2", "12")]
        assert total(rating) == Decimal(17)

    def test_windows_of_one_element_are_added_up_before_rounding(self) -> None:
        # Monday 17:57 to Tuesday 09:03: 3 min before 18:00 and 3 min after 09:00, together one
        # block of 6 min and not two.
        rating = rated(
            COMPLEX,
            ("parkingtime", "15.1", "2026-01-05T17:57:00+01:00", "2026-01-06T09:03:00+01:00"),
        )
        assert bill(rating) == [(0, "1", "2.5"), (4, "0.1", "0.5")]

    def test_fast_charging_over_the_night_in_which_summer_time_begins(self) -> None:
        # Saturday 2026-03-28 23:00+01:00 to Monday 2026-03-30 01:00+02:00; Sunday has 23 hours.
        #   usage Sat 23:00-24:00   1 h  and Sunday 23 h: 24 h x 1.25 = 30.00
        #   usage Mon 00:00-01:00   1 h                        x 2.00 =  2.00
        #   start fee                                                    2.50
        #                                                   total       34.50
        begin, end = "2026-03-28T23:00:00+01:00", "2026-03-30T01:00:00+02:00"
        rating = rated(COMPLEX, ("usagetime", "25", begin, end), ("power", "22", begin, end))
        assert bill(rating) == [(0, "1", "2.5"), (2, "1", "2"), (3, "24", "30")]

    def test_fast_charging_over_the_night_in_which_summer_time_ends(self) -> None:
        # Saturday 2025-10-25 23:00+02:00 to Monday 2025-10-27 01:00+01:00; Sunday has 25 hours.
        #   usage Sat 1 h and Sunday 25 h: 26 h x 1.25 = 32.50
        #   usage Mon 1 h                       x 2.00 =  2.00
        #   start fee                                     2.50
        begin, end = "2025-10-25T23:00:00+02:00", "2025-10-27T01:00:00+01:00"
        rating = rated(COMPLEX, ("usagetime", "27", begin, end), ("power", "22", begin, end))
        assert bill(rating) == [(0, "1", "2.5"), (2, "1", "2"), (3, "26", "32.5")]

    def test_windows_are_in_the_charge_points_time_and_not_in_that_of_the_offset(self) -> None:
        # Sent in UTC: 17:30Z is 18:30 in Berlin, behind the window of weekdays.
        periods = ("parkingtime", "0.5", "2026-01-05T17:30:00+00:00", "2026-01-05T18:00:00+00:00")
        assert bill(rated(COMPLEX, periods)) == [(0, "1", "2.5")]
        assert bill(rated(COMPLEX, periods, zone=ZoneInfo("Europe/London"))) == [
            (0, "1", "2.5"),
            (4, "0.5", "2.5"),
        ]

    def test_rate_for_one_provider_is_billed_as_consumed(self) -> None:
        # 7 min 30 s = 0.125 h x 2.00 = 0.25, step 0.
        individual = tariff(element(BillingItem.USAGETIME, "2.00", "0.0"))
        rating = rated(
            individual,
            ("usagetime", "0.125", "2026-01-05T10:00:00+01:00", "2026-01-05T10:07:30+01:00"),
        )
        assert bill(rating) == [(0, "0.125", "0.25")]


class TestClockChanges:
    NIGHT = tariff(
        element(BillingItem.PARKINGTIME, "1", "0", hours=hours((SUNDAY,), "02:30", "04:00"))
    )

    def test_hour_that_the_clock_skips(self) -> None:
        # 2026-03-29: 02:00 becomes 03:00, so that the window is open from 03:00 to 04:00: 1 h.
        rating = rated(
            self.NIGHT,
            ("parkingtime", "4", "2026-03-29T00:00:00+01:00", "2026-03-29T05:00:00+02:00"),
        )
        assert bill(rating) == [(0, "1", "1")]

    def test_hour_that_the_clock_shows_twice(self) -> None:
        # 2025-10-26: 02:30-03:00 summer time 0.5 h, then 02:30-04:00 winter time 1.5 h.
        rating = rated(
            self.NIGHT,
            ("parkingtime", "6", "2025-10-26T00:00:00+02:00", "2025-10-26T05:00:00+01:00"),
        )
        assert bill(rating) == [(0, "2", "2")]


HOUR_1 = ("2026-01-05T10:00:00+01:00", "2026-01-05T11:00:00+01:00")
HOUR_2 = ("2026-01-05T11:00:00+01:00", "2026-01-05T12:00:00+01:00")
BOTH = (HOUR_1[0], HOUR_2[1])


class TestLimits:
    def test_energy_tiers(self) -> None:
        # 30 kWh: the first 20 at 0.30 = 6.00, the other 10 at 0.50 = 5.00.
        tiers = tariff(
            element(BillingItem.ENERGY, "0.30", "0", max_energy=Decimal(20)),
            element(BillingItem.ENERGY, "0.50", "0", min_energy=Decimal(20)),
        )
        rating = rated(tiers, ("energy", "30", *BOTH))
        assert bill(rating) == [(0, "20", "6"), (1, "10", "5")]

    def test_energy_limit_on_time(self) -> None:
        # 30 kWh evenly in 2 h reach 20 kWh after 80 min: 40 min are left at 3.00 = 2.00.
        rating = rated(
            tariff(element(BillingItem.USAGETIME, "3", "0", min_energy=Decimal(20))),
            ("energy", "30", *BOTH),
            ("usagetime", "2", *BOTH),
        )
        assert bill(rating) == [(0, "0.66666666666666666667", "2")]

    def test_energy_counts_over_several_periods(self) -> None:
        # 10 kWh in the first hour, 20 in the second: 20 are reached at half past eleven.
        rating = rated(
            tariff(element(BillingItem.USAGETIME, "1", "0", min_energy=Decimal(20))),
            ("energy", "10", *HOUR_1),
            ("energy", "20", *HOUR_2),
            ("usagetime", "2", *BOTH),
        )
        assert bill(rating) == [(0, "0.5", "0.5")]

    def test_energy_billed_twice_over_the_same_time_was_used_once(self) -> None:
        rating = rated(
            tariff(element(BillingItem.ENERGY, "1", "0", max_energy=Decimal(20))),
            ("energy", "20", *BOTH),
            ("energy", "20", *BOTH),
        )
        assert bill(rating) == [(0, "40", "40")]

    def test_duration_limits_count_from_the_start_of_the_session(self) -> None:
        # First half hour free, then 2.00 per hour until 90 min have passed, then nothing.
        rating = rated(
            tariff(
                element(BillingItem.USAGETIME, "2", "0", min_duration_s=1800, max_duration_s=5400)
            ),
            ("usagetime", "2", *BOTH),
        )
        assert bill(rating) == [(0, "1", "2")]

    def test_dates_limit_from_the_first_included_to_the_last_excluded(self) -> None:
        change = datetime(2026, 1, 5, 10, 30, tzinfo=UTC)  # 11:30 in Berlin
        rating = rated(
            tariff(
                element(BillingItem.USAGETIME, "1", "0", end=change),
                element(BillingItem.USAGETIME, "4", "0", start=change),
            ),
            ("usagetime", "2", *BOTH),
        )
        assert bill(rating) == [(0, "1.5", "1.5"), (1, "0.5", "2")]

    def test_power_changes_from_period_to_period(self) -> None:
        # 22 kW in the first hour, 5 kW in the second: 2.00 and then 1.00.
        rating = rated(
            COMPLEX,
            ("usagetime", "2", *BOTH),
            ("energy", "22", *HOUR_1),
            ("energy", "5", *HOUR_2),
        )
        assert bill(rating) == [(0, "1", "2.5"), (1, "1", "1"), (2, "1", "2")]

    def test_nothing_is_drawn_after_the_energy_period(self) -> None:
        rating = rated(COMPLEX, ("usagetime", "2", *BOTH), ("energy", "22", *HOUR_1))
        assert bill(rating) == [(0, "1", "2.5"), (1, "1", "1"), (2, "1", "2")]

    def test_rated_power_stands_in_where_the_cdr_tells_none(self) -> None:
        usage = ("usagetime", "2", *BOTH)
        assert bill(rated(COMPLEX, usage, rated_power=Decimal(22)))[1:] == [(2, "2", "4")]
        assert bill(rated(COMPLEX, usage, rated_power=Decimal("3.7")))[1:] == [(1, "2", "2")]

    def test_first_element_that_applies_counts(self) -> None:
        rating = rated(
            tariff(
                element(BillingItem.USAGETIME, "1", "0", max_duration_s=3600),
                element(BillingItem.USAGETIME, "2", "0"),
                element(BillingItem.USAGETIME, "3", "0"),
            ),
            ("usagetime", "2", *BOTH),
        )
        assert bill(rating) == [(0, "1", "1"), (1, "1", "2")]


class TestItems:
    def test_energy_in_steps(self) -> None:
        # 10.01 kWh in steps of half a kWh: 21 steps, 10.5 kWh.
        rating = rated(
            tariff(element(BillingItem.ENERGY, "0.4", "0.5")), ("energy", "10.01", *BOTH)
        )
        assert bill(rating) == [(0, "10.5", "4.2")]

    @pytest.mark.parametrize(("count", "billed"), [(3, "0.1"), (6, "0.2"), (7, "0.3")])
    def test_whole_steps_are_not_rounded_up(self, count: int, billed: str) -> None:
        # Two minutes are 0.0333... h: three times that is one step of 0.1 h, seven times three.
        moments = [f"2026-01-05T10:{2 * n:02}:00+01:00" for n in range(count + 1)]
        periods = [("usagetime", "0.05", *pair) for pair in pairwise(moments)]
        rating = rated(tariff(element(BillingItem.USAGETIME, "1", "0.1")), *periods)
        assert bill(rating) == [(0, billed, billed)]

    def test_power_is_billed_by_kilowatt_at_each_period(self) -> None:
        rating = rated(
            tariff(element(BillingItem.POWER, "0.5", "1")),
            ("power", "10.5", *HOUR_1),
            ("power", "3", *HOUR_2),
        )
        assert bill(rating) == [(0, "11", "5.5"), (0, "3", "1.5")]

    def test_reservation_fee_and_time(self) -> None:
        rating = rated(
            tariff(
                element(BillingItem.RESERVATION, "1.5", "1"),
                element(BillingItem.RESERVATIONTIME, "2", "0.25"),
            ),
            ("reservation", "1", *HOUR_1),
            ("reservationtime", "0.4", *HOUR_1),
        )
        assert bill(rating) == [(0, "1", "1.5"), (1, "0.5", "1")]

    def test_start_fee_is_due_once_also_where_the_cdr_does_not_bill_it(self) -> None:
        fee = tariff(element(BillingItem.SERVICE_FEE, "2.5", "1"))
        assert bill(rated(fee, ("energy", "1", *BOTH))) == [(0, "1", "2.5")]
        twice = [("serviceFee", "1", *BOTH)] * 2
        assert bill(rated(fee, *twice)) == [(0, "1", "2.5")]

    def test_start_fee_by_the_time_of_the_start(self) -> None:
        fees = tariff(
            element(BillingItem.SERVICE_FEE, "1", "1", hours=hours(WEEKDAYS, "10:00", "11:00")),
            element(BillingItem.SERVICE_FEE, "9", "1"),
        )
        assert bill(rated(fees, ("energy", "1", *BOTH))) == [(0, "1", "1")]
        assert bill(rated(fees, ("energy", "1", *HOUR_2))) == [(1, "1", "9")]

    def test_item_without_an_element_costs_nothing(self) -> None:
        rating = rated(tariff(element(BillingItem.ENERGY, "1", "0")), ("parkingtime", "2", *BOTH))
        assert bill(rating) == []
        assert total(rating) == 0

    def test_less_time_billed_than_the_period_is_long(self) -> None:
        rating = rated(
            tariff(element(BillingItem.USAGETIME, "1", "0")), ("usagetime", "1.5", *BOTH)
        )
        assert bill(rating) == [(0, "1.5", "1.5")]

    def test_period_without_length(self) -> None:
        rating = rated(
            tariff(element(BillingItem.ENERGY, "1", "0"), element(BillingItem.USAGETIME, "1", "1")),
            ("usagetime", "1", *BOTH),
            ("energy", "3", BOTH[0], BOTH[0]),
            ("usagetime", "0", BOTH[0], BOTH[0]),
        )
        assert bill(rating) == [(0, "3", "3"), (1, "1", "1")]

    def test_cost_of_one_item(self) -> None:
        rating = rated(COMPLEX, ("usagetime", "2", *BOTH), ("power", "5", *BOTH))
        assert rating is not None
        assert rating.cost_of(BillingItem.USAGETIME) == 2
        assert rating.cost_of(BillingItem.PARKINGTIME) == 0


class TestWhatCannotBeTold:
    def test_power_limit_without_any_power(self) -> None:
        assert rated(COMPLEX, ("usagetime", "2", *BOTH)) is None

    def test_power_is_not_asked_for_where_the_window_decides(self) -> None:
        sundays = tariff(
            element(
                BillingItem.USAGETIME,
                "1",
                "0",
                hours=hours((SUNDAY,), "00:00", "24:00"),
                min_power=Decimal(11),
            )
        )
        assert bill(rated(sundays, ("usagetime", "2", *BOTH))) == []

    def test_energy_limit_without_any_energy(self) -> None:
        limited = tariff(element(BillingItem.USAGETIME, "1", "0", min_energy=Decimal(1)))
        assert rated(limited, ("usagetime", "2", *BOTH)) is None

    def test_energy_limit_with_energy_used_in_no_time(self) -> None:
        limited = tariff(element(BillingItem.USAGETIME, "1", "0", min_energy=Decimal(1)))
        rating = rated(limited, ("usagetime", "2", *BOTH), ("energy", "3", BOTH[1], BOTH[1]))
        assert rating is None

    def test_period_that_ends_before_it_starts(self) -> None:
        assert rated(COMPLEX, ("energy", "3", *BOTH), ("energy", "3", HOUR_1[1], HOUR_1[0])) is None

    def test_negative_value(self) -> None:
        assert rated(COMPLEX, ("energy", "-3", *BOTH)) is None

    def test_record_without_periods(self) -> None:
        assert rate(COMPLEX, replace(make_cdr(), periods=()), BERLIN) is None

    @pytest.mark.parametrize(("days", "ratable"), [(0, True), (1, False)])
    def test_session_that_is_too_long(self, days: int, ratable: bool) -> None:
        begin = datetime(2026, 1, 1, tzinfo=UTC)
        end = begin.replace(month=2, day=1 + days)
        assert (end - begin).days == SESSION_DAYS_MAX + days
        rating = rated(COMPLEX, ("energy", "3", begin.isoformat(), end.isoformat()))
        assert (rating is not None) is ratable

    def test_tariff_that_is_too_finely_divided(self) -> None:
        elements = [
            element(BillingItem.USAGETIME, "1", "0", hours=(Hours(1, minute, minute + 1),))
            for minute in range(1440)
        ]
        assert rated(tariff(*elements), ("usagetime", "2", *BOTH)) is None

    @pytest.mark.parametrize("year", ["0001", "9999"])
    def test_ends_of_the_calendar(self, year: str) -> None:
        moment = f"{year}-06-01T00:00:00+00:00"
        assert rated(COMPLEX, ("energy", "3", moment, moment)) is None
