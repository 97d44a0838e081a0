"""Rule max-age."""

from collections.abc import Mapping
from datetime import timedelta

from ochp_chs.ochp.records.cdr import Cdr
from ochp_chs.ochp.violations import Severity, Violation
from ochp_chs.rules.context import Context
from ochp_chs.rules.model import Parameter, Rule, Value

ID = "max-age"

PARAMETERS = (
    Parameter(
        "max_age_days",
        int,
        365,
        "days",
        "how long ago a session may have ended",
        maximum=36_500,
    ),
)


def check(cdr: Cdr, context: Context, parameters: Mapping[str, Value]) -> Violation | None:
    """The session did not end longer ago than the agreed number of days.

    PROTOCOL, "Plausibility"; the number is `max_age_days`. Reading: it holds for revised CDRs too.
    """
    days = int(parameters["max_age_days"])
    if context.now - cdr.end <= timedelta(days=days):
        return None
    return Violation(
        ID,
        "endDateTime",
        cdr.end.isoformat(),
        f"the session ended more than {days} days ago",
    )


RULE = Rule(ID, Severity.REJECT, check, PARAMETERS)
