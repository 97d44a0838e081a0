import pytest

from ochp_chs.serving.proxies import believe_proxies

TRUSTED = frozenset({"127.0.0.1", "10.0.0.2"})


def environ(address="127.0.0.1", **headers):
    return {
        "REMOTE_ADDR": address,
        "wsgi.url_scheme": "http",
        "HTTP_HOST": "inner:8080",
        **{f"HTTP_X_FORWARDED_{name.upper()}": value for name, value in headers.items()},
    }


def test_stranger_is_not_believed():
    given = environ("192.0.2.9", **{"for": "198.51.100.1"}, proto="https", host="evil.example")

    believe_proxies(given, TRUSTED)

    assert given["REMOTE_ADDR"] == "192.0.2.9"
    assert given["wsgi.url_scheme"] == "http"
    assert given["HTTP_HOST"] == "inner:8080"


def test_trusted_proxy_names_client_scheme_and_host():
    given = environ(**{"for": "198.51.100.1"}, proto="https", host="chs.example")

    believe_proxies(given, TRUSTED)

    assert given["REMOTE_ADDR"] == "198.51.100.1"
    assert given["wsgi.url_scheme"] == "https"
    assert given["HTTP_HOST"] == "chs.example"


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        ("198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("203.0.113.5, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.2", "10.0.0.2"),
        (" , ", "127.0.0.1"),
        ("", "127.0.0.1"),
    ],
    ids=["one hop", "made up in front", "only proxies", "empty parts", "empty"],
)
def test_client_is_the_last_one_that_is_no_trusted_proxy(chain, client):
    given = environ(**{"for": chain})

    believe_proxies(given, TRUSTED)

    assert given["REMOTE_ADDR"] == client


def test_unknown_scheme_is_ignored():
    given = environ(proto="javascript")

    believe_proxies(given, TRUSTED)

    assert given["wsgi.url_scheme"] == "http"


def test_star_trusts_everybody():
    given = environ("192.0.2.9", **{"for": "198.51.100.1"})

    believe_proxies(given, frozenset({"*"}))

    assert given["REMOTE_ADDR"] == "198.51.100.1"
