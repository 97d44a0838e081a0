"""What a tariff makes of a session (specification, "Types for Tariff Data Exchange").

The specification gives prices, steps and limits, and leaves open how they work together. Readings
taken here, each in favour of one plain answer:

- Of the elements for one billing item the first one whose restriction holds counts, at every
  moment; where none holds, the item costs nothing then.
- A limit holds from its minimum, included, to its maximum, excluded: at exactly 11 kW the element
  with minPower 11 counts and not the one with maxPower 11. startDateTime and endDateTime likewise.
- Energy and duration limits count from the start of the session; power is what is drawn at that
  moment.
- What was used of one element over the whole session is added up and then rounded up to whole
  steps, once. Step 0: as consumed.
- Of a time period as much was used as it is long, or as it bills where that is less; energy is
  used evenly over its period.
- The service fee is due once for every session, at its start; a reservation at the start of its
  period. Each period of item power is billed by itself, at its start.
- What the CDR does not bill, other than the service fee, is not known and not charged.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import ROUND_CEILING, Decimal
from math import floor

from ochp_chs.ochp.records.billing import TIME_ITEMS, BillingItem
from ochp_chs.ochp.records.cdr import Cdr, Period
from ochp_chs.ochp.records.decimals import ZERO
from ochp_chs.ochp.records.tariff import IndividualTariff, Restriction, TariffElement
from ochp_chs.rules.lengths import seconds_between, seconds_of
from ochp_chs.rules.rating.profile import ROUNDED, Profile, Undecidable, profile_of
from ochp_chs.rules.rating.windows import LocalClock, edge_minutes

#: Longer sessions are not rated: each day has its own windows.
SESSION_DAYS_MAX = 31
#: Pieces of the timeline times what is looked at for each; a bound on the time one CDR can take.
WORK_MAX = 20_000

# Three times two minutes are a tenth of an hour and must not begin a second tenth, because a
# thirtieth of an hour was rounded up at its sixtieth digit.
_STEP_PRECISION = Decimal("1E-9")

_ONE = Decimal(1)
_NO_RESTRICTION = Restriction()

_CALENDAR_START = datetime(2, 1, 1, tzinfo=UTC)
_CALENDAR_END = datetime(9998, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Line:
    """One element's part of the bill: its place in the tariff, amounts in its unit, and cost."""

    element: int
    item: BillingItem
    used: Decimal
    billed: Decimal
    price: Decimal
    cost: Decimal


@dataclass(frozen=True, slots=True)
class Rating:
    """What a session should cost, in the tariff's currency, not rounded."""

    lines: tuple[Line, ...]

    @property
    def total(self) -> Decimal:
        """The sum of the lines."""
        return _sum(line.cost for line in self.lines)

    def cost_of(self, item: BillingItem) -> Decimal:
        """The sum of the lines of one billing item."""
        return _sum(line.cost for line in self.lines if line.item is item)


def rate(
    tariff: IndividualTariff, cdr: Cdr, zone: tzinfo, rated_power: Decimal | None = None
) -> Rating | None:
    """What the session should cost; None where that cannot be told. Raises nothing.

    It cannot be told where an element depends on a power or energy that the CDR does not tell,
    where times or values are impossible, or where the session is too long or too finely divided.
    `zone` is the charge point's, `rated_power` its kW.
    """
    if not _is_ratable(cdr):
        return None
    if all(element.restriction == _NO_RESTRICTION for element in tariff.elements):
        return Rating(tuple(_lines(tariff, cdr, _Whole())))
    profile = profile_of(cdr, rated_power)
    extent = _extent(cdr)
    minutes = edge_minutes(w for e in tariff.elements for w in e.restriction.hours)
    if _work(tariff, cdr, profile, extent, minutes) > WORK_MAX:
        return None
    clock = LocalClock(zone, cdr.start, *extent)
    timeline = _Timeline(tariff, cdr, clock, profile, minutes)
    try:
        return Rating(tuple(_lines(tariff, cdr, timeline)))
    except Undecidable:
        return None


