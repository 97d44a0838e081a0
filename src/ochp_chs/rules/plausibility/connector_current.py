"""Rule connector-current."""

from collections.abc import Mapping

from ochp_chs.ochp.records.cdr import Cdr
from ochp_chs.ochp.violations import Severity, Violation
from ochp_chs.rules.context import Context
from ochp_chs.rules.model import Rule, Value

ID = "connector-current"

_DIRECT_ONLY = frozenset({"Chademo", "IEC_62196_T1_COMBO", "IEC_62196_T2_COMBO"})
_EITHER = frozenset({"TESLA_S"})


def check(cdr: Cdr, _context: Context, _parameters: Mapping[str, Value]) -> Violation | None:
    """The connector carries the current, AC or DC, that the charge point is said to have.

    PROTOCOL, "Plausibility"; specification, "ConnectorStandardType", which marks CHAdeMO and the
    two Combo connectors as DC. Readings: the Tesla Model S connector carries both, all others AC.
    """
    standard = cdr.connector.standard
    if standard in _EITHER:
        return None
    fitting = "DC" if standard in _DIRECT_ONLY else "AC"
    if cdr.charge_point_type == fitting:
        return None
    return Violation(
        ID,
        "chargePointType",
        cdr.charge_point_type,
        f"the connector {standard} is one for {fitting}",
    )


RULE = Rule(ID, Severity.REJECT, check)
