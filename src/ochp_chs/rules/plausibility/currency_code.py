"""Rule currency-code."""

from collections.abc import Mapping

from ochp_chs.ochp.records.cdr import Cdr
from ochp_chs.ochp.violations import Severity, Violation
from ochp_chs.rules.codes import currency_codes
from ochp_chs.rules.context import Context
from ochp_chs.rules.model import Rule, Value

ID = "currency-code"


def check(cdr: Cdr, _context: Context, _parameters: Mapping[str, Value]) -> Violation | None:
    """The currency is a code of ISO 4217.

    PROTOCOL, "Plausibility"; specification, "CDRInfo" (table A.1: capital letters, in use).
    """
    if cdr.currency in currency_codes():
        return None
    return Violation(
        ID,
        "currency",
        cdr.currency[:_SHOWN_CHARACTERS_MAX],
        "this is not a currency of ISO 4217, write for example EUR",
    )


#: The XSD sets no bound to the length of a currency.
_SHOWN_CHARACTERS_MAX = 40

RULE = Rule(ID, Severity.REJECT, check)
