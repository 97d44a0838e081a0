"""How strict each rule is: its default, changed for everybody, changed for one connection."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType

from ochp_chs.ochp.records.decimals import InvalidNumber, parse_decimal
from ochp_chs.ochp.violations import Severity
from ochp_chs.rules.model import Check, Parameter, Rule, Value
from ochp_chs.rules.registry import RULES, RULES_BY_ID


class InvalidSetting(ValueError):
    """A rule, parameter or value that does not exist; the message is for a person."""


@dataclass(frozen=True, slots=True)
class Override:
    """What is set differently for one rule; None and absent parameters: as before."""

    severity: Severity | None = None
    parameters: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RuleSetting:
    """What holds for one rule."""

    severity: Severity
    parameters: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class RuleSettings:
    """What holds for every rule of the registry, by rule id."""

    by_rule: Mapping[str, RuleSetting]
    #: The rules that are not off, in their order: check, whether it refuses, parameters.
    active: tuple[tuple[Check, bool, Mapping[str, Value]], ...] = field(init=False)

    def __post_init__(self) -> None:
        settings = [(rule.check, self.by_rule[rule.id]) for rule in RULES]
        active = tuple(
            (check, setting.severity is Severity.REJECT, setting.parameters)
            for check, setting in settings
            if setting.severity is not Severity.OFF
        )
        object.__setattr__(self, "active", active)


def merge(*layers: Mapping[str, Override]) -> RuleSettings:
    """The defaults, changed by each layer in turn: first the global one, then the connection's.

    A layer may name rules and parameters that no longer exist, and values that have since been
    bounded: the former are passed over, the latter brought to the bound, because an upload must
    not fail over an old setting.
    """
    return RuleSettings(MappingProxyType({rule.id: _merged(rule, layers) for rule in RULES}))


def _merged(rule: Rule, layers: tuple[Mapping[str, Override], ...]) -> RuleSetting:
    severity = rule.severity
    values: dict[str, Value] = {p.name: p.default for p in rule.parameters}
    for layer in layers:
        override = layer.get(rule.id)
        if override is None:
            continue
        severity = override.severity or severity
        for parameter in rule.parameters:
            if parameter.name in override.parameters:
                value = override.parameters[parameter.name]
                values[parameter.name] = min(max(value, parameter.minimum), parameter.maximum)
    return RuleSetting(severity, MappingProxyType(values))


def parse_severity(text: str) -> Severity:
    """The severity of that name; raises `InvalidSetting`."""
    try:
        return Severity(text)
    except ValueError:
        names = ", ".join(Severity)
        raise InvalidSetting(f"{text!r} is not a severity; there are {names}") from None


def find_rule(rule_id: str) -> Rule:
    """The rule of that id; raises `InvalidSetting` with the ids there are."""
    try:
        return RULES_BY_ID[rule_id]
    except KeyError:
        known = ", ".join(RULES_BY_ID)
        raise InvalidSetting(f"there is no rule {rule_id!r}; there are {known}") from None


def parse_parameter(rule_id: str, name: str, text: str) -> Value:
    """The value of a rule's parameter, given as text; raises `InvalidSetting`."""
    rule = find_rule(rule_id)
    for parameter in rule.parameters:
        if parameter.name == name:
            return _parse_value(parameter, text)
    known = ", ".join(p.name for p in rule.parameters) or "none"
    raise InvalidSetting(f"rule {rule_id} has no parameter {name!r}; it has {known}")


def _parse_value(parameter: Parameter, text: str) -> Value:
    try:
        value = parse_decimal(text)
    except InvalidNumber as error:
        raise InvalidSetting(f"{parameter.name}: {error}") from None
    if not parameter.minimum <= value <= parameter.maximum:
        raise InvalidSetting(
            f"{parameter.name} is {parameter.minimum} to {parameter.maximum} {parameter.unit},"
            f" not {text}"
        )
    if parameter.type is Decimal:
        return value
    if value != value.to_integral_value():
        raise InvalidSetting(f"{parameter.name} is a whole number of {parameter.unit}, not {text}")
    return int(value)
