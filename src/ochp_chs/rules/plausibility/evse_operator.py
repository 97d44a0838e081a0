"""Rule evse-operator."""

from collections.abc import Mapping

from ochp_chs.ochp.records.cdr import Cdr
from ochp_chs.ochp.violations import Reason, Severity, Violation
from ochp_chs.rules.context import Context
from ochp_chs.rules.model import Rule, Value

ID = "evse-operator"


def check(cdr: Cdr, context: Context, _parameters: Mapping[str, Value]) -> Violation | None:
    """The operator in the EVSE-ID is one of the caller's.

    PROTOCOL, "Plausibility" and "Who is calling": compared without separators and without case.
    """
    if cdr.operator in context.operator_ids:
        return None
    return Violation(
        ID,
        "evseId",
        cdr.evse_id,
        f"the operator {cdr.operator} is not one of yours",
        Reason.IDENTIFIER,
    )


RULE = Rule(ID, Severity.REJECT, check)
