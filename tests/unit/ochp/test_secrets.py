import pytest

from ochp_chs.ochp.secrets import is_address, is_secret, shown_url


@pytest.mark.parametrize(
    "field", ["accessToken", "providerEndpointArray[2]/accessToken", "accessToken[1]/b/@c"]
)
def test_secret_fields(field):
    assert is_secret(field)


@pytest.mark.parametrize("field", ["", "url", "EmtId/instance", "accessTokens"])
def test_other_fields(field):
    assert not is_secret(field)


def test_addresses():
    assert is_address("operatorEndpointArray/url")
    assert not is_address("imageUrl")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://emp.example:8443/direct", "https://emp.example:8443/direct"),
        ("https://me:hunter2@emp.example/direct", "https://emp.example/direct"),
        ("https://hunter2@emp.example", "https://emp.example"),
        ("https://me:hun@ter2@emp.example", "https://emp.example"),
        ("https://emp.example/?token=hunter2", "https://emp.example/"),
        ("https://emp.example#hunter2", "https://emp.example"),
        ("hunter2", ""),
        ("https://", ""),
        ("https://[hunter2", ""),
        ("", ""),
    ],
)
def test_address_is_shown_without_what_may_be_secret(url, shown):
    assert shown_url(url) == shown


def test_long_address_is_cut():
    assert len(shown_url(f"https://emp.example/{'a' * 500}")) == 100
