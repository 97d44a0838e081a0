from datetime import date, datetime

import pytest
from lxml import etree

from ochp_chs.ochp.operations import NAMESPACE
from ochp_chs.ochp.records.codec import RecordRefused
from ochp_chs.ochp.records.endpoint import EndpointCodec, Kind, first_day_kept, first_day_taken
from ochp_chs.ochp.roles import Role
from tests.support.endpoints import operator_xml, provider_xml


class PlainSeal:
    """Keeps nothing secret, so that a test can look."""

    key_id = "key"

    def digest(self, text):
        return f"digest of {text}".encode()

    def seal(self, text):
        return text.encode()


CODEC = EndpointCodec(PlainSeal())


def record(xml):
    return etree.fromstring(f'<r xmlns="{NAMESPACE}">{xml}</r>')[0]


def violations(xml):
    with pytest.raises(RecordRefused) as caught:
        CODEC.decode(record(xml))
    return [(each.rule, each.field, each.value) for each in caught.value.violations]


class TestDecode:
    def test_provider_endpoint(self):
        row = CODEC.decode(
            record(provider_xml("t", whitelist=["DEEMPC%", "deabcc1"], blacklist=["NLXYZC%"]))
        )

        assert row[:7] == (
            "provider",
            "2099-12-31",
            b"digest of t",
            "https://provider.example/direct",
            "http://ochp.eu/1.4",
            "DEABC DEEMP NLXYZ",
            "key",
        )
        assert row.sealed.startswith(b"<url>https://provider.example/direct</url>")
        assert row.sealed.endswith(b"<blacklist>NLXYZC%</blacklist>")

    def test_operator_endpoint(self):
        assert CODEC.decode(record(operator_xml())).kind == "operator"

    def test_every_reason_is_named_at_once(self):
        xml = provider_xml("", url="https://u:p@emp.example/", day="2099-02-30")

        assert violations(xml) == [
            ("endpoint-url", "url", "https://emp.example/"),
            ("endpoint-token", "accessToken", ""),
            ("time", "validDate", "2099-02-30"),
        ]

    @pytest.mark.parametrize(
        "url", ["https://emp.example", "https://192.0.2.7:8443/x?y=z", "https://[2001:db8::1]/"]
    )
    def test_addresses_that_can_be_called(self, url):
        assert CODEC.decode(record(provider_xml(url=url))).url == url

    @pytest.mark.parametrize(
        "url",
        [
            "https:///x",
            "https://:443/",
            "https://emp.example:0/",
            "https://emp.example:65536/",
            "https://emp.example/a b",
            "https://emp.example/\t",
            "https://emp.example/&lt;x&gt;",
        ],
    )
    def test_addresses_that_cannot_be_called(self, url):
        assert violations(provider_xml(url=url))[0][:2] == ("endpoint-url", "url")


class TestNames:
    def test_names_kind_address_and_day_and_no_secret(self):
        xml = operator_xml("hunter2", url="https://hunter2@cpo.example/a?b=hunter2")

        assert CODEC.identify(record(xml)) == (
            "operator endpoint https://cpo.example/a for 2099-12-31"
        )

    def test_record_with_nothing_in_it(self):
        assert CODEC.identify(record("<providerEndpointArray/>")) == "provider endpoint"

    def test_row_is_named_like_its_record(self):
        element = record(provider_xml())

        assert CODEC.decode(element).named() == CODEC.identify(element)

    def test_earlier_version_is_found_by_the_token(self):
        assert CODEC.retained_key(record(provider_xml("t", day="x"))) == b"digest of t"
        assert CODEC.retained_key(record("<providerEndpointArray/>")) is None


class TestDays:
    @pytest.mark.parametrize(
        ("moment", "kept", "taken"),
        [
            ("2026-03-10T23:59:59Z", 10, 10),
            ("2026-03-11T00:00:00Z", 10, 11),
            ("2026-03-11T00:29:59.999999Z", 10, 11),
            ("2026-03-11T00:30:00Z", 11, 11),
            ("2026-03-11T00:31:00Z", 11, 11),
            ("2026-03-11T01:29:00+01:00", 10, 11),
            ("2026-03-10T19:30:00-05:00", 11, 11),
        ],
    )
    def test_days_are_counted_in_utc(self, moment, kept, taken):
        at = datetime.fromisoformat(moment)

        assert first_day_kept(at) == date(2026, 3, kept)
        assert first_day_taken(at) == date(2026, 3, taken)


@pytest.mark.parametrize(("kind", "role"), [(Kind.PROVIDER, Role.EMP), (Kind.OPERATOR, Role.CPO)])
def test_kinds_belong_to_roles(kind, role):
    assert kind.role is role