def _is_ratable(cdr: Cdr) -> bool:
    if not cdr.periods or not _CALENDAR_START < cdr.start < _CALENDAR_END:
        return False
    longest = timedelta(days=SESSION_DAYS_MAX)
    return all(
        period.start <= period.end
        and abs(period.start - cdr.start) <= longest
        and abs(period.end - cdr.start) <= longest
        and period.value >= ZERO
        for period in cdr.periods
    )


def _extent(cdr: Cdr) -> tuple[int, int]:
    """The first and the last second of the periods and of the session's start."""
    first = min(seconds_between(cdr.start, period.start) for period in cdr.periods)
    last = max(seconds_between(cdr.start, period.end) for period in cdr.periods)
    return min(first, 0), max(last, 0)


def _work(
    tariff: IndividualTariff,
    cdr: Cdr,
    profile: Profile,
    extent: tuple[int, int],
    minutes: frozenset[int],
) -> int:
    """A bound on the looks it takes to rate the session: pieces times what each is judged by."""
    spans = len(profile.energies) + len(profile.powers)
    days = (extent[1] - extent[0]) // 86_400 + 3
    cuts = days * len(minutes) + 2 * spans + len(tariff.elements) * (4 + 4 * spans)
    return len(cdr.periods) * cuts * (len(tariff.elements) + spans)


class _Timeline:
    """The session's seconds, cut so that between two cuts the same elements apply throughout."""

    __slots__ = ("_cdr", "_clock", "_cuts", "_profile")

    def __init__(
        self,
        tariff: IndividualTariff,
        cdr: Cdr,
        clock: LocalClock,
        profile: Profile,
        minutes: frozenset[int],
    ) -> None:
        self._cdr, self._clock, self._profile = cdr, clock, profile
        found: set[Decimal] = {Decimal(second) for second in profile.edges()}
        found.update(Decimal(second) for second in clock.cuts(minutes))
        for element in tariff.elements:
            found.update(self._limits(element.restriction))
        self._cuts = sorted(found)

    def _limits(self, restriction: Restriction) -> Iterator[Decimal]:
        for moment in (restriction.start, restriction.end):
            if moment is not None:
                yield Decimal(seconds_between(self._cdr.start, moment))
        for seconds in (restriction.min_duration_s, restriction.max_duration_s):
            if seconds is not None:
                yield Decimal(seconds)
        for energy in (restriction.min_energy, restriction.max_energy):
            if energy is not None:
                yield from self._profile.crossings(energy)

    def pieces(self, period: Period) -> Iterator[tuple[Decimal, Decimal]]:
        """The pieces of a period: a second in the middle of each, and its share of the whole."""
        start = Decimal(seconds_between(self._cdr.start, period.start))
        end = Decimal(seconds_between(self._cdr.start, period.end))
        if start == end:
            yield start, Decimal(1)
            return
        left = start
        for cut in self._cuts[bisect_right(self._cuts, start) :]:
            if cut >= end:
                break
            yield _piece(left, cut, end - start)
            left = cut
        yield _piece(left, end, end - start)

    def start_of(self, period: Period) -> Decimal:
        """The second at which the period starts."""
        return Decimal(seconds_between(self._cdr.start, period.start))

    def find_element(
        self, tariff: IndividualTariff, item: BillingItem, at_s: Decimal
    ) -> int | None:
        """The place of the first element for the item that applies at that second."""
        for place, element in enumerate(tariff.elements):
            if element.item is item and self._applies(element.restriction, at_s):
                return place
        return None

    def _applies(self, restriction: Restriction, at_s: Decimal) -> bool:
        if restriction.hours and not self._clock.is_inside(floor(at_s), restriction.hours):
            return False
        if restriction.start is not None or restriction.end is not None:
            # To the millionth of a second, as finely as Python tells the time.
            moment = self._cdr.start + timedelta(seconds=float(at_s))
            if not _is_between(moment, restriction.start, restriction.end):
                return False
        if not _is_between(at_s, restriction.min_duration_s, restriction.max_duration_s):
            return False
        # Energy and power come last: they cost most, and may not be known where nobody asks.
        limits = (restriction.min_energy, restriction.max_energy)
        if limits != (None, None) and not _is_between(self._profile.energy_until(at_s), *limits):
            return False
        limits = (restriction.min_power, restriction.max_power)
        return limits == (None, None) or _is_between(self._profile.power_at(at_s), *limits)


