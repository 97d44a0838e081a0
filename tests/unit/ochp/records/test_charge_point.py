"""Charge points: the row of a record, what refuses it, and what is doubtful in it."""

import json

import pytest

from ochp_chs.ochp.records.charge_point import ChargePointCodec, JudgedChargePoint
from ochp_chs.ochp.records.codec import RecordRefused
from ochp_chs.ochp.schema import record_schema
from tests.support.cdrs import element_of
from tests.support.charge_points import (
    address_xml,
    charge_point_xml,
    connector_xml,
    parking_xml,
    schedule_xml,
    status_xml,
)

CODEC = ChargePointCodec()


def decoded(xml: str) -> JudgedChargePoint:
    element = element_of(xml)
    record_schema().assertValid(element)
    return CODEC.decode(element)


def refusals(xml: str) -> list[tuple[str, str]]:
    """Rule and field of every reason."""
    with pytest.raises(RecordRefused) as refused:
        decoded(xml)
    return [(violation.rule, violation.field) for violation in refused.value.violations]


def doubts(xml: str) -> list[tuple[str, str]]:
    return [(violation.rule, violation.field) for violation in decoded(xml).doubts]


def ratings(maximum: str, guaranteed: str | None = None) -> str:
    more = f"<guaranteedPower>{guaranteed}</guaranteedPower>" if guaranteed else ""
    return f"<ratings><maximumPower>{maximum}</maximumPower>{more}</ratings>"


class TestRow:
    def test_identifiers_are_kept_and_compared_by_key(self) -> None:
        row = decoded(charge_point_xml("de*cpo*e1234*1"))
        assert (row.evse_id, row.evse_key, row.operator) == (
            "de*cpo*e1234*1",
            "DECPOE1234*1",
            "DECPO",
        )

    def test_ordinary_record_raises_no_doubt(self) -> None:
        assert decoded(charge_point_xml()).doubts == ()

    def test_connectors_with_their_tariffs(self) -> None:
        row = decoded(
            charge_point_xml(
                connectors=connector_xml("Chademo") + connector_xml(tariff_id="de*cpo*tX")
            )
        )
        assert json.loads(row.connectors) == [
            ["Chademo", "Socket", None],
            ["IEC_62196_T2", "Socket", "de*cpo*tX"],
        ]

    def test_parking_spots_by_key_and_once(self) -> None:
        spots = ("DE*PSO*P1", "depsop1", "DE*PSO*P2*3")
        row = decoded(charge_point_xml(parking="".join(map(parking_xml, spots))))
        assert row.parking_keys == "{DEPSOP1,DEPSOP2*3}"

    def test_what_is_absent_is_absent(self) -> None:
        row = decoded(charge_point_xml(time_zone=None))
        absent = (row.timestamp, row.time_zone, row.status, row.status_schedule)
        assert absent == (None, None, None, None)
        assert (row.parking_keys, row.maximum_power) == (None, None)

    def test_power_is_exact(self) -> None:
        assert decoded(charge_point_xml(ratings=ratings("22.10"))).maximum_power == "22.10"

    def test_schedule(self) -> None:
        row = decoded(
            charge_point_xml(
                status=status_xml("Planned")
                + schedule_xml("2030-01-01T00:00:00Z", "2030-02-01T00:00:00Z", "Inoperative")
                + schedule_xml("2030-02-01T00:00:00Z", None, "Operative")
            )
        )
        assert row.status == "Planned"
        assert json.loads(row.status_schedule or "") == [
            ["2030-01-01T00:00:00Z", "2030-02-01T00:00:00Z", "Inoperative"],
            ["2030-02-01T00:00:00Z", None, "Operative"],
        ]
        assert row.doubts == ()

    @pytest.mark.parametrize("telephone", ["", "<telephoneNumber>0221 4711</telephoneNumber>"])
    @pytest.mark.parametrize(
        "status",
        [
            "",
            status_xml("Operative"),
            schedule_xml("2030-01-01T00:00:00Z", None, "Operative"),
            status_xml("Planned") + schedule_xml("2030-01-01T00:00:00Z", None, "Operative"),
        ],
    )
    def test_place_of_status_and_timestamp_in_the_payload(
        self, status: str, telephone: str
    ) -> None:
        row = decoded(
            charge_point_xml(
                timestamp="2025-01-01T00:00:00Z",
                name="Ümlaut &amp; 𝄞",
                status=status,
                telephone=telephone,
            )
        )
        assert row.payload[row.timestamp_from : row.timestamp_to] == (
            "<timestamp><DateTime>2025-01-01T00:00:00Z</DateTime></timestamp>"
        )
        assert row.payload[row.status_from : row.status_to] == status
        assert row.payload[row.status_to :].startswith(telephone + "<location>")

    def test_broken_record_is_identified_as_far_as_it_goes(self) -> None:
        element = element_of(
            "<chargePointInfoArray><evseId>DE*CPO*E1</evseId></chargePointInfoArray>"
        )
        assert CODEC.identify(element) == "DE*CPO*E1"
        assert CODEC.retained_key(element) == "DECPOE1"

    @pytest.mark.parametrize("content", ["", "<evseId/>", "<evseId>X</evseId>"])
    def test_record_without_an_evse_id_has_no_key(self, content: str) -> None:
        element = element_of(f"<chargePointInfoArray>{content}</chargePointInfoArray>")
        assert CODEC.retained_key(element) is None


