"""Identifiers: forms, keys, owners, and the check character of contract IDs."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ochp_chs.ochp.identifiers import (
    InvalidIdentifier,
    cdr_id_names_operator,
    check_contract_id,
    contract_key,
    contract_key_without_check,
    evse_key,
    is_cdr_id,
    is_contract_id,
    is_evse_id,
    is_parking_id,
    is_party_id,
    is_tariff_id,
    operator_of,
    parking_key,
    party_id_key,
    provider_of,
    tariff_key,
)


class TestPartyId:
    @pytest.mark.parametrize("text", ["DE*ABC", "DE-ABC", "DEABC", "de*abc", "deabc", "De-aBc"])
    def test_separator_and_case_do_not_count(self, text: str) -> None:
        assert party_id_key(text) == "DEABC"

    @pytest.mark.parametrize(
        "text",
        ["", "DE", "DEAB", "DEABCD", "DE**ABC", "DE ABC", "1EABC", "DE*ABC ", "DE*ABC\n", "DE*A-C"],
    )
    def test_another_form_is_refused_with_an_example(self, text: str) -> None:
        with pytest.raises(InvalidIdentifier, match=re.escape(f"{text!r} is not a party ID")):
            party_id_key(text)

    @pytest.mark.parametrize("text", ["DE\xdfAB", "d\u0131ABC", "DE*\u0663AB", "\uff24EABC"])
    def test_only_ascii_letters_and_digits(self, text: str) -> None:
        assert not is_party_id(text)
        with pytest.raises(InvalidIdentifier):
            party_id_key(text)


class TestForms:
    @pytest.mark.parametrize(
        "text",
        [
            "DE-8AA-CA2B3C4D5-L",
            "DE-8AA-CA2B3C4D5",
            "DE8AACA2B3C4D5L",
            "de8aaca2b3c4d5",
            "DE-8AA-00123A563",
        ],
    )
    def test_contract_id(self, text: str) -> None:
        assert is_contract_id(text)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "DE-8AACA2B3C4D5",
            "DE8AA-CA2B3C4D5-L",
            "DE-8AA-CA2B3C4D5L",
            "DE*8AA*CA2B3C4D5",
            "DE8AACA2B3C4D",
            "DE8AACA2B3C4D5LL",
            "DE8AACA2B3C4D5\n",
            " DE8AACA2B3C4D5",
            "DE8AACA2B3C4Dß",
        ],
    )
    def test_no_contract_id(self, text: str) -> None:
        assert not is_contract_id(text)

    @pytest.mark.parametrize("text", ["DE*ABC*E1", "DEABCE1", "fr*a23*e45B*78c", "FRA23E45B*78C"])
    def test_evse_id(self, text: str) -> None:
        assert is_evse_id(text)

    @pytest.mark.parametrize(
        "text",
        [
            "DE*ABCE1",
            "DEABC*E1",
            "DE*ABC*E",
            "DE*ABC*E*1",
            "DE*ABC*P1",
            "DE*ABC*1",
            "DE-ABC-E1",
            "+49*823*1234",
            "DE*ABC*E1\n",
        ],
    )
    def test_no_evse_id(self, text: str) -> None:
        assert not is_evse_id(text)

    def test_evse_id_has_31_characters_of_instance_at_most(self) -> None:
        assert is_evse_id("DE*ABC*E" + "1" * 31)
        assert not is_evse_id("DE*ABC*E" + "1" * 32)

    def test_parking_id_has_31_characters_of_instance_at_most(self) -> None:
        assert is_parking_id("DE*ABC*P" + "1" * 31)
        assert not is_parking_id("DE*ABC*P" + "1" * 32)
        assert not is_parking_id("DE*ABC*E1")

    def test_tariff_id_has_10_characters_of_instance_at_most(self) -> None:
        assert is_tariff_id("YYABCT" + "1" * 10)
        assert not is_tariff_id("YYABCT" + "1" * 11)
        assert not is_tariff_id("YYABCE1")

    def test_cdr_id_is_upper_case_letters_and_digits(self) -> None:
        assert is_cdr_id("DEABC1")
        assert is_cdr_id("1")
        assert is_cdr_id("A" * 36)
        for text in ("", "A" * 37, "DE*ABC1", "deabc1", "DEABC 1", "DEABC1\n", "DEABC٣"):
            assert not is_cdr_id(text)


class TestOwner:
    @pytest.mark.parametrize("text", ["DE-8AA-CA2B3C4D5-L", "DE8AACA2B3C4D5", "de-8aa-ca2b3c4d5"])
    def test_provider_of_a_contract(self, text: str) -> None:
        assert provider_of(text) == "DE8AA"

    @pytest.mark.parametrize("text", ["DE*ABC*E1", "DEABCE1*2", "deabct1", "de*abc*p1"])
    def test_operator_of_evse_parking_and_tariff(self, text: str) -> None:
        assert operator_of(text) == "DEABC"

    def test_cdr_id_that_begins_with_its_operator(self) -> None:
        assert cdr_id_names_operator("DEABC0001", "DEABC")

    def test_cdr_id_of_an_older_system(self) -> None:
        assert not cdr_id_names_operator("0001", "DEABC")
        assert not cdr_id_names_operator("NLABC0001", "DEABC")

    def test_cdr_id_of_nothing_but_the_operator(self) -> None:
        assert not cdr_id_names_operator("DEABC", "DEABC")


class TestKeys:
    def test_contract_with_and_without_separators_and_in_any_case(self) -> None:
        same = {contract_key(text) for text in ("de-8aa-ca2b3c4d5-l", "DE8AACA2B3C4D5L")}
        assert same == {"DE8AACA2B3C4D5L"}

    def test_contract_with_and_without_check_character(self) -> None:
        same = {
            contract_key_without_check(text)
            for text in ("DE-8AA-CA2B3C4D5-L", "de8aaca2b3c4d5", "DE8AACA2B3C4D5L")
        }
        assert same == {"DE8AACA2B3C4D5"}

    def test_evse_separators_around_the_operator_do_not_count(self) -> None:
        assert evse_key("de*abc*e1*12") == evse_key("DEABCE1*12") == "DEABCE1*12"

    def test_evse_separators_inside_the_instance_count(self) -> None:
        assert evse_key("DE*ABC*E1*12") != evse_key("DE*ABC*E11*2")
        assert evse_key("DE*ABC*E112") != evse_key("DE*ABC*E1*12")

    def test_parking_and_tariff_are_compared_like_evse(self) -> None:
        assert parking_key("de*abc*p1*2") == "DEABCP1*2"
        assert tariff_key("yy*abc*t01") == "YYABCT01"

    @given(
        country=st.from_regex(r"[A-Za-z]{2}", fullmatch=True),
        operator=st.from_regex(r"[A-Za-z0-9]{3}", fullmatch=True),
        instance=st.from_regex(r"[EePp][A-Za-z0-9][A-Za-z0-9*]{0,30}", fullmatch=True),
    )
    def test_key_is_a_valid_id_and_its_own_key(
        self, country: str, operator: str, instance: str
    ) -> None:
        key = evse_key(f"{country}*{operator}*{instance}")
        assert key == evse_key(f"{country}{operator}{instance}") == evse_key(key)
        assert is_evse_id(key) or is_parking_id(key)
        assert operator_of(key) == key[:5]


class TestCheckContractId:
    @pytest.mark.parametrize(
        "text", ["DE-8AA-CA2B3C4D5-L", "de-8aa-ca2b3c4d5-l", "DE8AACA2B3C4D5L", "De8AaCa2b3C4d5l"]
    )
    def test_right_character(self, text: str) -> None:
        assert check_contract_id(text) is None

    def test_without_check_character(self) -> None:
        assert check_contract_id("DE-8AA-CA2B3C4D5") is None
        assert check_contract_id("DE8AACA2B3C4D5") is None

    def test_the_example_of_the_specification_is_wrong(self) -> None:
        violation = check_contract_id("DE-8AA-CA2B3C4D5-N")
        assert violation is not None
        assert violation.rule == "contract-check-character"
        assert violation.field == "contractId"
        assert violation.value == "DE-8AA-CA2B3C4D5-N"
        assert violation.text == "The check character of the contract ID is N, expected is L."

    def test_the_field_is_named_as_the_caller_says(self) -> None:
        violation = check_contract_id("DE8AACA2B3C4D5N", field="contract")
        assert violation is not None
        assert violation.field == "contract"

    def test_old_form(self) -> None:
        for text in ("NL-TNM-012204-5", "nl*tnm*012204*5", "NLTNM0122045"):
            assert check_contract_id(text) is None

    def test_old_form_with_another_character(self) -> None:
        violation = check_contract_id("DE-8AA-123A56-3")
        assert violation is not None
        assert violation.text == "The check character of the contract ID is 3, expected is 5."

    def test_old_form_carried_over(self) -> None:
        assert check_contract_id("NL-TNM-000122045-U") is None
        assert check_contract_id("NL-TNM-000122045") is None
        assert check_contract_id("NL-TNM-000122045-5") is not None

    def test_a_number_counted_up_is_not_taken_for_the_old_form(self) -> None:
        assert check_contract_id("NL-TNM-000122046") is None

    @given(
        st.text(max_size=20) | st.from_regex(r"[A-Za-z]{2}-?[0-9A-Za-z*-]{3,14}", fullmatch=True)
    )
    def test_any_text_gets_an_answer(self, text: str) -> None:
        violation = check_contract_id(text)
        assert violation is None or violation.value == text