class _Whole:
    """A session under a tariff without restrictions: most are, and nothing has to be cut."""

    __slots__ = ()

    def pieces(self, _period: Period) -> Iterator[tuple[Decimal, Decimal]]:
        """The period as one piece."""
        yield ZERO, _ONE

    def start_of(self, _period: Period) -> Decimal:
        """Any second is as good as another."""
        return ZERO

    def find_element(
        self, tariff: IndividualTariff, item: BillingItem, _at_s: Decimal
    ) -> int | None:
        """The place of the first element for the item."""
        for place, element in enumerate(tariff.elements):
            if element.item is item:
                return place
        return None


def _is_between(value: object, minimum: object, maximum: object) -> bool:
    """From the minimum, included, to the maximum, excluded; None is no limit."""
    return (minimum is None or value >= minimum) and (  # type: ignore[operator]
        maximum is None or value < maximum  # type: ignore[operator]
    )


def _piece(left: Decimal, right: Decimal, length: Decimal) -> tuple[Decimal, Decimal]:
    middle = ROUNDED.divide(ROUNDED.add(left, right), Decimal(2))
    return middle, ROUNDED.divide(ROUNDED.subtract(right, left), length)


def _lines(tariff: IndividualTariff, cdr: Cdr, timeline: _Timeline | _Whole) -> Iterator[Line]:
    used: dict[int, Decimal] = {}
    place = timeline.find_element(tariff, BillingItem.SERVICE_FEE, ZERO)
    if place is not None:
        yield _line(place, tariff.elements[place], Decimal(1))
    for period in cdr.periods:
        if period.item is BillingItem.ENERGY or period.item in TIME_ITEMS:
            amount = _amount(period)
            for middle, share in timeline.pieces(period):
                place = timeline.find_element(tariff, period.item, middle)
                if place is not None:
                    part = ROUNDED.multiply(amount, share)
                    used[place] = ROUNDED.add(used.get(place, ZERO), part)
        elif period.item is not BillingItem.SERVICE_FEE:
            place = timeline.find_element(tariff, period.item, timeline.start_of(period))
            if place is not None:
                is_fee = period.item is BillingItem.RESERVATION
                amount = Decimal(1) if is_fee else period.value
                yield _line(place, tariff.elements[place], amount)
    for place, amount in sorted(used.items()):
        yield _line(place, tariff.elements[place], amount)


def _amount(period: Period) -> Decimal:
    """The kWh or hours used in a period."""
    if period.item is BillingItem.ENERGY:
        return period.value
    return min(period.value, ROUNDED.divide(Decimal(seconds_of(period)), Decimal(3600)))


def _line(place: int, element: TariffElement, used: Decimal) -> Line:
    billed = _in_steps(used, element.step)
    cost = ROUNDED.multiply(billed, element.price)
    return Line(place, element.item, used, billed, element.price, cost)


def _in_steps(used: Decimal, step: Decimal) -> Decimal:
    if step <= ZERO:
        return used
    amount = used.quantize(_STEP_PRECISION, context=ROUNDED)
    steps = ROUNDED.divide(amount, step).to_integral_value(ROUND_CEILING)
    return ROUNDED.multiply(steps, step)


def _sum(costs: Iterator[Decimal]) -> Decimal:
    result = ZERO
    for cost in costs:
        result = ROUNDED.add(result, cost)
    return result