class TestAddress:
    @pytest.mark.parametrize(
        "same",
        [
            address_xml("hauptstrasse"),
            address_xml("HAUPTSTRASSE "),
            address_xml("Hauptstraße 5", None),
            address_xml("  Hauptstraße   5", None),
        ],
    )
    def test_other_notation_of_one_address(self, same: str) -> None:
        row, other = (decoded(charge_point_xml(address=each)) for each in (None, same))
        assert row.address_fingerprint == other.address_fingerprint

    @pytest.mark.parametrize("other", [address_xml("Hauptgasse"), address_xml(number="6")])
    def test_other_address(self, other: str) -> None:
        row, elsewhere = (decoded(charge_point_xml(address=each)) for each in (None, other))
        assert row.address_fingerprint != elsewhere.address_fingerprint


class TestRefused:
    def test_month_13(self) -> None:
        assert refusals(charge_point_xml(timestamp="2025-13-01T00:00:00Z")) == [
            ("time", "timestamp/DateTime")
        ]

    @pytest.mark.parametrize(
        ("position", "fields"),
        [
            (("90.000001", "0.000001"), ["@lat"]),
            (("-90.000001", "0.000001"), ["@lat"]),
            (("0.000001", "180.000001"), ["@lon"]),
            (("99.000000", "-200.000000"), ["@lat", "@lon"]),
        ],
    )
    def test_position_off_the_globe(self, position: tuple[str, str], fields: list[str]) -> None:
        assert refusals(charge_point_xml(position=position)) == [
            ("coordinates", f"chargePointLocation/{field}") for field in fields
        ]

    @pytest.mark.parametrize(
        "position", [("90.000000", "-180.000000"), ("-90.000000", "180.000000")]
    )
    def test_position_on_the_edge_is_taken(self, position: tuple[str, str]) -> None:
        assert decoded(charge_point_xml(position=position)).doubts == ()

    def test_related_location_off_the_globe(self) -> None:
        related = (
            '<relatedLocation lat="1.000000" lon="1.000000" type="exit"/>'
            '<relatedLocation lat="91.000000" lon="1.000000" type="exit"/>'
        )
        assert refusals(charge_point_xml(related=related)) == [
            ("coordinates", "relatedLocation[2]/@lat")
        ]

    def test_unknown_country(self) -> None:
        assert refusals(charge_point_xml(address=address_xml(country="GER"))) == [
            ("country-code", "chargePointAddress/country")
        ]

    @pytest.mark.parametrize("power", ["NaN", "INF", "-INF", "-1", "1e99"])
    def test_power_that_is_none(self, power: str) -> None:
        assert refusals(charge_point_xml(ratings=ratings(power))) == [
            ("number", "ratings/maximumPower")
        ]

    @pytest.mark.parametrize("end", ["2030-01-01T00:00:00Z", "2029-12-31T23:59:59Z"])
    def test_schedule_that_ends_before_it_begins(self, end: str) -> None:
        schedule = schedule_xml("2030-01-01T00:00:00Z", end, "Closed")
        assert refusals(charge_point_xml(status=schedule)) == [
            ("period-order", "statusSchedule[1]/endDate")
        ]

    def test_schedule_of_day_30_of_february(self) -> None:
        schedule = schedule_xml("2030-01-01T00:00:00Z", "2030-02-30T00:00:00Z", "Closed")
        assert refusals(charge_point_xml(status=schedule)) == [
            ("time", "statusSchedule[1]/endDate/DateTime")
        ]

    def test_every_reason_is_named(self) -> None:
        xml = charge_point_xml(
            timestamp="2025-13-01T00:00:00Z",
            position=("91.000000", "1.000000"),
            address=address_xml(country="ABC"),
        )
        assert [rule for rule, _ in refusals(xml)] == ["time", "country-code", "coordinates"]


