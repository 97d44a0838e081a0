"""Rules on amounts: values, prices, costs, and what fits into time and power."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ochp_chs.ochp.records.billing import BillingItem
from ochp_chs.ochp.records.tariff import IndividualTariff, TariffElement
from ochp_chs.ochp.violations import Violation
from ochp_chs.rules.context import Context, GivenTariff, KnownEvse
from ochp_chs.rules.model import VIOLATIONS_PER_RULE_MAX
from ochp_chs.rules.plausibility import (
    energy_within_power,
    hours_within_period,
    no_negative_amount,
    one_time_value,
    period_cost,
    total_cost,
)
from tests.support.cdrs import make_cdr, make_context, period_xml
from tests.support.rules import found_by


def context_with_step(item: BillingItem, step: str) -> Context:
    """The owner was given a tariff for the EVSE's connector that bills this item in blocks."""
    tariff = IndividualTariff("EUR", (TariffElement(item, Decimal(1), Decimal(step)),))
    given = GivenTariff(datetime(2025, 1, 1, tzinfo=UTC), None, tariff)
    return make_context(tariffs={("DECPOT1", "DEEMP"): [given]})


class TestNoNegativeAmount:
    RULE = no_negative_amount.RULE

    def test_zero_and_negative_zero(self) -> None:
        cdr = make_cdr(periods=[period_xml(value="-0.0", price="0", cost="0")], total_cost="0E0")
        assert found_by(self.RULE, cdr) == ()

    def test_optional_costs_absent(self) -> None:
        assert found_by(self.RULE, make_cdr(periods=[period_xml()], total_cost=None)) == ()

    def test_each_place_is_named_with_the_text_that_was_sent(self) -> None:
        periods = [period_xml(), period_xml(value="-1E-9", price="-0.30", cost="-3.00")]
        found = found_by(self.RULE, make_cdr(periods=periods, total_cost="-3.0"))
        assert found == tuple(
            Violation("no-negative-amount", field, value, "this must not be below zero")
            for field, value in (
                ("chargingPeriods[2]/billingValue", "-1E-9"),
                ("chargingPeriods[2]/itemPrice", "-0.30"),
                ("chargingPeriods[2]/periodCost", "-3.00"),
                ("totalCost", "-3.0"),
            )
        )

    def test_a_thousand_periods_are_named_by_the_first(self) -> None:
        cdr = make_cdr(periods=[period_xml(value="-1")] * 1000)
        assert len(found_by(self.RULE, cdr)) == VIOLATIONS_PER_RULE_MAX


class TestOneTimeValue:
    RULE = one_time_value.RULE

    @pytest.mark.parametrize("item", ["serviceFee", "reservation"])
    @pytest.mark.parametrize("value", ["1", "1.0", "1E0", "+01.000", "0.1E1"])
    def test_one_however_it_is_written(self, item: str, value: str) -> None:
        assert found_by(self.RULE, make_cdr(periods=[period_xml(item, value)])) == ()

    @pytest.mark.parametrize("item", ["energy", "power", "usagetime", "parkingtime"])
    def test_other_items_have_other_values(self, item: str) -> None:
        assert found_by(self.RULE, make_cdr(periods=[period_xml(item, "2")])) == ()

    @pytest.mark.parametrize("item", ["serviceFee", "reservation"])
    @pytest.mark.parametrize("value", ["0", "2", "1.000000001"])
    def test_another_value(self, item: str, value: str) -> None:
        assert found_by(self.RULE, make_cdr(periods=[period_xml(item, value)])) == (
            Violation(
                "one-time-value",
                "chargingPeriods[1]/billingValue",
                value,
                f"the value of a {item} is 1",
            ),
        )


