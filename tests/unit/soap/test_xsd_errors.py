import pytest
from lxml import etree

from ochp_chs.ochp.operations import NAMESPACE
from ochp_chs.ochp.schema import record_schema
from ochp_chs.soap.xsd_errors import _violation, xsd_violations
from tests.support.endpoints import provider_xml


def violations(xml):
    record = etree.fromstring(f'<r xmlns="{NAMESPACE}">{xml}</r>')[0]
    return xsd_violations(record_schema(), record)


class TestSecretFields:
    def test_too_long_says_how_long_it_may_be(self):
        (found,) = violations(provider_xml("x" * 300))

        assert (found.field, found.value) == ("accessToken", "")
        assert "300" in found.text
        assert "255" in found.text

    @pytest.mark.parametrize(
        "message",
        [
            "[facet 'pattern'] The value 'hunter2' is not accepted by the pattern 'x'.",
            "'hunter2' is not a valid value of the atomic type 'xs:string'.",
            "[facet 'length'] The value has a length of '7'; 'hunter2' is wrong.",
        ],
    )
    def test_value_is_repeated_neither_as_value_nor_in_the_reason(self, message):
        found = _violation("accessToken", f"Element '{{{NAMESPACE}}}accessToken': {message}")

        assert "hunter2" not in f"{found!r}"
        assert found.field == "accessToken"


class TestAddresses:
    def test_credentials_in_an_address_are_not_repeated(self):
        (found,) = violations(provider_xml(url="http://me:hunter2@emp.example/a?b=hunter2"))

        assert found.value == "http://emp.example/a"
        assert "hunter2" not in found.text
        assert "https://" in found.text

    def test_what_is_no_address_is_not_repeated(self):
        (found,) = violations(provider_xml(url="hunter2"))

        assert "hunter2" not in f"{found!r}"

    def test_empty_address(self):
        assert violations(provider_xml(url=" "))[0].field == "url"
