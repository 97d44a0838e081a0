"""Rule one-time-value."""

from collections.abc import Iterator, Mapping

from ochp_chs.ochp.records.billing import ONE_TIME_ITEMS
from ochp_chs.ochp.records.cdr import Cdr
from ochp_chs.ochp.violations import Severity, Violation
from ochp_chs.rules.context import Context
from ochp_chs.rules.model import Found, Rule, Value, first_few

ID = "one-time-value"


def check(cdr: Cdr, _context: Context, _parameters: Mapping[str, Value]) -> Found:
    """The value of a serviceFee and of a reservation is 1.

    PROTOCOL, "Plausibility"; specification, "BillingItemType". However it is written: 1, 1.0, 1E0.
    """
    return first_few(_others(cdr))


def _others(cdr: Cdr) -> Iterator[Violation]:
    for position, period in enumerate(cdr.periods, 1):
        if period.item in ONE_TIME_ITEMS and period.value != 1:
            yield Violation(
                ID,
                f"chargingPeriods[{position}]/billingValue",
                period.value_text,
                f"the value of a {period.item} is 1",
            )


RULE = Rule(ID, Severity.REJECT, check)
