"""Rule total-cost."""

from collections.abc import Mapping
from decimal import Decimal

from ochp_chs.ochp.records.cdr import Cdr
from ochp_chs.ochp.records.decimals import EXACT, distance, plain, total
from ochp_chs.ochp.violations import Severity, Violation
from ochp_chs.rules.codes import smallest_unit
from ochp_chs.rules.context import Context
from ochp_chs.rules.model import Parameter, Rule, Value

ID = "total-cost"

PARAMETERS = (
    Parameter(
        "tolerance_units",
        Decimal,
        Decimal(1),
        "smallest units of the currency",
        "how far the total may be from the sum of the costs",
        maximum=1_000_000,
    ),
)

_HALF = Decimal("0.5")


def check(cdr: Cdr, _context: Context, parameters: Mapping[str, Value]) -> Violation | None:
    """The total cost, where it is sent, is the sum of the periods' costs.

    PROTOCOL, "Plausibility"; specification, "CdrPeriodType". A period without periodCost counts
    with value times price. Reading: the sender may have rounded each of those before adding up,
    so that half of the smallest unit for each comes on top of `tolerance_units`.
    """
    if cdr.total_cost is None:
        return None
    expected = total(period.cost_or_product for period in cdr.periods)
    unseen = sum(period.cost is None for period in cdr.periods)
    units = EXACT.add(EXACT.multiply(_HALF, unseen), parameters["tolerance_units"])
    if distance(cdr.total_cost, expected) <= EXACT.multiply(smallest_unit(cdr.currency), units):
        return None
    return Violation(
        ID,
        "totalCost",
        cdr.total_cost_text or "",
        f"the costs of the periods add up to {plain(expected)}",
    )


RULE = Rule(ID, Severity.REJECT, check, PARAMETERS)
