"""Rule period-cost."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from ochp_chs.ochp.records.cdr import Cdr
from ochp_chs.ochp.records.decimals import EXACT, distance, plain, product
from ochp_chs.ochp.violations import Severity, Violation
from ochp_chs.rules.codes import smallest_unit
from ochp_chs.rules.context import Context
from ochp_chs.rules.model import Found, Parameter, Rule, Value, first_few

ID = "period-cost"

PARAMETERS = (
    Parameter(
        "tolerance_units",
        Decimal,
        Decimal(1),
        "smallest units of the currency",
        "how far a cost may be from value times price, for costs that were rounded",
        maximum=1_000_000,
    ),
)


def check(cdr: Cdr, _context: Context, parameters: Mapping[str, Value]) -> Found:
    """The cost of a period, where it is sent, is its value times its price.

    PROTOCOL, "Plausibility"; specification, "CdrPeriodType". Within `tolerance_units` of the
    currency's smallest unit (a cent, a yen, a fils), exactly counted.
    """
    tolerance = EXACT.multiply(smallest_unit(cdr.currency), parameters["tolerance_units"])
    return first_few(_deviating(cdr, tolerance))


def _deviating(cdr: Cdr, tolerance: Decimal) -> Iterator[Violation]:
    for position, period in enumerate(cdr.periods, 1):
        if period.cost is None:
            continue
        expected = product(period.value, period.price)
        if distance(period.cost, expected) > tolerance:
            yield Violation(
                ID,
                f"chargingPeriods[{position}]/periodCost",
                period.cost_text or "",
                f"{plain(period.value)} times {plain(period.price)} is {plain(expected)}",
            )


RULE = Rule(ID, Severity.REJECT, check, PARAMETERS)
