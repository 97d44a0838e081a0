"""States of EVSEs and parking spots: XML to row."""

from datetime import UTC, datetime

import pytest

from ochp_chs.ochp.records.codec import RecordRefused
from ochp_chs.ochp.records.status import StatusCodec, StatusRow, shown_identifier
from ochp_chs.ochp.schema import record_schema
from tests.support.cdrs import element_of
from tests.support.live_status import evse_xml, parking_xml

_MINORS = ("available", "reserved", "charging", "blocked", "outoforder")

#: PROTOCOL, "Live status".
_PAIRS = {
    "available": {"available", "reserved"},
    "not-available": {"charging", "blocked", "reserved", "outoforder"},
    "unknown": set[str](),
}


def decode(xml: str) -> StatusRow:
    record = element_of(xml)
    assert record_schema().validate(record)
    return StatusCodec().decode(record)


def test_evse_state_becomes_a_row() -> None:
    row = decode(evse_xml("de*cpo*e1*2", "available", "reserved", ttl="2030-01-01T12:00:00+02:00"))
    assert row == StatusRow(
        "DECPOE1*2",
        "evse",
        "DECPO",
        "available",
        datetime(2030, 1, 1, 10, tzinfo=UTC),
        ' major="available" minor="reserved" ttl="2030-01-01T12:00:00+02:00">'
        "<evseId>de*cpo*e1*2</evseId>",
    )


def test_parking_state_becomes_a_row() -> None:
    row = decode(parking_xml("DE*PSO*P1", "not-available"))
    assert row == StatusRow(
        "DEPSOP1",
        "parking",
        "DEPSO",
        "not-available",
        None,
        ' status="not-available"><parkingId>DE*PSO*P1</parkingId>',
    )


def test_fraction_of_the_ttl_is_kept_as_it_was_sent() -> None:
    row = decode(parking_xml(ttl="2030-01-01T12:00:00.250Z"))
    assert row.expires_at == datetime(2030, 1, 1, 12, 0, 0, 250_000, UTC)
    assert 'ttl="2030-01-01T12:00:00.250Z"' in row.payload


@pytest.mark.parametrize("major", _PAIRS)
@pytest.mark.parametrize("minor", _MINORS)
def test_minor_state_fits_the_major_one_or_is_refused(major: str, minor: str) -> None:
    if minor in _PAIRS[major]:
        assert f'minor="{minor}"' in decode(evse_xml(major=major, minor=minor)).payload
        return
    with pytest.raises(RecordRefused) as refused:
        decode(evse_xml(major=major, minor=minor))
    (violation,) = refused.value.violations
    assert (violation.rule, violation.field, violation.value) == ("status-pair", "minor", minor)


@pytest.mark.parametrize("major", _PAIRS)
def test_every_major_state_may_stand_alone(major: str) -> None:
    assert decode(evse_xml(major=major)).major == major


@pytest.mark.parametrize("ttl", ["2030-02-29T00:00:00Z", "2030-01-01T00:00:00"])
@pytest.mark.parametrize("record", [evse_xml, parking_xml])
def test_ttl_that_names_no_moment_is_refused(record: object, ttl: str) -> None:
    element = element_of(record(ttl=ttl))  # type: ignore[operator]
    with pytest.raises(RecordRefused) as refused:
        StatusCodec().decode(element)
    assert [violation.field for violation in refused.value.violations] == ["ttl"]


@pytest.mark.parametrize("record", [evse_xml("DE*CPO*E1"), parking_xml("DE*CPO*P1")])
def test_record_is_named_by_its_identifier(record: str) -> None:
    named = StatusCodec().identify(element_of(record))
    assert named in {"DE*CPO*E1", "DE*CPO*P1"}
    assert shown_identifier(decode(record).payload) == named


def test_record_without_identifier_has_no_name() -> None:
    assert StatusCodec().identify(element_of('<evse major="unknown"></evse>')) == ""
