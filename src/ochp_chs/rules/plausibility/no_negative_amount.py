"""Rule no-negative-amount."""

from collections.abc import Iterator, Mapping

from ochp_chs.ochp.records.cdr import Cdr
from ochp_chs.ochp.records.decimals import ZERO
from ochp_chs.ochp.violations import Severity, Violation
from ochp_chs.rules.context import Context
from ochp_chs.rules.model import Found, Rule, Value, first_few

ID = "no-negative-amount"


def check(cdr: Cdr, _context: Context, _parameters: Mapping[str, Value]) -> Found:
    """No value, price or cost is below zero.

    PROTOCOL, "Plausibility". Zero is fine: specification, "CdrPeriodType", has it for sessions
    that are not charged for. A negative zero is a zero.
    """
    return first_few(_negative(cdr))


def _negative(cdr: Cdr) -> Iterator[Violation]:
    for position, period in enumerate(cdr.periods, 1):
        field = f"chargingPeriods[{position}]"
        if period.value < ZERO:
            yield _violation(f"{field}/billingValue", period.value_text)
        if period.price < ZERO:
            yield _violation(f"{field}/itemPrice", period.price_text)
        if period.cost is not None and period.cost < ZERO:
            yield _violation(f"{field}/periodCost", period.cost_text or "")
    if cdr.total_cost is not None and cdr.total_cost < ZERO:
        yield _violation("totalCost", cdr.total_cost_text or "")


def _violation(field: str, text: str) -> Violation:
    return Violation(ID, field, text, "this must not be below zero")


RULE = Rule(ID, Severity.REJECT, check)
