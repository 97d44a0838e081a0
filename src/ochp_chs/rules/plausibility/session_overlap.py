"""Rule session-overlap."""

from collections.abc import Mapping

from ochp_chs.ochp.records.cdr import Cdr
from ochp_chs.ochp.violations import Severity, Violation
from ochp_chs.rules.context import Context
from ochp_chs.rules.model import Rule, Value
from ochp_chs.rules.sessions import Session

ID = "session-overlap"


def check(cdr: Cdr, context: Context, _parameters: Mapping[str, Value]) -> Violation | None:
    """No other session on the same EVSE shares time with this one.

    PROTOCOL, "Plausibility"; an EVSE serves one car at a time (specification, "EVSE Infrastructure
    Model"). Readings: the same CDR-ID on the same EVSE is this CDR, sent again or revised; one
    session may begin in the second in which another ends.
    """
    found = context.sessions.find_overlapping(Session(cdr.evse_key, cdr.cdr_id, cdr.start, cdr.end))
    if found is None:
        return None
    return Violation(
        ID,
        "startDateTime",
        cdr.start.isoformat(),
        f"CDR {found.cdr_id} has this EVSE in use from {found.start.isoformat()}"
        f" to {found.end.isoformat()}",
    )


RULE = Rule(ID, Severity.WARN, check)
