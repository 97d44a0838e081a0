"""Rule tariff-price."""

from collections.abc import Mapping
from datetime import UTC, tzinfo
from decimal import Decimal

from ochp_chs.ochp.records.billing import BillingItem
from ochp_chs.ochp.records.cdr import Cdr
from ochp_chs.ochp.records.decimals import EXACT, ZERO, distance, plain, total
from ochp_chs.ochp.violations import Severity, Violation
from ochp_chs.rules.codes import smallest_unit
from ochp_chs.rules.context import Context
from ochp_chs.rules.model import Parameter, Rule, Value
from ochp_chs.rules.rating.rate import Rating, rate
from ochp_chs.rules.tariffs import find_tariff
from ochp_chs.rules.time_zones import find_time_zone

ID = "tariff-price"

PARAMETERS = (
    Parameter(
        "tolerance_units",
        Decimal,
        Decimal(1),
        "smallest units of the currency",
        "how far the costs may be from what the tariff gives, beside half a unit per period",
        maximum=1_000_000,
    ),
)

_HALF = Decimal("0.5")


def check(cdr: Cdr, context: Context, parameters: Mapping[str, Value]) -> Violation | None:
    """The periods cost what the tariff gives that the owner had for that connector at that time.

    PROTOCOL, "Plausibility". Readings: the sum of the costs is compared, each of which may have
    been rounded by half of the smallest unit, within `tolerance_units` more; a CDR in which every
    price is 0 is not rated (specification, "CdrPeriodType") and not compared; times are the charge
    point's where its zone is known, else those of the offset the session started with. What the
    tariff needs and the CDR does not tell (a power, an energy) leaves the price open.
    """
    tariff = find_tariff(cdr, context)
    if tariff is None or not any(period.price for period in cdr.periods):
        return None
    if tariff.currency != cdr.currency:
        return Violation(
            ID,
            "currency",
            cdr.currency,
            f"the tariff that the owner was given is in {tariff.currency}",
        )
    rating = rate(tariff, cdr, _time_zone(cdr, context), context.rated_power(cdr))
    if rating is None:
        return None
    charged = total(period.cost_or_product for period in cdr.periods)
    units = EXACT.add(EXACT.multiply(_HALF, len(cdr.periods)), parameters["tolerance_units"])
    unit = smallest_unit(cdr.currency)
    if distance(charged, rating.total) <= EXACT.multiply(unit, units):
        return None
    return Violation(ID, "chargingPeriods", plain(charged), _text(cdr, rating, unit))


def _time_zone(cdr: Cdr, context: Context) -> tzinfo:
    evse = context.evses.get(cdr.evse_key)
    zone = find_time_zone(evse.time_zone) if evse and evse.time_zone else None
    return zone or cdr.start.tzinfo or UTC


def _text(cdr: Cdr, rating: Rating, unit: Decimal) -> str:
    """The two totals, and the billing items in which they differ by more than rounding."""
    differences = []
    for item in BillingItem:
        charged = total(p.cost_or_product for p in cdr.periods if p.item is item)
        expected = total((rating.cost_of(item), ZERO))
        if distance(charged, expected) > unit:
            differences.append(f"{item} {_money(expected, unit)} and not {_money(charged, unit)}")
    listed = f" ({', '.join(differences)})" if differences else ""
    return (
        f"the tariff that the owner was given makes {_money(rating.total, unit)}"
        f" {cdr.currency}{listed}"
    )


def _money(amount: Decimal, unit: Decimal) -> str:
    return f"{amount.quantize(unit, context=EXACT):f}"


RULE = Rule(ID, Severity.WARN, check, PARAMETERS)
