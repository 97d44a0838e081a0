"""WS-Security: who the SOAP header says is calling (PROTOCOL, "Who is calling")."""

from collections.abc import Iterable
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
    if header is None:
        return Credentials("", "")
    token = _only("UsernameToken", header.iterchildren(f"{_WSSE}Security"))
    if token is None:
        return Credentials("", "")
    username, password = (_only(name, (token,)) for name in ("Username", "Password"))
    if password is not None and str(password.get("Type", "")).endswith("#PasswordDigest"):
        raise digest_refused()
    return Credentials(
        (username.text or "").strip() if username is not None else "",
        (password.text or "") if password is not None else "",
    )


def _only(name: str, parents: Iterable[etree._Element]) -> etree._Element | None:
    """The one element there; what stands between us and the sender may have looked at another."""
    found = [each for parent in parents for each in parent.iterchildren(f"{_WSSE}{name}")]
    if len(found) > 1:
        raise failed_authentication(
            f"The SOAP header has {len(found)} {name} elements; it must have one."
        )
    return found[0] if found else None


def digest_refused() -> OchpFault:
    """The fault for a password that came as a digest."""
    return failed_authentication(_DIGEST_TEXT)
