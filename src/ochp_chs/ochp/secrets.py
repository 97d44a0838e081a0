"""What of a message is repeated to nobody: in no answer, no log and no message log."""

import re
from urllib.parse import urlsplit

#: Elements whose text is a secret (OCHP direct 0.2, DirectEndpoint).
SECRET_ELEMENTS = frozenset({"accessToken"})

#: Elements with an address that a partner calls, and may have put a password into.
ADDRESS_ELEMENTS = frozenset({"url"})

_SHOWN_CHARACTERS_MAX = 100
_CREDENTIALS = re.compile(r"//[^/?#]*@")


def is_secret(field: str) -> bool:
    """Tell whether a field, given as its path inside the record, is or lies in a secret one."""
    return not SECRET_ELEMENTS.isdisjoint(_names(field))


def is_address(field: str) -> bool:
    """Tell whether a field, given as its path inside the record, is an address to call."""
    return not ADDRESS_ELEMENTS.isdisjoint(_names(field))


def _names(field: str) -> list[str]:
    return [step.partition("[")[0] for step in field.split("/")]


def shown_url(url: str) -> str:
    """An address as it may be shown: without user and password, query and fragment."""
    address = re.split(r"[?#]", _CREDENTIALS.sub("//", url))[0]
    try:
        parts = urlsplit(address)
        # What has no host may be anything, for instance a secret in the wrong element.
        if not parts.scheme or not parts.hostname:
            return ""
    except ValueError:
        return ""
    return address[:_SHOWN_CHARACTERS_MAX]
