"""Rule has-period."""

from collections.abc import Mapping

from ochp_chs.ochp.records.cdr import Cdr
from ochp_chs.ochp.violations import Severity, Violation
from ochp_chs.rules.context import Context
from ochp_chs.rules.model import Rule, Value

ID = "has-period"


def check(cdr: Cdr, _context: Context, _parameters: Mapping[str, Value]) -> Violation | None:
    """There is at least one charging period.

    PROTOCOL, "Plausibility"; specification, "CDRInfo". The XSD says the same, so that it is a
    record in another dialect, or one made by hand, that this rule is there for.
    """
    if cdr.periods:
        return None
    return Violation(
        ID, "chargingPeriods", "", "a CDR has at least one period, one for each item on the bill"
    )


RULE = Rule(ID, Severity.REJECT, check)