class TestHoursWithinPeriod:
    """The periods are two hours long, the tolerance is a minute: 2.01666... hours."""

    RULE = hours_within_period.RULE

    @pytest.mark.parametrize("item", ["usagetime", "parkingtime", "reservationtime"])
    @pytest.mark.parametrize("value", ["0", "1.5", "2", "2.0166"])
    def test_within(self, item: str, value: str) -> None:
        assert found_by(self.RULE, make_cdr(periods=[period_xml(item, value)])) == ()

    @pytest.mark.parametrize("item", ["usagetime", "parkingtime", "reservationtime"])
    def test_a_little_more(self, item: str) -> None:
        assert found_by(self.RULE, make_cdr(periods=[period_xml(item, "2.0167")])) == (
            Violation(
                "hours-within-period",
                "chargingPeriods[1]/billingValue",
                "2.0167",
                f"2.0167 hours of {item} do not fit into a period of 7200 seconds",
            ),
        )

    def test_other_items_are_not_hours(self) -> None:
        assert found_by(self.RULE, make_cdr(periods=[period_xml("energy", "40")])) == ()

    def test_tolerance_is_a_parameter(self) -> None:
        cdr = make_cdr(periods=[period_xml("usagetime", "2.5")])
        assert found_by(self.RULE, cdr, None, {"tolerance_s": 1799}) != ()
        assert found_by(self.RULE, cdr, None, {"tolerance_s": 1800}) == ()

    @pytest.mark.parametrize(("value", "count"), [("2.26", 0), ("2.27", 1)])
    def test_less_than_a_block_more_where_the_tariff_bills_in_blocks(
        self, value: str, count: int
    ) -> None:
        # Two hours, a minute of tolerance, and a block of a quarter: 2.26666... is out.
        cdr = make_cdr(periods=[period_xml("usagetime", value)], tariff_id="DE*CPO*T1")
        context = context_with_step(BillingItem.USAGETIME, "0.25")
        assert len(found_by(self.RULE, cdr, context)) == count

    def test_blocks_of_another_item_do_not_count(self) -> None:
        cdr = make_cdr(periods=[period_xml("usagetime", "2.2")], tariff_id="DE*CPO*T1")
        context = context_with_step(BillingItem.PARKINGTIME, "0.25")
        assert len(found_by(self.RULE, cdr, context)) == 1


class TestEnergyWithinPower:
    """22 kW in two hours give 44 kWh, with ten per cent 48.4 and one more 49.4."""

    RULE = energy_within_power.RULE

    @pytest.mark.parametrize("value", ["0", "44", "49.4"])
    def test_within(self, value: str) -> None:
        assert found_by(self.RULE, make_cdr(periods=[period_xml(value=value)])) == ()

    def test_a_little_more(self) -> None:
        assert found_by(self.RULE, make_cdr(periods=[period_xml(value="49.4000001")])) == (
            Violation(
                "energy-within-power",
                "chargingPeriods[1]/billingValue",
                "49.4000001",
                "22 kW do not give 49.4000001 kWh in 7200 seconds",
            ),
        )

    def test_other_items_are_no_energy(self) -> None:
        assert found_by(self.RULE, make_cdr(periods=[period_xml("power", "500")])) == ()

    @pytest.mark.parametrize(
        "ratings", [None, "<maximumPower>0</maximumPower>", "<maximumPower>-22</maximumPower>"]
    )
    def test_no_rating_anywhere(self, ratings: str | None) -> None:
        cdr = make_cdr(periods=[period_xml(value="9999")], ratings=ratings)
        assert found_by(self.RULE, cdr, make_context(evses={})) == ()

    def test_rating_of_the_charge_point_data_alone(self) -> None:
        cdr = make_cdr(periods=[period_xml(value="50")], ratings=None)
        assert len(found_by(self.RULE, cdr)) == 1

    def test_larger_rating_of_the_two_counts(self) -> None:
        cdr = make_cdr(periods=[period_xml(value="60")])
        evses = {cdr.evse_key: KnownEvse(maximum_power=Decimal(43))}
        assert found_by(self.RULE, cdr, make_context(evses=evses)) == ()

    def test_same_energy_billed_twice(self) -> None:
        cdr = make_cdr(periods=[period_xml(value="40"), period_xml(value="40")])
        assert found_by(self.RULE, cdr) == ()

    def test_tolerances_are_parameters(self) -> None:
        exact = {"tolerance_percent": Decimal(0), "tolerance_kwh": Decimal(0)}
        assert found_by(self.RULE, make_cdr(periods=[period_xml(value="44")]), None, exact) == ()
        assert found_by(self.RULE, make_cdr(periods=[period_xml(value="44.1")]), None, exact) != ()

    @pytest.mark.parametrize(("value", "count"), [("54.39", 0), ("54.4", 1)])
    def test_less_than_a_block_more_where_the_tariff_bills_in_blocks(
        self, value: str, count: int
    ) -> None:
        cdr = make_cdr(periods=[period_xml(value=value)], tariff_id="DE*CPO*T1")
        context = context_with_step(BillingItem.ENERGY, "5")
        assert len(found_by(self.RULE, cdr, context)) == count

    def test_period_that_ends_before_it_starts(self) -> None:
        period = period_xml(
            value="1.1", start="2026-01-05T12:00:00+01:00", end="2026-01-05T10:00:00+01:00"
        )
        assert len(found_by(self.RULE, make_cdr(periods=[period]))) == 1


