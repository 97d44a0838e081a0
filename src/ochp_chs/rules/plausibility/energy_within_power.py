"""Rule energy-within-power."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from ochp_chs.ochp.records.billing import BillingItem
from ochp_chs.ochp.records.cdr import Cdr
from ochp_chs.ochp.records.decimals import EXACT, ZERO, plain
from ochp_chs.ochp.violations import Severity, Violation
from ochp_chs.rules.context import Context
from ochp_chs.rules.lengths import seconds_of
from ochp_chs.rules.model import Found, Parameter, Rule, Value, first_few
from ochp_chs.rules.tariffs import largest_step

ID = "energy-within-power"

PARAMETERS = (
    Parameter(
        "tolerance_percent",
        Decimal,
        Decimal(10),
        "%",
        "how far the energy may exceed what the rated power gives",
        maximum=10_000,
    ),
    Parameter(
        "tolerance_kwh",
        Decimal,
        Decimal(1),
        "kWh",
        "how much energy may be added to that, for rounded readings and short periods",
        maximum=1_000_000,
    ),
)


def check(cdr: Cdr, context: Context, parameters: Mapping[str, Value]) -> Found:
    """The energy of a period is not more than the rated power gives in its time.

    PROTOCOL, "Plausibility", within the tolerances. Readings: the rated power is the larger one of
    the CDR's own ratings and the charge point data; without any above zero nothing is checked.
    Each period is judged alone, because two may bill the same energy twice (a price and a levy).
    Energy billed in the tariff's blocks may be more by less than one block.
    """
    power = context.rated_power(cdr)
    return None if power is None else first_few(_exceeding(cdr, context, power, parameters))


def _exceeding(
    cdr: Cdr, context: Context, power: Decimal, parameters: Mapping[str, Value]
) -> Iterator[Violation]:
    # Looked up when the first period needs it: most CDRs fit without.
    step: Decimal | None = None
    # kWh times 3600 times 100: whole seconds and per cent stay whole, nothing is rounded.
    percent = EXACT.add(Decimal(100), parameters["tolerance_percent"])
    per_second = EXACT.multiply(power, percent)
    always = EXACT.multiply(Decimal(360_000), parameters["tolerance_kwh"])
    for position, period in enumerate(cdr.periods, 1):
        if period.item is not BillingItem.ENERGY:
            continue
        by_power = EXACT.multiply(per_second, max(seconds_of(period), 0))
        allowed = EXACT.add(by_power, always)
        excess = EXACT.subtract(EXACT.multiply(period.value, 360_000), allowed)
        if excess <= ZERO:
            continue
        if step is None:
            step = EXACT.multiply(largest_step(cdr, context, BillingItem.ENERGY), 360_000)
        if excess >= step:
            yield Violation(
                ID,
                f"chargingPeriods[{position}]/billingValue",
                period.value_text,
                f"{plain(power)} kW do not give {plain(period.value)} kWh in"
                f" {seconds_of(period)} seconds",
            )


RULE = Rule(ID, Severity.REJECT, check, PARAMETERS)
