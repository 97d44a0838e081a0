"""Requests full of what must not be in any log, and how to look for it."""

from collections.abc import Iterator

from tests.support import valid_requests
from tests.support.edge import SOAP, WSSE

#: Parts that are recognised in whatever form the whole is written.
UID = "5EC2E7A1B2C3D4"
CONTRACT = "DE-EMP-C5ECRET99"
ACCESS_TOKEN = "do-not-tell-this-token"
PASSWORD = "do-not-tell-this-password"
USER = "do not tell this user"
PRINTED = "9988776655"

_TRACES = ("5EC2E7A1", "5ECRET99", "do-not-tell", "do not tell", PRINTED, "-secret")


def found_in(text: str) -> list[str]:
    """Which of the secrets a text holds, each with what stands around it."""
    lower = text.lower()
    return [
        text[max(0, lower.index(trace.lower()) - 200) :][:300]
        for trace in _TRACES
        if trace.lower() in lower
    ]


def secret_contents() -> dict[str, str]:
    """What stands inside of each operation's request, as `valid_requests` has it, with secrets."""
    return {
        name: content.replace("04A1B2C3D4E5F6", UID)
        .replace("04A1B2C3D4", UID)
        .replace("DE-EMP-C00000001", CONTRACT)
        .replace("NL-EMP-C00000001", "NL-EMP-C5ECRET99")
        .replace("12-34", PRINTED)
        .replace("provider-token-1", ACCESS_TOKEN)
        .replace("operator-token-1", f"{ACCESS_TOKEN}2")
        for name, content in valid_requests.contents().items()
    }


def spoiled(content: str) -> Iterator[str]:
    """The same in ways that are refused: in parts, as a whole, and not even XML."""
    for tag in ("tokenType", "contractId", "instance", "accessToken", "expiryDate", "CdrId"):
        yield content.replace(f"<{tag}>", f"<{tag}>?&#160; ", 1)
        yield content.replace(f"<{tag}>", f"<x{UID}>", 1).replace(f"</{tag}>", f"</x{UID}>", 1)
        yield content.replace(f"</{tag}>", f"</{PASSWORD}>", 1)
    yield f"{content}<{PASSWORD}>{UID}</{PASSWORD}>"
    yield f"{content}&{ACCESS_TOKEN};"
    yield f"{content}<a b='{ACCESS_TOKEN}' b='{UID}'/>"


def envelope_of(user: str, password: str, request: str) -> bytes:
    """A message with any credentials."""
    return (
        f'<s:Envelope xmlns:s="{SOAP}"><s:Header><w:Security xmlns:w="{WSSE}"><w:UsernameToken>'
        f"<w:Username>{user}</w:Username><w:Password>{password}</w:Password>"
        f"</w:UsernameToken></w:Security></s:Header><s:Body>{request}</s:Body></s:Envelope>"
    ).encode()