class TestPeriodCost:
    RULE = period_cost.RULE

    @pytest.mark.parametrize("cost", [None, "3", "3.00", "2.99", "3.01", "0.3E1"])
    def test_absent_exact_or_off_by_a_cent(self, cost: str | None) -> None:
        assert found_by(self.RULE, make_cdr(periods=[period_xml(cost=cost)])) == ()

    @pytest.mark.parametrize("cost", ["2.989", "3.011", "0", "-3"])
    def test_off_by_more(self, cost: str) -> None:
        assert found_by(self.RULE, make_cdr(periods=[period_xml(cost=cost)])) == (
            Violation(
                "period-cost",
                "chargingPeriods[1]/periodCost",
                cost,
                "10 times 0.3 is 3",
            ),
        )

    @pytest.mark.parametrize(
        ("currency", "right", "wrong"),
        [
            ("JPY", "4", "4.1"),
            ("EUR", "3.01", "3.02"),
            ("KWD", "3.001", "3.002"),
            ("???", "3.01", "4"),
        ],
    )
    def test_smallest_unit_is_the_currencys(self, currency: str, right: str, wrong: str) -> None:
        fine, off = (
            make_cdr(currency=currency, periods=[period_xml(cost=cost)]) for cost in (right, wrong)
        )
        assert found_by(self.RULE, fine) == ()
        assert len(found_by(self.RULE, off)) == 1

    def test_tolerance_is_a_parameter(self) -> None:
        cdr = make_cdr(periods=[period_xml(cost="3.005")])
        assert found_by(self.RULE, cdr, None, {"tolerance_units": Decimal("0.4")}) != ()
        assert found_by(self.RULE, cdr, None, {"tolerance_units": Decimal("0.5")}) == ()

    def test_thirty_digits_are_not_rounded_away(self) -> None:
        cdr = make_cdr(
            periods=[
                period_xml(
                    value="123456789012345678",
                    price="1.000000000000000001",
                    cost="123456789012345678.123456789012345678",
                )
            ]
        )
        assert found_by(self.RULE, cdr, None, {"tolerance_units": Decimal(0)}) == ()


class TestTotalCost:
    RULE = total_cost.RULE

    @pytest.mark.parametrize("total", [None, "3", "2.99", "3.01"])
    def test_absent_exact_or_off_by_a_cent(self, total: str | None) -> None:
        assert found_by(self.RULE, make_cdr(total_cost=total)) == ()

    @pytest.mark.parametrize("total", ["2.989", "3.011", "0"])
    def test_off_by_more(self, total: str) -> None:
        assert found_by(self.RULE, make_cdr(total_cost=total)) == (
            Violation("total-cost", "totalCost", total, "the costs of the periods add up to 3"),
        )

    def test_costs_that_were_sent_count_and_products_where_none_was(self) -> None:
        periods = [
            period_xml(value="1", price="2.50", cost="2.51"),
            period_xml("power", "2", "0.2"),
        ]
        assert found_by(self.RULE, make_cdr(periods=periods, total_cost="2.91")) == ()

    @pytest.mark.parametrize(("total", "count"), [("0.015", 0), ("0.016", 1)])
    def test_products_may_have_been_rounded_before_adding(self, total: str, count: int) -> None:
        cdr = make_cdr(periods=[period_xml(price="0", cost=None)], total_cost=total)
        assert len(found_by(self.RULE, cdr)) == count

    def test_tolerance_is_a_parameter(self) -> None:
        cdr = make_cdr(total_cost="3.05")
        assert found_by(self.RULE, cdr, None, {"tolerance_units": Decimal(4)}) != ()
        assert found_by(self.RULE, cdr, None, {"tolerance_units": Decimal(5)}) == ()

    def test_record_without_periods(self) -> None:
        cdr = replace(make_cdr(total_cost="0"), periods=())
        assert found_by(self.RULE, cdr) == ()