class TestDoubts:
    def test_position_0_0(self) -> None:
        position = ("0.000000", "-0.000000")
        assert doubts(charge_point_xml(position=position)) == [
            ("coordinates", "chargePointLocation")
        ]

    def test_country_that_iso_leaves_to_its_users(self) -> None:
        assert doubts(charge_point_xml(address=address_xml(country="XKX"))) == [
            ("country-code", "chargePointAddress/country")
        ]

    def test_language_of_an_older_standard_is_put_right_by_name(self) -> None:
        (doubt,) = decoded(charge_point_xml(language="GER")).doubts
        assert doubt.field == "locationNameLang"
        assert "DEU" in doubt.text

    def test_languages_that_are_none(self) -> None:
        languages = "".join(
            f"<userInterfaceLang>{code}</userInterfaceLang>" for code in ("ENG", "QQQ")
        )
        assert doubts(charge_point_xml(interface_languages=languages)) == [
            ("language-code", "userInterfaceLang[2]")
        ]

    @pytest.mark.parametrize("name", ["Europe/Colonge", "", "../../etc/passwd", "europe"])
    def test_time_zone_that_is_none(self, name: str) -> None:
        row = decoded(charge_point_xml(time_zone=f"<timeZone>{name}</timeZone>"))
        assert [doubt.rule for doubt in row.doubts] == ["time-zone"]
        assert row.time_zone is None

    def test_power_in_watts(self) -> None:
        assert doubts(charge_point_xml(ratings=ratings("22000"))) == [
            ("power-unit", "ratings/maximumPower")
        ]

    def test_guaranteed_power_above_the_maximum(self) -> None:
        assert doubts(charge_point_xml(ratings=ratings("22", "22.1"))) == [
            ("guaranteed-power", "ratings/guaranteedPower")
        ]
        assert doubts(charge_point_xml(ratings=ratings("22", "22.0"))) == []

    def test_tariff_of_another_operator(self) -> None:
        connectors = connector_xml() + connector_xml(tariff_id="NL*CP2*T1")
        assert doubts(charge_point_xml(connectors=connectors)) == [
            ("tariff-operator", "connectors[2]/tariffId")
        ]

    def test_schedules_that_overlap(self) -> None:
        schedule = schedule_xml("2030-01-01T00:00:00Z", None, "Operative") + schedule_xml(
            "2030-02-01T00:00:00Z", "2030-03-01T00:00:00Z", "Inoperative"
        )
        assert doubts(charge_point_xml(status=schedule)) == [("schedule-overlap", "statusSchedule")]
