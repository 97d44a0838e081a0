"""What a CDR's periods tell about the course of its session: energy used and power drawn.

Time is counted in seconds since the session's start, as decimals, because energy reaches a limit
between two seconds. Readings: the energy of a period is used evenly over it; two energy periods
over the very same time bill the same energy twice (a price and a levy), the larger one counts.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Context, Decimal
from itertools import pairwise

from ochp_chs.ochp.records.billing import BillingItem
from ochp_chs.ochp.records.cdr import Cdr
from ochp_chs.ochp.records.decimals import ZERO
from ochp_chs.rules.lengths import seconds_between

#: Shares of a period do not end; sixty digits are far more than any step or cent can see.
ROUNDED = Context(prec=60)


class Undecidable(Exception):
    """The tariff depends on something that the CDR does not tell."""


@dataclass(frozen=True, slots=True)
class Span:
    """An amount, kWh or kW, between two seconds of the session."""

    start_s: int
    end_s: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Profile:
    """Energy and power over the session.

    `energy_is_known` is False where a CDR bills no energy, or some that was used in no time.
    """

    energies: tuple[Span, ...]
    powers: tuple[Span, ...]
    energy_is_known: bool
    rated_power: Decimal | None

    def energy_until(self, at_s: Decimal) -> Decimal:
        """The kWh used from the session's start until that second."""
        if not self.energy_is_known:
            raise Undecidable
        used = ZERO
        for span in self.energies:
            if at_s >= span.end_s:
                used = ROUNDED.add(used, span.amount)
            elif at_s > span.start_s:
                passed = ROUNDED.subtract(at_s, Decimal(span.start_s))
                part = ROUNDED.divide(passed, Decimal(span.end_s - span.start_s))
                used = ROUNDED.add(used, ROUNDED.multiply(span.amount, part))
        return used

    def power_at(self, at_s: Decimal) -> Decimal:
        """The charging speed in kW at that second.

        What a period of item power states, else the mean power of the energy periods; none of
        them at that second: nothing is drawn. Only where a CDR tells neither at all does the
        rated power of the charge point stand in for it.
        """
        stated = [s.amount for s in self.powers if s.start_s <= at_s <= s.end_s]
        if stated:
            return max(stated)
        drawn = ZERO
        for span in self.energies:
            if span.start_s <= at_s <= span.end_s:
                mean = ROUNDED.divide(
                    ROUNDED.multiply(span.amount, Decimal(3600)),
                    Decimal(span.end_s - span.start_s),
                )
                drawn = ROUNDED.add(drawn, mean)
        if self.energies or self.powers:
            return drawn
        if self.rated_power is None:
            raise Undecidable
        return self.rated_power

    def edges(self) -> set[int]:
        """The seconds at which energy or power may change its course."""
        return {edge for s in (*self.energies, *self.powers) for edge in (s.start_s, s.end_s)}

    def crossings(self, energy: Decimal) -> Iterator[Decimal]:
        """The seconds at which the energy used reaches an amount between two edges."""
        if not self.energy_is_known:
            return
        edges = sorted({edge for s in self.energies for edge in (s.start_s, s.end_s)})
        for left, right in pairwise(edges):
            before, after = self.energy_until(Decimal(left)), self.energy_until(Decimal(right))
            if before < energy < after:
                part = ROUNDED.divide(
                    ROUNDED.subtract(energy, before), ROUNDED.subtract(after, before)
                )
                yield ROUNDED.add(Decimal(left), ROUNDED.multiply(Decimal(right - left), part))


def profile_of(cdr: Cdr, rated_power: Decimal | None) -> Profile:
    """The profile that the CDR's energy and power periods give."""
    energies = _spans(cdr, BillingItem.ENERGY)
    lasting = tuple(span for span in energies if span.end_s > span.start_s)
    sudden = any(span.amount for span in energies if span.end_s == span.start_s)
    return Profile(
        lasting,
        tuple(_spans(cdr, BillingItem.POWER)),
        bool(energies) and not sudden,
        rated_power,
    )


def _spans(cdr: Cdr, item: BillingItem) -> Iterable[Span]:
    largest: dict[tuple[int, int], Decimal] = {}
    for period in cdr.periods:
        if period.item is item:
            place = (
                seconds_between(cdr.start, period.start),
                seconds_between(cdr.start, period.end),
            )
            largest[place] = max(period.value, largest.get(place, ZERO))
    return [Span(start, end, amount) for (start, end), amount in largest.items()]
