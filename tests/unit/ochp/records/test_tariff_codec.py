"""Tariffs as they are kept for each recipient, read again, and ended."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from lxml import etree

from ochp_chs.ochp.operations import NAMESPACE
from ochp_chs.ochp.records.codec import RecordRefused
from ochp_chs.ochp.records.tariff import IndividualTariff
from ochp_chs.ochp.records.tariff_codec import (
    JudgedTariff,
    TariffCodec,
    ended,
    ends_at,
    read_individual,
    tariff_xml,
)
from ochp_chs.ochp.schema import record_schema
from tests.support.cdrs import element_of
from tests.support.tariffs import element_xml, end_xml, individual_of, individual_xml, start_xml
from tests.support.tariffs import tariff_xml as record_xml

MAY = "2026-05-01T00:00:00Z"
JUNE = "2026-06-01T00:00:00Z"


def decoded(*individual: str, tariff_id: str = "DE*CPO*T1") -> JudgedTariff:
    record = element_of(record_xml(*individual, tariff_id=tariff_id))
    assert record_schema().validate(record), record_schema().error_log
    return TariffCodec().decode(record)


def payload_of(individual: str) -> str:
    return str(json.loads(decoded(individual).individual)[0]["payload"])


def read(individual: str) -> IndividualTariff:
    return read_individual(payload_of(individual))


class TestRow:
    def test_one_part_for_each_individual_tariff(self) -> None:
        row = decoded(
            individual_xml("1.0", "DEEMA", "DEEMB", restriction=end_xml(MAY)),
            individual_xml("2.00"),
            tariff_id="de*cpo*Tab*1",
        )
        assert (row.tariff_key, row.tariff_id, row.operator) == (
            "DECPOTAB*1",
            "de*cpo*Tab*1",
            "DECPO",
        )
        assert json.loads(row.individual) == [
            {
                "recipients": ["DEEMA", "DEEMB"],
                "position": 1,
                "ends_at": MAY,
                "payload": individual_xml("1.0", restriction=end_xml(MAY)),
            },
            {
                "recipients": [""],
                "position": 2,
                "ends_at": None,
                "payload": individual_xml("2.00").replace(
                    "<tariffRestriction></tariffRestriction>", "<tariffRestriction/>"
                ),
            },
        ]

    def test_record_keeps_its_recipients_to_be_echoed(self) -> None:
        record = element_of(record_xml(individual_xml("1.0", "DEEMA")))
        TariffCodec().decode(record)
        assert record.findtext(f".//{{{NAMESPACE}}}recipient") == "DEEMA"

    def test_without_meaning_it_is_refused(self) -> None:
        with pytest.raises(RecordRefused) as refused:
            decoded(individual_xml("NaN"))
        assert [violation.rule for violation in refused.value.violations] == ["number"]

    @pytest.mark.parametrize(
        ("tariff_id", "named", "key"),
        [("de*cpo*T1", "de*cpo*T1", "DECPOT1"), (" what ", "what", None), ("", "", None)],
    )
    def test_refused_record_is_named(self, tariff_id: str, named: str, key: str | None) -> None:
        record = element_of(record_xml(tariff_id=tariff_id))
        assert TariffCodec().identify(record) == named
        assert TariffCodec().retained_key(record) == key


class TestEnd:
    @pytest.mark.parametrize(
        ("ends", "expected"),
        [(["", MAY], None), ([MAY, ""], None), ([MAY, JUNE], JUNE), ([JUNE, MAY], JUNE)],
    )
    def test_over_when_its_last_element_is(self, ends: list[str], expected: str | None) -> None:
        elements = [element_xml(restriction=end_xml(end) if end else "") for end in ends]
        end = ends_at(read(individual_of(elements)))
        assert end == (datetime.fromisoformat(expected) if expected else None)


class TestEnded:
    MOMENT = datetime(2026, 5, 17, 12, 30, 15, 999_999, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("restriction", "expected"),
        [
            ("", "2026-05-17T12:30:15Z"),
            (end_xml(MAY), MAY),
            (end_xml(JUNE), "2026-05-17T12:30:15Z"),
            (start_xml(JUNE), "2026-05-17T12:30:15Z"),
            ("<minEnergy>1</minEnergy>", "2026-05-17T12:30:15Z"),
        ],
    )
    def test_every_element_ends(self, restriction: str, expected: str) -> None:
        before = individual_of([element_xml("1.50", restriction=restriction), element_xml("2")])
        payload = ended(payload_of(before), self.MOMENT)
        first, second = read_individual(payload).elements
        assert first.restriction.end == datetime.fromisoformat(expected)
        assert second.restriction.end == self.MOMENT.replace(microsecond=0)
        assert (first.price, second.price) == (Decimal("1.50"), Decimal(2))
        self._is_valid(payload)

    def test_in_another_time_zone_it_is_the_same_moment(self) -> None:
        payload = payload_of(individual_xml())
        there = self.MOMENT.astimezone(tz=datetime.strptime("+0200", "%z").tzinfo)
        assert there - self.MOMENT == timedelta()
        assert ended(payload, there) == ended(payload, self.MOMENT)

    @staticmethod
    def _is_valid(payload: str) -> None:
        content = tariff_xml("DE*CPO*T1", [payload])
        record = etree.fromstring(
            f'<TariffInfoArray xmlns="{NAMESPACE}">{content}</TariffInfoArray>'
        )
        assert record_schema().validate(record), record_schema().error_log
