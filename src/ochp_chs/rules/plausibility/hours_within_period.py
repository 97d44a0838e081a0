"""Rule hours-within-period."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from ochp_chs.ochp.records.billing import TIME_ITEMS, BillingItem
from ochp_chs.ochp.records.cdr import Cdr
from ochp_chs.ochp.records.decimals import EXACT, ZERO, plain
from ochp_chs.ochp.violations import Severity, Violation
from ochp_chs.rules.context import Context
from ochp_chs.rules.lengths import seconds_of
from ochp_chs.rules.model import Found, Parameter, Rule, Value, first_few
from ochp_chs.rules.tariffs import largest_step

ID = "hours-within-period"

PARAMETERS = (
    Parameter(
        "tolerance_s",
        int,
        60,
        "s",
        "how much more may be billed than the period is long, for systems that count minutes",
        maximum=86_400,
    ),
)


def check(cdr: Cdr, context: Context, parameters: Mapping[str, Value]) -> Found:
    """The hours of parking, usage or reservation time are not more than the period is long.

    PROTOCOL, "Plausibility", within `tolerance_s`. Reading: time is billed in the tariff's blocks
    (specification, "PriceComponentType"), so that where the owner's tariff for that connector is
    known, the hours may be more by less than one block.
    """
    return first_few(_exceeding(cdr, context, int(parameters["tolerance_s"])))


def _exceeding(cdr: Cdr, context: Context, tolerance_s: int) -> Iterator[Violation]:
    # Looked up when the first period needs it: most CDRs fit without.
    steps: dict[BillingItem, Decimal] = {}
    for position, period in enumerate(cdr.periods, 1):
        if period.item not in TIME_ITEMS:
            continue
        excess_s = EXACT.subtract(
            EXACT.multiply(period.value, 3600), seconds_of(period) + tolerance_s
        )
        if excess_s <= ZERO:
            continue
        if period.item not in steps:
            steps[period.item] = EXACT.multiply(largest_step(cdr, context, period.item), 3600)
        if excess_s >= steps[period.item]:
            yield Violation(
                ID,
                f"chargingPeriods[{position}]/billingValue",
                period.value_text,
                f"{plain(period.value)} hours of {period.item} do not fit into a period of"
                f" {seconds_of(period)} seconds",
            )


RULE = Rule(ID, Severity.REJECT, check, PARAMETERS)
