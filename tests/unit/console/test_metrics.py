import pytest

from ochp_chs.config import Settings, SettingsError
from ochp_chs.console.metrics import may_read, parse_networks

DEFAULT = parse_networks(Settings().metrics_allow)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_own_machine_may(address):
    assert may_read({"REMOTE_ADDR": address}, DEFAULT)


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "192.168.1.1", "172.17.0.1", "203.0.113.9", "fe80::1", "2001:db8::1", "", "unix"],
)
def test_nobody_else_may(address):
    assert not may_read({"REMOTE_ADDR": address}, DEFAULT)


@pytest.mark.parametrize(
    "header", ["FORWARDED", "VIA", "X_FORWARDED_FOR", "X_FORWARDED_PROTO", "X_REAL_IP"]
)
@pytest.mark.parametrize("value", ["127.0.0.1", "", "203.0.113.9"])
def test_nobody_may_through_a_proxy(header, value):
    assert not may_read({"REMOTE_ADDR": "127.0.0.1", f"HTTP_{header}": value}, DEFAULT)


def test_network_that_was_added():
    networks = parse_networks("127.0.0.1, 10.20.0.0/16,2001:db8::/32")

    assert may_read({"REMOTE_ADDR": "10.20.3.4"}, networks)
    assert may_read({"REMOTE_ADDR": "2001:db8::9"}, networks)
    assert not may_read({"REMOTE_ADDR": "10.21.0.1"}, networks)


def test_nobody_at_all():
    assert not may_read({"REMOTE_ADDR": "127.0.0.1"}, parse_networks(" "))


@pytest.mark.parametrize("text", ["localhost", "10.0.0.1/8", "10.0.0.0/33"])
def test_what_is_no_network_is_refused_at_the_start(text):
    with pytest.raises(SettingsError, match="OCHP_CHS_METRICS_ALLOW"):
        Settings.load(metrics_allow=text)
