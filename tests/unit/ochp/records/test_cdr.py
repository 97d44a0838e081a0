"""CDRs: what is read from a schema-valid record, and what in it has no meaning."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

from ochp_chs.ochp.records.billing import BillingItem
from ochp_chs.ochp.records.cdr import Cdr, CdrStatus, Connector, Ratings, Token, decode
from ochp_chs.ochp.records.problems import PROBLEMS_MAX
from ochp_chs.ochp.schema import record_schema
from ochp_chs.ochp.violations import Violation
from tests.support.cdrs import END, START, cdr_xml, element_of, make_cdr, period_xml

_CET = timezone(timedelta(hours=1))


def problems(**changes: object) -> list[Violation]:
    """What is wrong with a record that the schema takes."""
    element = element_of(cdr_xml(**changes))  # type: ignore[arg-type]
    assert record_schema().validate(element), record_schema().error_log
    found = decode(element)
    assert isinstance(found, list), "the record was read as if nothing were wrong with it"
    return found


class TestReading:
    def test_everything_that_is_there(self) -> None:
        cdr = make_cdr(
            representation="plain",
            sub_type="mifareDes",
            tariff_id="DE*CPO*T1",
            ratings="<maximumPower>22.1</maximumPower><guaranteedPower>11E0</guaranteedPower>"
            "<nominalVoltage>400</nominalVoltage>",
            meter_id="M 1",
            periods=[
                period_xml("energy", "1.5E1", "0.30", "4.50", tax_rate="19"),
                period_xml("serviceFee", "1.0", "2"),
            ],
            total_cost="6.50",
        )
        assert (cdr.cdr_id, cdr.evse_id, cdr.evse_key) == (
            "DECPO0000000001",
            "DE*CPO*E1234*1",
            "DECPOE1234*1",
        )
        assert (cdr.operator, cdr.provider, cdr.contract_key) == (
            "DECPO",
            "DEEMP",
            "DEEMPC00000001",
        )
        assert cdr.token == Token("04A1B2C3D4", "rfid", "plain", "mifareDes")
        assert cdr.status is CdrStatus.NEW
        assert cdr.start == datetime(2026, 1, 5, 10, tzinfo=_CET)
        assert cdr.end - cdr.start == cdr.duration == timedelta(hours=2)
        assert (cdr.country, cdr.charge_point_type, cdr.currency) == ("DEU", "AC", "EUR")
        assert cdr.connector == Connector("IEC_62196_T2", "Socket", "DE*CPO*T1")
        assert cdr.ratings == Ratings(Decimal("22.1"), Decimal(11), 400)
        assert (cdr.meter_id, cdr.total_cost, cdr.total_cost_text) == (
            "M 1",
            Decimal("6.50"),
            "6.50",
        )
        energy, fee = cdr.periods
        assert (energy.item, energy.value, energy.price) == (BillingItem.ENERGY, 15, Decimal("0.3"))
        assert (energy.cost, energy.tax_rate) == (Decimal("4.5"), 19)
        assert (energy.value_text, energy.price_text, energy.cost_text) == ("1.5E1", "0.30", "4.50")
        assert (fee.item, fee.cost, fee.cost_text) == (BillingItem.SERVICE_FEE, None, None)
        assert fee.cost_or_product == 2

    def test_everything_optional_left_out(self) -> None:
        cdr = make_cdr(duration=None, ratings=None, total_cost=None, periods=[period_xml()])
        assert (cdr.duration, cdr.ratings, cdr.meter_id, cdr.total_cost, cdr.total_cost_text) == (
            (None,) * 5
        )
        assert cdr.connector.tariff_id is None
        assert cdr.token == Token("04A1B2C3D4", "rfid", "plain", None)
        assert (cdr.periods[0].cost, cdr.periods[0].tax_rate) == (None, None)

    def test_period_with_tax_rate_and_without_cost(self) -> None:
        (period,) = make_cdr(periods=[period_xml(tax_rate="7")]).periods
        assert (period.cost, period.tax_rate) == (None, 7)

    def test_ratings_with_voltage_and_without_guaranteed_power(self) -> None:
        cdr = make_cdr(
            ratings="<maximumPower>3.7</maximumPower><nominalVoltage>230</nominalVoltage>"
        )
        assert cdr.ratings == Ratings(Decimal("3.7"), None, 230)

    def test_space_around_a_number_and_a_currency(self) -> None:
        cdr = make_cdr(total_cost="\n 3.00 ", currency=" EUR ")
        assert (cdr.total_cost, cdr.total_cost_text, cdr.currency) == (Decimal(3), "3.00", "EUR")

    def test_times_keep_the_offset_they_were_sent_with(self) -> None:
        cdr = make_cdr(start="2026-01-05T09:00:00+00:00", periods=[period_xml(end=START)])
        assert cdr.start.isoformat() == "2026-01-05T09:00:00+00:00"
        assert cdr.periods[0].end.isoformat() == START

    def test_longest_duration(self) -> None:
        assert make_cdr(duration="999:59:59").duration == timedelta(
            hours=999, minutes=59, seconds=59
        )


class TestWithoutMeaning:
    def test_month_13(self) -> None:
        (violation,) = problems(end="2026-13-05T12:00:00+01:00")
        assert (violation.rule, violation.field) == ("time", "endDateTime/LocalDateTime")
        assert violation.value == "2026-13-05T12:00:00+01:00"
        assert "there is no month 13" in violation.text

    def test_hour_29_in_the_second_period(self) -> None:
        periods = [period_xml(), period_xml(start="2026-01-05T29:00:00+01:00")]
        (violation,) = problems(periods=periods)
        assert violation.field == "chargingPeriods[2]/startDateTime/LocalDateTime"
        assert "there is no hour 29" in violation.text

    @pytest.mark.parametrize("value", ["NaN", "INF", "-INF", "1E+999999999", "0E+999999999"])
    def test_value_that_is_no_amount(self, value: str) -> None:
        (violation,) = problems(periods=[period_xml(value=value)])
        assert (violation.rule, violation.field, violation.value) == (
            "number",
            "chargingPeriods[1]/billingValue",
            value,
        )

    def test_every_place_is_named(self) -> None:
        found = problems(
            start="2026-02-30T10:00:00+01:00",
            duration="000:60:00",
            ratings="<maximumPower>INF</maximumPower><guaranteedPower>NaN</guaranteedPower>",
            periods=[period_xml(value="NaN", price="INF", cost="-INF")],
            total_cost="NaN",
        )
        assert {violation.field for violation in found} == {
            "startDateTime/LocalDateTime",
            "duration",
            "ratings/maximumPower",
            "ratings/guaranteedPower",
            "chargingPeriods[1]/billingValue",
            "chargingPeriods[1]/itemPrice",
            "chargingPeriods[1]/periodCost",
            "totalCost",
        }

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("000:60:00", "there is no minute 60"),
            ("000:00:60", "there is no second 60"),
            ("٠٠٢:٠٠:٠٠", "write it with the digits 0 to 9"),
        ],
    )
    def test_duration(self, text: str, reason: str) -> None:
        (violation,) = problems(duration=text)
        assert (violation.rule, violation.field, violation.value) == ("duration", "duration", text)
        assert violation.text.endswith(reason)

    def test_whole_number_of_thousands_of_zeros(self) -> None:
        (violation,) = problems(periods=[period_xml(tax_rate="0" * 5000 + "7")])
        assert (violation.rule, violation.field) == ("number", "chargingPeriods[1]/taxrate")
        assert len(violation.value) < 200

    def test_many_wrong_periods_are_named_by_the_first(self) -> None:
        found = problems(periods=[period_xml(value="NaN")] * (PROBLEMS_MAX + 50))
        assert len(found) == PROBLEMS_MAX

    def test_the_valid_record_is_valid(self) -> None:
        element = element_of(cdr_xml())
        assert record_schema().validate(element)
        cdr = decode(element)
        assert isinstance(cdr, Cdr)
        assert cdr.end.isoformat() == END
