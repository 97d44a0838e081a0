"""CDRs without the person in them."""

import pytest

from ochp_chs.ochp.erasure import (
    Person,
    erased_contract_id,
    person_in,
    persons_in_line,
    without_person,
)
from ochp_chs.ochp.identifiers import check_contract_id, is_contract_id
from ochp_chs.ochp.records.cdr import decode
from ochp_chs.ochp.xml import inner_xml
from tests.support.cdrs import cdr_xml, element_of


def payload(**changes: object) -> str:
    return inner_xml(element_of(cdr_xml(**changes)))  # type: ignore[arg-type]


def whole(content: str) -> object:
    return decode(element_of(f"<cdrInfoArray>{content}</cdrInfoArray>"))


@pytest.mark.parametrize(
    ("sent", "erased"),
    [
        ("DE-EMP-C00000001", "DE-EMP-ERASED000"),
        ("de-emp-c00000001-x", "DE-EMP-ERASED000"),
        ("DEEMPC00000001", "DEEMPERASED000"),
    ],
)
def test_erased_contract_id_is_one_of_the_same_provider(sent: str, erased: str) -> None:
    assert erased_contract_id(sent) == erased
    assert is_contract_id(erased)
    assert check_contract_id(erased) is None


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"representation": "sha-256", "instance": "ab" * 32},
        {"sub_type": "mifareDes", "contract_id": "deempc00000001"},
        {"instance": "a &lt; &amp; b", "token_type": "remote"},
    ],
)
def test_only_token_and_contract_change(changes: dict[str, object]) -> None:
    before, after = whole(payload(**changes)), whole(without_person(payload(**changes)))
    kept = {name: getattr(before, name) for name in before.__slots__}
    kept["token"] = type(kept["token"])(
        "ERASED", kept["token"].token_type, "plain", kept["token"].sub_type
    )
    for name in ("contract_id", "contract_key"):
        kept[name] = erased_contract_id(kept[name])
    assert {name: getattr(after, name) for name in after.__slots__} == kept


def test_person_is_known_by_contract_without_check_character() -> None:
    assert person_in(payload(contract_id="de-emp-c00000001-9")) == Person(
        "DEEMPC00000001", "04A1B2C3D4", "rfid"
    )


def test_token_with_signs_that_xml_writes_otherwise() -> None:
    person = person_in(payload(instance="a &lt; &amp; b&#92;"))
    assert person is not None
    assert person.instance == "a < & b\\"


def test_erased_cdr_is_about_nobody() -> None:
    erased = without_person(payload())
    assert person_in(erased) is None
    assert without_person(erased) == erased


def test_persons_in_a_line_of_an_archive() -> None:
    hashed = payload(representation="sha-256", instance="ab" * 32)
    line = f'{{"versions": [{{"payload": {_json(payload())}}}, {{"payload": {_json(hashed)}}}]}}'
    assert [person.instance for person in persons_in_line(line)] == ["04A1B2C3D4", "ab" * 32]


def _json(text: str) -> str:
    escaped = text.replace('"', '\\"')
    return f'"{escaped}"'
