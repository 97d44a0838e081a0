"""Check characters against published examples, and the errors that the methods promise to find."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ochp_chs.ochp.check_characters import ALPHABET, din_check_character, iso_check_character

#: Published with the method's description and with open implementations of it.
ISO_EXAMPLES = {
    "NN123ABCDEFGHI": "T",
    "FRXYZ123456789": "2",
    "ITA1B2C3E4F5G6": "4",
    "ESZU8WOX834H1D": "R",
    "PT73902837ABCZ": "Z",
    "DE83DUIEN83QGZ": "D",
    "DE83DUIEN83ZGQ": "M",
    "DE8AA001234567": "0",
    "NLTNM000122045": "U",
    "NLTNMC00122045": "K",
    "DE8AACA2B3C4D5": "L",
}
DIN_EXAMPLES = {
    "INTNM000071": "9",
    "INTNM000110": "X",
    "INTNM000124": "0",
    "INTNM000114": "6",
    "INTNM000191": "5",
    "NLTNM012204": "5",
}

_IDS = st.text(ALPHABET, min_size=14, max_size=14)


class TestIso:
    @pytest.mark.parametrize(("text", "expected"), ISO_EXAMPLES.items())
    def test_published_examples(self, text: str, expected: str) -> None:
        assert iso_check_character(text) == expected

    @given(text=_IDS, place=st.integers(0, 13), other=st.sampled_from(ALPHABET))
    def test_a_single_wrong_character_is_found(self, text: str, place: int, other: str) -> None:
        wrong = text[:place] + other + text[place + 1 :]
        assert (iso_check_character(wrong) == iso_check_character(text)) == (wrong == text)

    @given(text=_IDS, place=st.integers(0, 12))
    def test_two_swapped_neighbours_are_found(self, text: str, place: int) -> None:
        wrong = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
        assert (iso_check_character(wrong) == iso_check_character(text)) == (wrong == text)

    @pytest.mark.parametrize("text", ["", "DE8AACA2B3C4D", "DE8AACA2B3C4D5L"])
    def test_another_length(self, text: str) -> None:
        with pytest.raises(ValueError, match="zip"):
            iso_check_character(text)

    def test_another_character(self) -> None:
        with pytest.raises(KeyError):
            iso_check_character("de8aaca2b3c4d5")


class TestDin:
    @pytest.mark.parametrize(("text", "expected"), DIN_EXAMPLES.items())
    def test_published_examples(self, text: str, expected: str) -> None:
        assert din_check_character(text) == expected

    def test_letters_inside_the_instance(self) -> None:
        # D E 8 A A 1 2 3 A 5 6 are the digits 1 3 1 4 8 1 0 1 0 1 2 3 1 0 5 6; weighted with
        # 1, 2, 4, ... they add up to 1+6+4+32+128+32+0+128+0+512+2048+6144+4096+0+81920+196608,
        # which is 291659 = 11 * 26514 + 5.
        assert din_check_character("DE8AA123A56") == "5"

    @pytest.mark.parametrize("text", ["", "DE8AA123A5", "DE8AA123A563", "de8aa123a56"])
    def test_another_form(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"11 characters|substring not found"):
            din_check_character(text)
