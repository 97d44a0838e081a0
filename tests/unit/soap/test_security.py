"""The UsernameToken of WS-Security."""

import pytest
from lxml import etree

from ochp_chs.soap.faults import WSSE_NAMESPACE, OchpFault
from ochp_chs.soap.security import Credentials, read_credentials

PROFILE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0"
NOBODY = Credentials("", "")


def header(token: str) -> etree._Element:
    return etree.fromstring(f'<h xmlns:w="{WSSE_NAMESPACE}"><w:Security>{token}</w:Security></h>')


def token(inside: str) -> etree._Element:
    return header(f"<w:UsernameToken>{inside}</w:UsernameToken>")


USER, WORD = "<w:Username>emp</w:Username>", "<w:Password{}> pass word </w:Password>"


@pytest.mark.parametrize("kind", ["", ' Type=""', f' Type="{PROFILE}#PasswordText"'])
def test_name_and_password(kind: str) -> None:
    for inside in (USER + WORD.format(kind), WORD.format(kind) + USER + "<w:Nonce>x</w:Nonce>"):
        assert read_credentials(token(inside)) == Credentials("emp", " pass word ")


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        (None, NOBODY),
        (etree.Element("h"), NOBODY),
        (header(""), NOBODY),
        (token(""), NOBODY),
        (token(USER), Credentials("emp", "")),
        (token(WORD.format("")), Credentials("", " pass word ")),
        (token("<w:Username/><w:Password/>"), NOBODY),
        (token("<Username>emp</Username>"), NOBODY),
        (etree.fromstring("<h><Security><UsernameToken/></Security></h>"), NOBODY),
    ],
)
def test_what_is_missing_is_empty(element: etree._Element | None, expected: Credentials) -> None:
    assert read_credentials(element) == expected


def test_digest_is_refused() -> None:
    for element in (
        token(USER + WORD.format(f' Type="{PROFILE}#PasswordDigest"')),
        token(WORD.format(' Type="#PasswordDigest"')),
    ):
        with pytest.raises(OchpFault, match="PasswordDigest is not supported"):
            read_credentials(element)


def test_password_is_not_shown() -> None:
    assert "word" not in repr(Credentials("emp", "word")).replace("password", "")
