"""Dates and times: what is read, what is refused and why, and how they are written."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ochp_chs.ochp.times import (
    InvalidTime,
    format_date_time,
    format_local_date_time,
    parse_date,
    parse_date_time,
    parse_local_date_time,
    parse_xs_date_time,
)

_TWO_HOURS = timezone(timedelta(hours=2))
_ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


class TestDateTime:
    def test_read(self) -> None:
        assert parse_date_time("2016-02-29T23:59:58Z") == datetime(
            2016, 2, 29, 23, 59, 58, tzinfo=UTC
        )

    def test_surrounding_white_space_is_none_of_the_value(self) -> None:
        assert parse_date_time("\n\t 2016-01-01T00:00:00Z\r\n") == datetime(2016, 1, 1, tzinfo=UTC)

    def test_expiry_at_the_end_of_all_days(self) -> None:
        assert parse_date_time("9999-12-31T23:59:59Z").year == 9999

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("2016-13-01T00:00:00Z", "there is no month 13"),
            ("2016-00-01T00:00:00Z", "there is no month 00"),
            ("2016-04-31T00:00:00Z", "2016-04 has no day 31"),
            ("2015-02-29T00:00:00Z", "2015-02 has no day 29"),
            ("2016-01-01T29:00:00Z", "there is no hour 29"),
            ("2016-01-01T24:00:00Z", "there is no hour 24, write 00:00:00 of the next day"),
            ("2016-01-01T00:60:00Z", "there is no minute 60"),
            ("2016-01-01T00:00:60Z", "there is no second 60"),
            ("0000-01-01T00:00:00Z", "there is no year 0000"),
            ("2016-01-01T00:00:00", "it has no time zone"),
            ("2016-01-01T00:00:00+02:00", "it must be written YYYY-MM-DDTHH:MM:SSZ"),
            ("2016-01-01T00:00:00.000Z", "it must be written YYYY-MM-DDTHH:MM:SSZ"),
            ("2016-01-01", "it must be written YYYY-MM-DDTHH:MM:SSZ"),
            ("", "it must be written YYYY-MM-DDTHH:MM:SSZ"),
            # ISO 8601 knows these, OCHP does not.
            ("20160101T000000Z", "it must be written"),
            ("2016-W01-1T00:00:00Z", "it must be written"),
            ("2016-01-01 00:00:00Z", "it must be written"),
            # The XSD's \d takes the digits of every script.
            ("٢٠١٦-01-01T00:00:00Z", "it must be written"),
        ],
    )
    def test_refused(self, text: str, reason: str) -> None:
        with pytest.raises(InvalidTime, match=re.escape(reason)) as refusal:
            parse_date_time(text)
        assert repr(text) in refusal.value.reason

    def test_a_long_text_is_cut_in_the_reason(self) -> None:
        with pytest.raises(InvalidTime) as refusal:
            parse_date_time("9" * 100_000)
        assert len(refusal.value.reason) < 200


class TestLocalDateTime:
    def test_read_with_its_offset(self) -> None:
        moment = parse_local_date_time("2016-06-01T13:45:30+02:00")
        assert moment == datetime(2016, 6, 1, 11, 45, 30, tzinfo=UTC)
        assert moment.utcoffset() == timedelta(hours=2)

    @pytest.mark.parametrize("offset", ["+14:00", "-14:00", "+13:59", "-03:30", "+00:00", "-00:00"])
    def test_offsets_that_exist(self, offset: str) -> None:
        assert parse_local_date_time(f"2016-06-01T13:45:30{offset}").tzinfo is not None

    @pytest.mark.parametrize("offset", ["+99:00", "+14:01", "-15:00", "+02:60"])
    def test_offsets_that_do_not(self, offset: str) -> None:
        with pytest.raises(InvalidTime, match=re.escape(f"there is no offset {offset}")):
            parse_local_date_time(f"2016-06-01T13:45:30{offset}")

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("2016-13-01T00:00:00+02:00", "there is no month 13"),
            ("2016-01-01T29:00:00+02:00", "there is no hour 29"),
            ("2016-01-01T00:00:00Z", "it must be written YYYY-MM-DDTHH:MM:SS+hh:mm"),
            ("2016-01-01T00:00:00", "it has no time zone"),
            ("2016-01-01T00:00:00+0200", "it must be written"),
        ],
    )
    def test_refused(self, text: str, reason: str) -> None:
        with pytest.raises(InvalidTime, match=re.escape(reason)):
            parse_local_date_time(text)

    @pytest.mark.parametrize("text", ["0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59-02:00"])
    def test_a_moment_that_has_no_time_in_utc(self, text: str) -> None:
        with pytest.raises(InvalidTime, match="outside the years 0001 to 9999"):
            parse_local_date_time(text)

    def test_the_last_second_that_has_one(self) -> None:
        moment = parse_local_date_time("9999-12-31T23:59:59+02:00")
        assert format_date_time(moment) == "9999-12-31T21:59:59Z"


class TestXsDateTime:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2016-06-01T13:45:30Z", datetime(2016, 6, 1, 13, 45, 30, tzinfo=UTC)),
            ("2016-06-01T13:45:30+02:00", datetime(2016, 6, 1, 13, 45, 30, tzinfo=_TWO_HOURS)),
            ("2016-06-01T13:45:30.5Z", datetime(2016, 6, 1, 13, 45, 30, 500000, tzinfo=UTC)),
            (
                "2016-06-01T13:45:30.123456999+02:00",
                datetime(2016, 6, 1, 13, 45, 30, 123456, tzinfo=_TWO_HOURS),
            ),
            ("2016-12-31T24:00:00Z", datetime(2017, 1, 1, tzinfo=UTC)),
            ("2016-12-31T24:00:00.000+02:00", datetime(2017, 1, 1, tzinfo=_TWO_HOURS)),
        ],
    )
    def test_read(self, text: str, expected: datetime) -> None:
        moment = parse_xs_date_time(text)
        assert moment == expected
        assert moment.utcoffset() == expected.utcoffset()

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("2016-06-01T13:45:30", "it has no time zone"),
            ("2016-06-01T13:45:30.5", "it has no time zone"),
            ("2016-06-31T13:45:30Z", "2016-06 has no day 31"),
            ("2016-06-01T24:00:01Z", "there is no hour 24"),
            ("2016-06-01T24:00:00.5Z", "there is no hour 24"),
            ("12016-06-01T13:45:30Z", "it must be written"),
            ("-0044-03-15T12:00:00Z", "it must be written"),
            ("9999-12-31T24:00:00Z", "outside the years 0001 to 9999"),
        ],
    )
    def test_refused(self, text: str, reason: str) -> None:
        with pytest.raises(InvalidTime, match=re.escape(reason)):
            parse_xs_date_time(text)


class TestDate:
    def test_read(self) -> None:
        assert parse_date(" 2016-02-29 ") == date(2016, 2, 29)

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("2015-02-29", "'2015-02-29' is not a date: 2015-02 has no day 29."),
            ("20160229", "it must be written YYYY-MM-DD"),
            ("2016-02-29Z", "it must be written YYYY-MM-DD"),
            ("2016-02-29T00:00:00Z", "it must be written YYYY-MM-DD"),
        ],
    )
    def test_refused(self, text: str, reason: str) -> None:
        with pytest.raises(InvalidTime, match=re.escape(reason)):
            parse_date(text)


class TestWriting:
    def test_in_utc_and_whole_seconds(self) -> None:
        moment = datetime(2016, 6, 1, 13, 45, 30, 999999, tzinfo=_TWO_HOURS)
        assert format_date_time(moment) == "2016-06-01T11:45:30Z"
        assert format_local_date_time(moment) == "2016-06-01T13:45:30+02:00"

    def test_years_have_four_digits(self) -> None:
        assert format_date_time(datetime(99, 1, 1, tzinfo=UTC)) == "0099-01-01T00:00:00Z"

    @pytest.mark.parametrize("write", [format_date_time, format_local_date_time])
    def test_without_zone_it_is_a_mistake_of_ours(self, write: Callable[[datetime], str]) -> None:
        with pytest.raises(ValueError, match="needs a time zone"):
            write(datetime(2016, 6, 1))

    @given(st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.replace(microsecond=0)))
    def test_what_is_written_is_read_again(self, moment: datetime) -> None:
        assert parse_date_time(format_date_time(moment)) == moment
        assert parse_xs_date_time(format_date_time(moment)) == moment

    @given(
        st.datetimes(
            min_value=datetime(1, 1, 3),
            max_value=datetime(9999, 12, 29),
            timezones=_ZONES,
        ).map(lambda moment: moment.replace(microsecond=0))
    )
    def test_local_times_keep_their_offset(self, moment: datetime) -> None:
        read = parse_local_date_time(format_local_date_time(moment))
        assert read == moment
        assert read.utcoffset() == moment.utcoffset()


@given(st.text(max_size=40) | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.+Z-]{6,20}"))
@pytest.mark.parametrize(
    "parse", [parse_date_time, parse_local_date_time, parse_xs_date_time, parse_date]
)
def test_any_text_is_read_or_refused(parse: Callable[[str], date], text: str) -> None:
    reason = "."
    try:
        parse(text)
    except InvalidTime as refusal:
        reason = refusal.reason
    assert reason.endswith(".")
