"""Rule not-in-future."""

from collections.abc import Mapping
from datetime import timedelta

from ochp_chs.ochp.records.cdr import Cdr
from ochp_chs.ochp.violations import Severity, Violation
from ochp_chs.rules.context import Context
from ochp_chs.rules.model import Parameter, Rule, Value

ID = "not-in-future"

PARAMETERS = (
    Parameter(
        "clock_tolerance_s",
        int,
        120,
        "s",
        "how far the sender's clock may be ahead of the server's",
        maximum=86_400,
    ),
)


def check(cdr: Cdr, context: Context, parameters: Mapping[str, Value]) -> Violation | None:
    """Neither start nor end of the session lies in the future.

    PROTOCOL, "Plausibility", by the server's clock; that of the sender may be ahead of it by
    `clock_tolerance_s`.
    """
    tolerance = timedelta(seconds=int(parameters["clock_tolerance_s"]))
    for field, moment in (("startDateTime", cdr.start), ("endDateTime", cdr.end)):
        # now + tolerance could leave the calendar; the difference of two moments never does.
        if moment - context.now > tolerance:
            return Violation(
                ID,
                field,
                moment.isoformat(),
                f"this is in the future, the time is {context.now.isoformat(timespec='seconds')}",
            )
    return None


RULE = Rule(ID, Severity.REJECT, check, PARAMETERS)
