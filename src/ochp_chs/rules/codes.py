"""Codes of currencies, and how finely each currency is counted.

The codes are pycountry's (ISO 4217). It has no minor units; those that are
not two digits are listed here from ISO 4217, Table A.1 (maintained by SIX Group, 2024).
"""

from decimal import Decimal
from functools import cache

import pycountry

_DEFAULT_MINOR_DIGITS = 2

_MINOR_DIGITS = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW"),
        0,
    ),
    **dict.fromkeys(
        ("PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}

_UNITS = {digits: Decimal(1).scaleb(-digits) for digits in (0, 2, 3, 4)}


@cache
def currency_codes() -> frozenset[str]:
    """Every alphabetic code of ISO 4217 that is in use."""
    return frozenset(currency.alpha_3 for currency in pycountry.currencies)


def smallest_unit(currency: str) -> Decimal:
    """The smallest unit of a currency: 0.01 for EUR, 1 for JPY, 0.001 for KWD.

    Two digits are taken for a code that is none: another rule says that it is none.
    """
    return _UNITS[_MINOR_DIGITS.get(currency, _DEFAULT_MINOR_DIGITS)]
