"""The rule that rates a CDR again with the tariff that its owner was given."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ochp_chs.ochp.records.billing import BillingItem
from ochp_chs.ochp.records.cdr import Cdr, Connector
from ochp_chs.ochp.records.hours import Hours
from ochp_chs.ochp.records.tariff import IndividualTariff, Restriction, TariffElement
from ochp_chs.ochp.violations import Violation
from ochp_chs.rules.context import Context, GivenTariff, KnownEvse
from ochp_chs.rules.plausibility import tariff_price
from tests.support.cdrs import make_cdr, make_context, period_xml
from tests.support.rules import found_by

GIVEN_FROM = datetime(2026, 1, 1, tzinfo=UTC)


def energy_tariff(price: str, *, currency: str = "EUR", fee: str | None = None) -> IndividualTariff:
    elements = [TariffElement(BillingItem.ENERGY, Decimal(price), Decimal(0))]
    if fee is not None:
        elements.append(TariffElement(BillingItem.SERVICE_FEE, Decimal(fee), Decimal(1)))
    return IndividualTariff(currency, tuple(elements))


def context_with(tariff: IndividualTariff, provider: str = "DEEMP", **changes: object) -> Context:
    given = GivenTariff(GIVEN_FROM, None, tariff)
    return make_context(tariffs={("DECPOT1", provider): [given]}, **changes)


def cdr_with(**changes: object) -> Cdr:
    """10 kWh at 0.30, 3.00 in all, on a connector that names its tariff."""
    return make_cdr(**({"tariff_id": "DE*CPO*T1"} | changes))


class TestTariffPrice:
    RULE = tariff_price.RULE

    def test_same_price(self) -> None:
        assert found_by(self.RULE, cdr_with(), context_with(energy_tariff("0.30"))) == ()

    def test_another_price(self) -> None:
        assert found_by(self.RULE, cdr_with(), context_with(energy_tariff("0.25"))) == (
            Violation(
                "tariff-price",
                "chargingPeriods",
                "3",
                "the tariff that the owner was given makes 2.50 EUR (energy 2.50 and not 3.00)",
            ),
        )

    def test_cheaper_than_the_tariff_is_said_too(self) -> None:
        (violation,) = found_by(self.RULE, cdr_with(), context_with(energy_tariff("0.30", fee="1")))
        assert violation.text.endswith("makes 4.00 EUR (serviceFee 1.00 and not 0.00)")

    # 10 kWh: one period may be off by half a cent of its rounding and a cent of tolerance.
    @pytest.mark.parametrize(("price", "count"), [("0.3015", 0), ("0.3016", 1), ("0.2985", 0)])
    def test_tolerance(self, price: str, count: int) -> None:
        found = found_by(self.RULE, cdr_with(), context_with(energy_tariff(price)))
        assert len(found) == count

    def test_tolerance_is_a_parameter(self) -> None:
        context = context_with(energy_tariff("0.31"))
        assert found_by(self.RULE, cdr_with(), context, {"tolerance_units": Decimal(9)}) != ()
        assert found_by(self.RULE, cdr_with(), context, {"tolerance_units": Decimal(10)}) == ()

    def test_another_currency(self) -> None:
        context = context_with(energy_tariff("0.30", currency="SEK"))
        assert found_by(self.RULE, cdr_with(), context) == (
            Violation(
                "tariff-price",
                "currency",
                "EUR",
                "the tariff that the owner was given is in SEK",
            ),
        )

    def test_session_that_is_not_charged_for(self) -> None:
        cdr = cdr_with(periods=[period_xml(price="0"), period_xml("usagetime", "1", "0.00")])
        assert found_by(self.RULE, cdr, context_with(energy_tariff("0.30"))) == ()

    def test_products_count_where_no_cost_was_sent(self) -> None:
        cdr = cdr_with(periods=[period_xml(cost=None)], total_cost=None)
        assert found_by(self.RULE, cdr, context_with(energy_tariff("0.30"))) == ()

    def test_what_cannot_be_rated_is_passed_over(self) -> None:
        limited = IndividualTariff(
            "EUR",
            (
                TariffElement(
                    BillingItem.USAGETIME,
                    Decimal(1),
                    Decimal(0),
                    Restriction(min_energy=Decimal(1)),
                ),
            ),
        )
        cdr = cdr_with(periods=[period_xml("usagetime", "1", "9")])
        assert found_by(self.RULE, cdr, context_with(limited)) == ()

    @pytest.mark.parametrize(("zone", "count"), [("Europe/Berlin", 0), (None, 1), ("No/Where", 1)])
    def test_windows_are_in_the_charge_points_time(self, zone: str | None, count: int) -> None:
        # 09:00 to 10:00 in UTC are 10:00 to 11:00 in Berlin, where the window is.
        window = Restriction(hours=(Hours(1, 600, 660),))
        tariff = IndividualTariff(
            "EUR", (TariffElement(BillingItem.ENERGY, Decimal("0.30"), Decimal(0), window),)
        )
        start, end = "2026-01-05T09:00:00+00:00", "2026-01-05T10:00:00+00:00"
        cdr = cdr_with(start=start, end=end, periods=[period_xml(start=start, end=end)])
        context = context_with(tariff, evses={cdr.evse_key: KnownEvse(zone)})
        assert len(found_by(self.RULE, cdr, context)) == count


class TestWhichTariff:
    RULE = tariff_price.RULE
    DEARER = energy_tariff("0.99")

    def test_none_was_given(self) -> None:
        assert found_by(self.RULE, cdr_with()) == ()

    def test_another_owner_was_given_one(self) -> None:
        assert found_by(self.RULE, cdr_with(), context_with(self.DEARER, "NLEM2")) == ()

    def test_id_is_compared_without_separators(self) -> None:
        cdr = cdr_with(tariff_id="decpot1")
        assert len(found_by(self.RULE, cdr, context_with(self.DEARER))) == 1

    @pytest.mark.parametrize(
        ("connectors", "count"),
        [
            ((), 0),
            ((Connector("IEC_62196_T2", "Socket", "DE*CPO*T1"),), 1),
            ((Connector("Chademo", "Cable", "DE*CPO*T1"),), 1),
            ((Connector("IEC_62196_T2", "Socket", "DE*CPO*T1"), Connector("Chademo", "Cable")), 1),
            ((Connector("IEC_62196_T2", "Cable", "DE*CPO*T1"), Connector("Chademo", "Cable")), 0),
            ((Connector("IEC_62196_T2", "Socket"), Connector("Chademo", "Cable", "DE*CPO*T1")), 0),
        ],
    )
    def test_connector_of_the_charge_point_data_where_the_cdr_names_no_tariff(
        self, connectors: tuple[Connector, ...], count: int
    ) -> None:
        cdr = make_cdr()
        evses = {cdr.evse_key: KnownEvse("Europe/Berlin", connectors)}
        assert len(found_by(self.RULE, cdr, context_with(self.DEARER, evses=evses))) == count

    def test_unknown_evse_and_no_tariff_named(self) -> None:
        assert found_by(self.RULE, make_cdr(), context_with(self.DEARER, evses={})) == ()

    def test_the_one_that_held_when_the_session_started(self) -> None:
        start = cdr_with().start
        fair = energy_tariff("0.30")
        versions = [
            GivenTariff(GIVEN_FROM, start, self.DEARER),
            GivenTariff(start, cdr_with().end, fair),
            GivenTariff(cdr_with().end, None, self.DEARER),
        ]
        context = make_context(tariffs={("DECPOT1", "DEEMP"): versions})
        assert found_by(self.RULE, cdr_with(), context) == ()

    def test_session_from_before_the_tariff(self) -> None:
        given = GivenTariff(cdr_with().end, None, self.DEARER)
        context = make_context(tariffs={("DECPOT1", "DEEMP"): [given]})
        assert found_by(self.RULE, cdr_with(), context) == ()
