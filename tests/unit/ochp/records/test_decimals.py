"""Numbers: exact, bounded, and never a binary float."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ochp_chs.ochp.records.decimals import (
    CHARACTERS_MAX,
    InvalidNumber,
    distance,
    parse_decimal,
    plain,
    product,
    total,
)

# What xs:float allows, within the bounds: a mantissa of any digits and a small exponent.
_mantissas = st.from_regex(r"[+-]?(?:[0-9]{1,12}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})", fullmatch=True)
_exponents = st.one_of(
    st.just(""), st.builds("{}{}".format, st.sampled_from("eE"), st.integers(-30, 5))
)
numbers = st.builds("{}{}".format, _mantissas, _exponents)


class TestParsing:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("1.5", "1.5"),
            ("1.5E1", "15"),
            ("15e-1", "1.5"),
            ("+.5", "0.5"),
            ("5.", "5"),
            ("-0.0", "0"),
            (" 2.50\n", "2.5"),
            ("0.1", "0.1"),
            ("1.3877787807814457E-17", "0.000000000000000013877787807814457"),
            ("999999999999999999", "999999999999999999"),
            ("0." + "0" * 59 + "1", "1E-60"),
        ],
    )
    def test_value_is_exactly_what_is_written(self, text: str, value: str) -> None:
        assert parse_decimal(text) == Decimal(value)

    @pytest.mark.parametrize("text", ["NaN", "INF", "-INF", "Infinity", "sNaN"])
    def test_not_finite(self, text: str) -> None:
        with pytest.raises(InvalidNumber, match="is not an amount"):
            parse_decimal(text)

    @pytest.mark.parametrize("text", ["", "1,5", "abc", "1.5.0"])
    def test_no_number_at_all(self, text: str) -> None:
        with pytest.raises(InvalidNumber, match="is not a number"):
            parse_decimal(text)

    @pytest.mark.parametrize(
        "text", ["1000000000000000000", "1E18", "1E+999999999", "0E+999999999"]
    )
    def test_too_large(self, text: str) -> None:
        with pytest.raises(InvalidNumber, match="at most 18 digits are read before the point"):
            parse_decimal(text)

    @pytest.mark.parametrize(
        "text", ["1E-61", "0E-999999999", "1E-999999999", "0." + "0" * 60 + "1"]
    )
    def test_too_many_decimals(self, text: str) -> None:
        with pytest.raises(InvalidNumber, match="at most 60 are read"):
            parse_decimal(text)

    def test_a_million_digits_are_refused_by_their_number(self) -> None:
        with pytest.raises(InvalidNumber, match=f"1000000 characters, at most {CHARACTERS_MAX}"):
            parse_decimal("1" * 1_000_000)


class TestArithmetic:
    @given(numbers, numbers)
    def test_products_are_exact(self, left: str, right: str) -> None:
        result = product(parse_decimal(left), parse_decimal(right))
        assert Fraction(result) == Fraction(Decimal(left)) * Fraction(Decimal(right))

    @given(st.lists(st.tuples(numbers, numbers), max_size=20))
    def test_sums_of_products_are_exact(self, pairs: list[tuple[str, str]]) -> None:
        result = total(product(parse_decimal(a), parse_decimal(b)) for a, b in pairs)
        expected = sum((Fraction(Decimal(a)) * Fraction(Decimal(b)) for a, b in pairs), Fraction())
        assert Fraction(result) == expected

    @given(numbers, numbers)
    def test_distances_are_exact(self, left: str, right: str) -> None:
        result = distance(parse_decimal(left), parse_decimal(right))
        assert Fraction(result) == abs(Fraction(Decimal(left)) - Fraction(Decimal(right)))

    def test_largest_numbers_with_all_their_digits(self) -> None:
        digits = "9" * 18 + "." + "9" * 60
        result = total([product(parse_decimal(digits), parse_decimal(digits))] * 1000)
        assert Fraction(result) == Fraction(digits) ** 2 * 1000


class TestPlain:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            ("15E-1", "1.5"),
            ("1E+3", "1000"),
            ("2.50", "2.5"),
            ("0.000", "0"),
            ("-0.0", "0"),
            ("10", "10"),
        ],
    )
    def test_no_exponent_and_no_idle_zeros(self, value: str, text: str) -> None:
        assert plain(Decimal(value)) == text
