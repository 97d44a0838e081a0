"""Tariffs: what is read from a schema-valid record, and what in it has no meaning."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ochp_chs.ochp.records.billing import BillingItem
from ochp_chs.ochp.records.hours import Hours
from ochp_chs.ochp.records.tariff import Restriction, TariffElement, TariffInfo, decode
from ochp_chs.ochp.schema import record_schema
from ochp_chs.ochp.violations import Violation
from tests.support.cdrs import element_of


def element_xml(
    item: str = "usagetime", price: str = "2.0", step: str = "0.0", restriction: str = ""
) -> str:
    return (
        f"<tariffElement><priceComponent><billingItem><BillingItemType>{item}</BillingItemType>"
        f"</billingItem><itemPrice>{price}</itemPrice><stepSize>{step}</stepSize></priceComponent>"
        f"<tariffRestriction>{restriction}</tariffRestriction></tariffElement>"
    )


def hours_xml(weekday: int | str, begin: str, end: str) -> str:
    return f'<regularHours weekday="{weekday}" periodBegin="{begin}" periodEnd="{end}"/>'


def decoded(*individual: str) -> TariffInfo | list[Violation]:
    body = "".join(f"<individualTariff>{content}</individualTariff>" for content in individual)
    element = element_of(
        f"<TariffInfoArray><tariffId>de*cpo*Tab*1</tariffId>{body}</TariffInfoArray>"
    )
    assert record_schema().validate(element), record_schema().error_log
    return decode(element)


def problems(content: str) -> list[Violation]:
    found = decoded(f"{content}<currency>EUR</currency>")
    assert isinstance(found, list), "the tariff was read as if nothing were wrong with it"
    return found


class TestReading:
    def test_default_and_individual_tariff(self) -> None:
        tariff = decoded(
            element_xml("serviceFee", "2.5", "1.0") + element_xml() + "<currency> EUR </currency>",
            element_xml(price="1.50")
            + "<recipient>DEEMP</recipient><recipient>NLEM2</recipient><currency>SEK</currency>",
        )
        assert isinstance(tariff, TariffInfo)
        assert (tariff.tariff_id, tariff.tariff_key, tariff.operator) == (
            "de*cpo*Tab*1",
            "DECPOTAB*1",
            "DECPO",
        )
        default, individual = tariff.individual
        assert default.currency == "EUR"
        assert default.recipients == ()
        assert default.elements == (
            TariffElement(BillingItem.SERVICE_FEE, Decimal("2.5"), Decimal(1)),
            TariffElement(BillingItem.USAGETIME, Decimal(2), Decimal(0)),
        )
        assert (individual.currency, individual.recipients) == ("SEK", ("DEEMP", "NLEM2"))

    def test_every_restriction(self) -> None:
        tariff = decoded(
            element_xml(
                restriction=hours_xml(1, "09:00", "18:00")
                + hours_xml(7, "00:00", "24:00")
                + "<startDateTime><DateTime>2026-01-01T00:00:00Z</DateTime></startDateTime>"
                "<endDateTime><DateTime>2026-02-01T00:00:00Z</DateTime></endDateTime>"
                "<minEnergy>20.0</minEnergy><maxEnergy>5E1</maxEnergy><minPower>0</minPower>"
                "<maxPower>11.0</maxPower><minDuration>0</minDuration>"
                "<maxDuration>3600</maxDuration>"
            )
            + "<currency>EUR</currency>"
        )
        assert isinstance(tariff, TariffInfo)
        assert tariff.individual[0].elements[0].restriction == Restriction(
            (Hours(1, 540, 1080), Hours(7, 0, 1440)),
            datetime(2026, 1, 1, tzinfo=UTC),
            datetime(2026, 2, 1, tzinfo=UTC),
            Decimal(20),
            Decimal(50),
            Decimal(0),
            Decimal(11),
            0,
            3600,
        )


class TestWithoutMeaning:
    @pytest.mark.parametrize(
        ("begin", "end", "reason"),
        [
            ("18:00", "09:00", "the period has to end after it begins at 18:00"),
            ("09:00", "09:00", "the period has to end after it begins at 09:00"),
            ("00:00", "24:01", "a day ends at 24:00 at the latest"),
            ("00:00", "29:59", "a day ends at 24:00 at the latest"),
            ("24:00", "24:00", "the period has to end after it begins at 24:00"),
        ],
    )
    def test_hours(self, begin: str, end: str, reason: str) -> None:
        (violation,) = problems(element_xml(restriction=hours_xml(1, begin, end)))
        assert violation == Violation(
            "hours",
            "individualTariff[1]/tariffElement[1]/tariffRestriction/regularHours/@periodEnd",
            end,
            reason,
        )

    def test_step_below_zero(self) -> None:
        (violation,) = problems(element_xml() + element_xml(step="-0.1"))
        assert violation == Violation(
            "number",
            "individualTariff[1]/tariffElement[2]/stepSize",
            "-0.1",
            "a step is 0 (as consumed) or more",
        )

    def test_every_place_is_named(self) -> None:
        restriction = (
            "<startDateTime><DateTime>2026-13-01T00:00:00Z</DateTime></startDateTime>"
            "<minEnergy>NaN</minEnergy><maxPower>INF</maxPower>"
            f"<maxDuration>{'0' * 5000}1</maxDuration>"
        )
        found = problems(element_xml(price="NaN", step="INF", restriction=restriction))
        place = "individualTariff[1]/tariffElement[1]"
        assert [violation.field for violation in found] == [
            f"{place}/itemPrice",
            f"{place}/stepSize",
            f"{place}/tariffRestriction/startDateTime/DateTime",
            f"{place}/tariffRestriction/minEnergy",
            f"{place}/tariffRestriction/maxPower",
            f"{place}/tariffRestriction/maxDuration",
        ]

    def test_weekday_of_thousands_of_zeros(self) -> None:
        hours = hours_xml("0" * 5000 + "1", "09:00", "18:00")
        (violation,) = problems(element_xml(restriction=hours))
        assert violation.field.endswith("/regularHours/@weekday")
