"""Rule token-form."""

import re
from collections.abc import Mapping

from ochp_chs.ochp.records.cdr import Cdr, Token
from ochp_chs.ochp.violations import Severity, Violation
from ochp_chs.rules.context import Context
from ochp_chs.rules.model import Rule, Value

ID = "token-form"

_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]+")
_HASH_DIGITS = {"sha-160": 40, "sha-256": 64}


def check(cdr: Cdr, _context: Context, _parameters: Mapping[str, Value]) -> Violation | None:
    """The token looks like what its representation and type say it is.

    PROTOCOL, "Plausibility"; specification, "tokenType" and "tokenRepresentation". A hash has 40
    or 64 hexadecimal digits. A plain RFID token is a card's UID in hexadecimal digits; reading:
    any number of them, because UIDs are written without leading zeros. Tokens of type `15118` and
    `remote` (allowed in a CDR, not in a list) have no form beyond not being blank.
    """
    text = _find_fault(cdr.token)
    return None if text is None else Violation(ID, "emtId/instance", cdr.token.instance, text)


def _find_fault(token: Token) -> str | None:
    digits = _HASH_DIGITS.get(token.representation)
    if digits is not None:
        if len(token.instance) == digits and _HEXADECIMAL.fullmatch(token.instance):
            return None
        return f"a {token.representation} instance has {digits} hexadecimal digits"
    if token.token_type == "rfid":
        if _HEXADECIMAL.fullmatch(token.instance):
            return None
        return "a plain rfid instance is the card's UID in hexadecimal digits"
    return None if token.instance.strip() else "the token is blank"


RULE = Rule(ID, Severity.REJECT, check)
