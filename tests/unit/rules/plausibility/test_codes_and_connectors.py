"""Rules on codes: currency, country, and the connector's current."""

import pytest

from ochp_chs.ochp.violations import Violation
from ochp_chs.rules.plausibility import connector_current, country_code, currency_code
from tests.support.cdrs import make_cdr
from tests.support.rules import found_by

AC_CONNECTORS = (
    *("IEC_62196_T1", "IEC_62196_T2", "IEC_62196_T3A", "IEC_62196_T3C", "TESLA_R"),
    *(f"DOMESTIC_{letter}" for letter in "ABCDEFGHIJKL"),
    *("IEC_60309_2_single_16", "IEC_60309_2_three_16"),
    *("IEC_60309_2_three_32", "IEC_60309_2_three_64"),
)
DC_CONNECTORS = ("Chademo", "IEC_62196_T1_COMBO", "IEC_62196_T2_COMBO")


class TestCurrencyCode:
    RULE = currency_code.RULE

    @pytest.mark.parametrize("currency", ["EUR", "SEK", "CHF", "JPY", " EUR "])
    def test_passes(self, currency: str) -> None:
        assert found_by(self.RULE, make_cdr(currency=currency)) == ()

    @pytest.mark.parametrize("currency", ["", "eur", "EURO", "€", "DEM", "978", "ZZZ"])
    def test_no_currency_in_use(self, currency: str) -> None:
        assert found_by(self.RULE, make_cdr(currency=currency)) == (
            Violation(
                "currency-code",
                "currency",
                currency,
                "this is not a currency of ISO 4217, write for example EUR",
            ),
        )

    def test_endless_text_is_cut(self) -> None:
        (violation,) = found_by(self.RULE, make_cdr(currency="E" * 100_000))
        assert len(violation.value) == 40


class TestCountryCode:
    RULE = country_code.RULE

    @pytest.mark.parametrize("country", ["DEU", "NLD", "CHE", "GBR"])
    def test_passes(self, country: str) -> None:
        assert found_by(self.RULE, make_cdr(country=country)) == ()

    @pytest.mark.parametrize("country", ["GER", "XXX", "DDR"])
    def test_no_country(self, country: str) -> None:
        assert found_by(self.RULE, make_cdr(country=country)) == (
            Violation(
                "country-code",
                "chargePointAddress/country",
                country,
                "this is not a country of ISO 3166-1 alpha-3, write for example DEU",
            ),
        )


class TestConnectorCurrent:
    RULE = connector_current.RULE

    @pytest.mark.parametrize(
        ("connector", "current"),
        [
            *((connector, "AC") for connector in AC_CONNECTORS),
            *((connector, "DC") for connector in DC_CONNECTORS),
            ("TESLA_S", "AC"),
            ("TESLA_S", "DC"),
        ],
    )
    def test_fits(self, connector: str, current: str) -> None:
        cdr = make_cdr(connector=connector, charge_point_type=current)
        assert found_by(self.RULE, cdr) == ()

    @pytest.mark.parametrize(
        ("connector", "current", "fitting"),
        [
            *((connector, "DC", "AC") for connector in AC_CONNECTORS),
            *((connector, "AC", "DC") for connector in DC_CONNECTORS),
        ],
    )
    def test_does_not_fit(self, connector: str, current: str, fitting: str) -> None:
        cdr = make_cdr(connector=connector, charge_point_type=current)
        assert found_by(self.RULE, cdr) == (
            Violation(
                "connector-current",
                "chargePointType",
                current,
                f"the connector {connector} is one for {fitting}",
            ),
        )
