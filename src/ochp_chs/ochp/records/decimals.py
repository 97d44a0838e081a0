"""Numbers of money and energy: decimal, exact, and bounded so that no arithmetic can explode.

The XSD types them as xs:float, which lets NaN, INF and ``1E+999999999`` pass. Nothing here is
ever a binary float, and the text that was sent is kept beside the value by those who need it.
"""

from collections.abc import Iterable
from decimal import Context, Decimal, InvalidOperation
from functools import lru_cache

#: The value itself is below 10 to this power, and has at most so many decimals. A double that a
#: careless sender printed in full (1.3877787807814457E-17) stays readable.
INTEGER_DIGITS_MAX = 18
DECIMALS_MAX = 60
#: Longest text that is looked at: all those digits, a sign, a point and an exponent.
CHARACTERS_MAX = 100

_LIMIT = Decimal(10) ** INTEGER_DIGITS_MAX

# A product of two bounded numbers has at most 36 digits before and 120 after the point, and a sum
# of ten million of them seven more. The default context of 28 digits would round without a word;
# in this one every product and sum of a record is exact.
EXACT = Context(prec=256)

ZERO = Decimal(0)

#: Longest piece of a wrong number that is repeated in a reason.
_SHOWN_CHARACTERS_MAX = 40


class InvalidNumber(ValueError):
    """A text that is no usable number; the message says why, for the person who sent it."""


# Prices and many amounts are the same again and again. Bounded in number and, by what is refused,
# in length.
@lru_cache(maxsize=4096)
def parse_decimal(text: str) -> Decimal:
    """Return the exact value of an xs:float's text, exponent and surrounding space allowed.

    Raises ``InvalidNumber`` for NaN, INF, and what is outside the bounds of this module.
    """
    # The length comes first: reading a million digits costs time that a refusal does not need.
    if len(text) > CHARACTERS_MAX:
        raise InvalidNumber(
            f"a number of {len(text)} characters, at most {CHARACTERS_MAX} are read"
        )
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise InvalidNumber(f"{_shown(text)} is not a number") from None
    if not value.is_finite():
        raise InvalidNumber(f"{_shown(text)} is not an amount, only finite numbers are")
    # adjusted() holds for a zero as well: 0E+999999999 is small in value and huge to add to.
    if value.adjusted() >= INTEGER_DIGITS_MAX:
        raise InvalidNumber(
            f"{_shown(text)} is too large, at most {INTEGER_DIGITS_MAX} digits are read"
            " before the point"
        )
    if _decimals(text, value) > DECIMALS_MAX:
        raise InvalidNumber(
            f"{_shown(text)} has too many decimals, at most {DECIMALS_MAX} are read"
        )
    return value


def _decimals(text: str, value: Decimal) -> int:
    """The digits behind the point, or a number that they do not exceed."""
    # as_tuple() costs more than all the rest, and a short text without exponent needs none of it.
    if len(text) <= DECIMALS_MAX and "E" not in text and "e" not in text:
        return len(text)
    exponent = value.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def product(left: Decimal, right: Decimal) -> Decimal:
    """Return the exact product of two parsed numbers."""
    return EXACT.multiply(left, right)


def total(values: Iterable[Decimal]) -> Decimal:
    """Return the exact sum of parsed numbers or of products of two of them."""
    result = ZERO
    for value in values:
        result = EXACT.add(result, value)
    return result


def distance(left: Decimal, right: Decimal) -> Decimal:
    """Return the exact difference without its sign."""
    return EXACT.abs(EXACT.subtract(left, right))


def plain(value: Decimal) -> str:
    """Return a number for people: no exponent, no zeros behind the last digit that counts."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def _shown(text: str) -> str:
    return repr(text[:_SHOWN_CHARACTERS_MAX])
