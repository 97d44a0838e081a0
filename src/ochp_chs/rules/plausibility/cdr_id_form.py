"""Rule cdr-id-form."""

from collections.abc import Mapping

from ochp_chs.ochp.identifiers import is_cdr_id
from ochp_chs.ochp.records.cdr import Cdr
from ochp_chs.ochp.violations import Severity, Violation
from ochp_chs.rules.context import Context
from ochp_chs.rules.model import Rule, Value

ID = "cdr-id-form"


def check(cdr: Cdr, _context: Context, _parameters: Mapping[str, Value]) -> Violation | None:
    """The CDR-ID is 1 to 36 capital letters and digits.

    PROTOCOL, "Identifiers" and "Plausibility"; specification, "CdrId". The XSD says the same, so
    that it is a record in another dialect, or one made by hand, that this rule is there for.
    """
    if is_cdr_id(cdr.cdr_id):
        return None
    return Violation(ID, "CdrId", cdr.cdr_id, "a CDR-ID has 1 to 36 characters, A to Z and 0 to 9")


RULE = Rule(ID, Severity.REJECT, check)
