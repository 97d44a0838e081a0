"""Codes of currencies, and the smallest unit of each."""

from decimal import Decimal

import pytest

from ochp_chs.rules.codes import _MINOR_DIGITS, currency_codes, smallest_unit


@pytest.mark.parametrize(
    ("currency", "unit"),
    [
        ("EUR", "0.01"),
        ("SEK", "0.01"),
        ("JPY", "1"),
        ("ISK", "1"),
        ("KWD", "0.001"),
        ("CLF", "0.0001"),
        ("", "0.01"),
        ("eur", "0.01"),
    ],
)
def test_smallest_unit(currency: str, unit: str) -> None:
    assert smallest_unit(currency) == Decimal(unit)


def test_currencies_with_another_unit_are_in_use() -> None:
    assert currency_codes().issuperset(_MINOR_DIGITS)


def test_codes_have_three_capital_letters() -> None:
    for code in currency_codes():
        assert len(code) == 3
        assert code.isalpha()
        assert code.isupper()
