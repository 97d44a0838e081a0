"""What a plausibility rule is: an id, a default severity, parameters, and one pure function."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice

from ochp_chs.ochp.records.cdr import Cdr
from ochp_chs.ochp.violations import Severity, Violation
from ochp_chs.rules.context import Context

#: A parameter's value: whole where its `type` is int.
Value = int | Decimal

#: One rule names so many places in one CDR and no more, however many periods it has.
VIOLATIONS_PER_RULE_MAX = 10

Found = Violation | tuple[Violation, ...] | None
Check = Callable[[Cdr, Context, Mapping[str, Value]], Found]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that a rule can be tuned by: its bounds are part of its promise never to raise."""

    name: str
    type: type[int] | type[Decimal]
    default: Value
    unit: str
    description: str
    maximum: Value
    minimum: Value = 0


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `check` returns what is wrong with the record; it never raises, queries or logs."""

    id: str
    severity: Severity
    check: Check
    parameters: tuple[Parameter, ...] = ()


def first_few(violations: Iterable[Violation]) -> tuple[Violation, ...] | None:
    """The first violations of an iterable that may have one per period; None if there are none."""
    return tuple(islice(violations, VIOLATIONS_PER_RULE_MAX)) or None
