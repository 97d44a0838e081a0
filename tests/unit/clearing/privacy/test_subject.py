"""A person in texts of any notation."""

import pytest

from ochp_chs.clearing.privacy.subject import ContractIdInvalid, Subject
from ochp_chs.ochp.erasure import Person

SUBJECT = Subject.of("de-emp-c00000001-9").with_tokens({("04A1B2C3", "rfid"), ("ABC", "rfid")})


@pytest.mark.parametrize(
    "text",
    [
        "DE-EMP-C00000001",
        "deempc00000001",
        "DE*EMP*C00000001*X",
        "DE-EMP-C00000001-X",
        "DEEMPC00000001X",
        "token 04a1b2c3 of somebody",
        'value="04A1B2C3"',
        "abc",
    ],
)
def test_named(text: str) -> None:
    assert SUBJECT.is_in(text)
    redacted = SUBJECT.redacted(text)
    assert "[erased]" in redacted
    assert not SUBJECT.is_in(redacted)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "DE-EMP-C00000002",
        "DEEMPC0000000123",
        "XDEEMPC00000001",
        "NL-EMP-C00000001",
        "004A1B2C3",
        "04A1B2C3D4",
        # Too short to be looked for within a text.
        "the abc of charging",
        "ERASED",
    ],
)
def test_not_named(text: str) -> None:
    assert not SUBJECT.is_in(text)
    assert SUBJECT.redacted(text) == text


def test_all_of_a_text_that_names_both() -> None:
    text = "token 04A1B2C3 of DE-EMP-C00000001: unknown"
    assert SUBJECT.redacted(text) == "token [erased] of [erased]: unknown"


def test_tokens_of_others_are_not_taken() -> None:
    persons = [
        Person("DEEMPC00000001", "04FFFFFF", "rfid"),
        Person("DEEMPC00000002", "04EEEEEE", "rfid"),
        None,
    ]
    found = Subject.of("DE-EMP-C00000001").with_persons(persons)
    assert found.tokens == {("04FFFFFF", "rfid")}


def test_erased_token_is_nobodys() -> None:
    assert SUBJECT.with_tokens({("ERASED", "rfid")}) == SUBJECT


def test_token_with_signs_that_mean_something_in_a_pattern() -> None:
    subject = SUBJECT.with_tokens({("A.*(B-C", "15118")})
    assert subject.is_in("value A.*(B-C here")
    assert not subject.is_in("value AxxB here")


@pytest.mark.parametrize("text", ["", "DE-EMP", "DE*EMP*123456*X", "DE-EMP-C00000001%"])
def test_no_contract_id(text: str) -> None:
    with pytest.raises(ContractIdInvalid):
        Subject.of(text)
