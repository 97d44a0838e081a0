"""WS-Security: who the SOAP header says is calling (PROTOCOL, "Who is calling")."""

from dataclasses import dataclass, field

from lxml import etree

from ochp_chs.soap.faults import WSSE_NAMESPACE, OchpFault, failed_authentication

_WSSE = f"{{{WSSE_NAMESPACE}}}"

_DIGEST_TEXT = (
    "PasswordDigest is not supported here: the clearing house keeps no clear passwords to compare"
    " with. Send the UsernameToken with PasswordText, over TLS."
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a UsernameToken holds; empty where something is missing."""

    username: str
    password: str = field(repr=False)


def read_credentials(header: etree._Element | None) -> Credentials:
    """The credentials in the SOAP header; raises a fault for PasswordDigest."""
    token = header.find(f"{_WSSE}Security/{_WSSE}UsernameToken") if header is not None else None
    if token is None:
        return Credentials("", "")
    password = token.find(f"{_WSSE}Password")
    if password is not None and str(password.get("Type", "")).endswith("#PasswordDigest"):
        raise digest_refused()
    return Credentials(
        (token.findtext(f"{_WSSE}Username") or "").strip(),
        (password.text or "") if password is not None else "",
    )


def digest_refused() -> OchpFault:
    """The fault for a password that came as a digest."""
    return failed_authentication(_DIGEST_TEXT)
