"""Rule evse-known."""

from collections.abc import Mapping

from ochp_chs.ochp.records.cdr import Cdr
from ochp_chs.ochp.violations import Reason, Severity, Violation
from ochp_chs.rules.context import Context
from ochp_chs.rules.model import Rule, Value

ID = "evse-known"


def check(cdr: Cdr, context: Context, _parameters: Mapping[str, Value]) -> Violation | None:
    """The EVSE is known from charge point data.

    PROTOCOL, "Plausibility"; a warning, because operators need not upload charge point data.
    """
    if cdr.evse_key in context.evses:
        return None
    return Violation(
        ID,
        "evseId",
        cdr.evse_id,
        "your charge point data has no such EVSE",
        Reason.IDENTIFIER,
    )


RULE = Rule(ID, Severity.WARN, check)
