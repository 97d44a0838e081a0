"""Rule period-inside-session."""

from collections.abc import Iterator, Mapping

from ochp_chs.ochp.records.cdr import Cdr
from ochp_chs.ochp.violations import Severity, Violation
from ochp_chs.rules.context import Context
from ochp_chs.rules.model import Found, Rule, Value, first_few

ID = "period-inside-session"


def check(cdr: Cdr, _context: Context, _parameters: Mapping[str, Value]) -> Found:
    """Every period lies inside the session, and does not end before it starts.

    PROTOCOL, "Plausibility"; specification, "CdrPeriodType", which excepts no billing item: a
    reservation that was made before the session is billed within it. Periods may overlap each
    other and may have no length.
    """
    return first_few(_outside(cdr))


def _outside(cdr: Cdr) -> Iterator[Violation]:
    for position, period in enumerate(cdr.periods, 1):
        field = f"chargingPeriods[{position}]"
        if period.start < cdr.start:
            yield Violation(
                ID,
                f"{field}/startDateTime",
                period.start.isoformat(),
                f"the period starts before the session does at {cdr.start.isoformat()}",
            )
        if period.end > cdr.end:
            yield Violation(
                ID,
                f"{field}/endDateTime",
                period.end.isoformat(),
                f"the period ends after the session does at {cdr.end.isoformat()}",
            )
        if period.end < period.start:
            yield Violation(
                ID,
                f"{field}/endDateTime",
                period.end.isoformat(),
                f"the period ends before it starts at {period.start.isoformat()}",
            )


RULE = Rule(ID, Severity.REJECT, check)
