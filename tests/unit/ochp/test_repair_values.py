"""Repairs of single values: one class each, what must be left alone first."""

import pytest

from ochp_chs.ochp.repair.values import (
    CONNECTOR_STANDARDS,
    bare_date_as_midnight,
    connector_with_underscores,
    hash_name,
    house_number_in_upper_case,
    language_in_upper_case,
    offset_as_utc,
    recipient_without_separator,
    six_decimals,
    utc_as_offset,
    whole_number,
    whole_seconds,
    zip_code_in_upper_case,
)


class TestBareDate:
    @pytest.mark.parametrize(
        "text",
        ["", "2016-01-01T00:00:00Z", "2016-01", "20160101", "2016-01-01+02:00", "01.01.2016"],
    )
    def test_left(self, text: str) -> None:
        assert bare_date_as_midnight(text) is None

    @pytest.mark.parametrize("text", ["2016-01-31", "2016-01-31Z", "\n 2016-01-31 "])
    def test_repaired(self, text: str) -> None:
        assert bare_date_as_midnight(text) == "2016-01-31T00:00:00Z"


class TestWholeSeconds:
    @pytest.mark.parametrize(
        "text",
        [
            "2016-01-01T00:00:00Z",
            "2016-01-01T00:00:00+02:00",
            "2016-01-01T00:00:00.123",
            "2016-01-01T00:00:00.Z",
            "2016-01-01T00:00:00,5Z",
            "2016-01-01T00:00.5Z",
        ],
    )
    def test_left(self, text: str) -> None:
        assert whole_seconds(text) is None

    def test_a_fraction_is_dropped_and_not_rounded(self) -> None:
        assert whole_seconds("2016-12-31T23:59:59.999Z") == "2016-12-31T23:59:59Z"

    def test_the_offset_stays(self) -> None:
        assert whole_seconds(" 2016-01-01T00:00:00.1+02:00") == "2016-01-01T00:00:00+02:00"


class TestOffsetAsUtc:
    @pytest.mark.parametrize(
        "text",
        [
            "2016-01-01T00:00:00Z",
            "2016-01-01T00:00:00",
            "2016-01-01T00:00:00+0200",
            "2016-01-01T00:00:00+99:00",
            "2016-13-01T00:00:00+02:00",
            "0001-01-01T00:00:00+02:00",
        ],
    )
    def test_left(self, text: str) -> None:
        assert offset_as_utc(text) is None

    def test_the_same_moment_in_utc(self) -> None:
        assert offset_as_utc("2016-01-01T00:30:00+02:00") == "2015-12-31T22:30:00Z"
        assert offset_as_utc("2015-12-31T19:00:00-03:30") == "2015-12-31T22:30:00Z"


class TestUtcAsOffset:
    @pytest.mark.parametrize(
        "text", ["2016-01-01T00:00:00+02:00", "2016-01-01T00:00:00", "2016-01-01Z"]
    )
    def test_left(self, text: str) -> None:
        assert utc_as_offset(text) is None

    def test_the_same_moment_with_an_offset(self) -> None:
        assert utc_as_offset("2016-01-01T12:00:00Z") == "2016-01-01T12:00:00+00:00"


class TestWholeNumber:
    @pytest.mark.parametrize(
        "text",
        ["15", "-1", "15.5", "15.01", "15.", ".0", "15,0", "1.5E1", "15.0.0", "\u0661.0", ""],
    )
    def test_left(self, text: str) -> None:
        assert whole_number(text) is None

    @pytest.mark.parametrize(
        ("text", "now"), [("15.0", "15"), ("15.000", "15"), (" -3.0\n", "-3"), ("0.0", "0")]
    )
    def test_repaired(self, text: str, now: str) -> None:
        assert whole_number(text) == now


class TestSixDecimals:
    @pytest.mark.parametrize(
        "text",
        ["50.104965", "-126.104965", "50,1", "50.", ".5", "1e2", "NaN", "N 50.1", "1234.5", " 5.1"],
    )
    def test_left(self, text: str) -> None:
        assert six_decimals(text) is None

    @pytest.mark.parametrize(
        ("text", "now"),
        [
            ("50.1", "50.100000"),
            ("-8", "-8.000000"),
            ("50.77077412", "50.770774"),
            ("-126.1049656", "-126.104966"),
            ("89.9999999", "90.000000"),
            ("6.0000005", "6.000000"),
            ("6.0000015", "6.000002"),
            ("6.00000050000000000000000000000000000001", "6.000001"),
        ],
    )
    def test_repaired(self, text: str, now: str) -> None:
        assert six_decimals(text) == now


class TestHashName:
    @pytest.mark.parametrize("text", ["plain", "sha-160", "sha-256", "SHA1", "SHA512", "MD5", ""])
    def test_left(self, text: str) -> None:
        assert hash_name(text) is None

    def test_repaired(self) -> None:
        assert hash_name("SHA160") == "sha-160"
        assert hash_name("SHA256") == "sha-256"


class TestLanguage:
    @pytest.mark.parametrize("text", ["DEU", "de", "deut", "de ", "dé1", "d1u", "\xdfen", ""])
    def test_left(self, text: str) -> None:
        assert language_in_upper_case(text) is None

    @pytest.mark.parametrize("text", ["deu", "Deu", "dEU"])
    def test_repaired(self, text: str) -> None:
        assert language_in_upper_case(text) == "DEU"


class TestHouseNumber:
    @pytest.mark.parametrize("text", ["12A", "12", "12/a", "12a-14b", "12\xdf", "", "12\u0131"])
    def test_left(self, text: str) -> None:
        assert house_number_in_upper_case(text) is None

    def test_repaired(self) -> None:
        assert house_number_in_upper_case("12a") == "12A"
        assert house_number_in_upper_case("1a - b") == "1A - B"


class TestZipCode:
    @pytest.mark.parametrize("text", ["8011 PK", "60439", "8011_pk", "a" * 11, "8011 p\xdf", ""])
    def test_left(self, text: str) -> None:
        assert zip_code_in_upper_case(text) is None

    def test_repaired(self) -> None:
        assert zip_code_in_upper_case("8011 pk") == "8011 PK"


class TestConnector:
    @pytest.mark.parametrize(
        "text",
        ["IEC_62196_T2", "Chademo", "iec-62196-t2", "IEC-62196-T4", "IEC62196_2", "TESLA-X", ""],
    )
    def test_left(self, text: str) -> None:
        assert connector_with_underscores(text) is None

    @pytest.mark.parametrize("standard", sorted(CONNECTOR_STANDARDS))
    def test_every_standard_with_hyphens(self, standard: str) -> None:
        assert connector_with_underscores(standard.replace("_", "-")) == standard

    def test_half_with_hyphens(self) -> None:
        assert connector_with_underscores("IEC_62196-T2_COMBO") == "IEC_62196_T2_COMBO"


class TestRecipient:
    @pytest.mark.parametrize(
        "text", ["YYCBA", "YY CBA", "YY--CBA", "YY*CB", "yy-cba", "Y-YCBA", "YYCBA-", ""]
    )
    def test_left(self, text: str) -> None:
        assert recipient_without_separator(text) is None

    @pytest.mark.parametrize("text", ["YY-C4A", "YY*C4A"])
    def test_repaired(self, text: str) -> None:
        assert recipient_without_separator(text) == "YYC4A"
