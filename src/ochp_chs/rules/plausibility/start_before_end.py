"""Rule start-before-end."""

from collections.abc import Mapping

from ochp_chs.ochp.records.cdr import Cdr
from ochp_chs.ochp.violations import Severity, Violation
from ochp_chs.rules.context import Context
from ochp_chs.rules.model import Rule, Value

ID = "start-before-end"


def check(cdr: Cdr, _context: Context, _parameters: Mapping[str, Value]) -> Violation | None:
    """The session starts before it ends.

    PROTOCOL, "Plausibility". Moments are compared, not texts: at the end of summer time a session
    may end at an earlier time of day than it started. Reading: a session without any length is
    refused as well.
    """
    if cdr.start < cdr.end:
        return None
    return Violation(
        ID,
        "endDateTime",
        cdr.end.isoformat(),
        f"the session has to end after it starts at {cdr.start.isoformat()}",
    )


RULE = Rule(ID, Severity.REJECT, check)
