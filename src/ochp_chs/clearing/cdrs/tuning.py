"""How strict the plausibility rules are set: looked at, set and reset by the operator."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ochp_chs.clearing.cdrs.settings import overrides
from ochp_chs.clearing.errors import ConnectionUnknown, DomainError, PartnerUnknown
from ochp_chs.ochp.violations import Severity
from ochp_chs.repository import rule_overrides
from ochp_chs.repository.constraints import ConstraintBroken
from ochp_chs.repository.engine import Connection, Database
from ochp_chs.repository.partners import find_partner
from ochp_chs.repository.rule_overrides import StoredOverride
from ochp_chs.rules.model import Rule, Value
from ochp_chs.rules.registry import RULES
from ochp_chs.rules.settings import (
    InvalidSetting,
    RuleSetting,
    find_rule,
    merge,
    parse_parameter,
    parse_severity,
)

#: Two partners' names, in any order.
Pair = tuple[str, str]


class RuleSettingInvalid(DomainError):
    """There is no such rule, parameter or value; the text says what there is."""


@dataclass(frozen=True, slots=True)
class TunedParameter:
    """A number that a rule is tuned by: the value that holds, and its default."""

    name: str
    value: Value
    default: Value
    unit: str
    description: str


@dataclass(frozen=True, slots=True)
class TunedRule:
    """What holds for one rule, and what it would be by default."""

    rule: str
    severity: Severity
    default_severity: Severity
    parameters: tuple[TunedParameter, ...]
    #: Where it differs from the default, who said so: `everybody`, `connection`, or both.
    set_for: tuple[str, ...]


def list_rules(database: Database, pair: Pair | None = None) -> tuple[TunedRule, ...]:
    """All rules as they hold for everybody, or on one connection; PartnerUnknown."""
    with database.begin() as connection:
        scope = _scope(connection, pair)
        stored = rule_overrides.list_overrides(connection)
    everybody = overrides(_in_scope(stored, None))
    layers = {"everybody": everybody}
    if scope is not None:
        layers["connection"] = overrides(_in_scope(stored, scope))
    settings = merge(*layers.values()).by_rule
    return tuple(
        _tuned(rule, settings[rule.id], tuple(n for n, set_ in layers.items() if rule.id in set_))
        for rule in RULES
    )


def set_rule(
    database: Database,
    rule: str,
    severity: str | None,
    parameters: Mapping[str, str],
    pair: Pair | None = None,
) -> TunedRule:
    """Set a rule for everybody or on one connection; what is not named stays as it is.

    PartnerUnknown, ConnectionUnknown, RuleSettingInvalid.
    """
    try:
        find_rule(rule)
        if severity is not None:
            parse_severity(severity)
        for name, text in parameters.items():
            parse_parameter(rule, name, text)
    except InvalidSetting as error:
        raise RuleSettingInvalid(f"{error}.") from error
    try:
        with database.begin() as connection:
            scope = _scope(connection, pair)
            rule_overrides.upsert_override(connection, scope, rule, severity, parameters)
    except ConstraintBroken as broken:
        if pair is None or broken.constraint != "fk_rule_override_roaming_connection":
            raise
        raise ConnectionUnknown(*pair) from broken
    return next(each for each in list_rules(database, pair) if each.rule == rule)


def reset_rules(database: Database, rule: str | None = None, pair: Pair | None = None) -> int:
    """Forget what was set for everybody or on one connection, of one rule or of all.

    Returns how many rules that were; PartnerUnknown. A rule that no longer exists can be reset.
    """
    with database.begin() as connection:
        scope = _scope(connection, pair)
        removed = rule_overrides.delete_override(connection, scope, rule)
    if rule is not None and not removed:
        try:
            find_rule(rule)
        except InvalidSetting as error:
            raise RuleSettingInvalid(f"{error}.") from error
    return removed


def _tuned(rule: Rule, setting: RuleSetting, set_for: tuple[str, ...]) -> TunedRule:
    parameters = tuple(
        TunedParameter(p.name, setting.parameters[p.name], p.default, p.unit, p.description)
        for p in rule.parameters
    )
    return TunedRule(rule.id, setting.severity, rule.severity, parameters, set_for)


def _in_scope(
    stored: Sequence[StoredOverride], scope: tuple[int, int] | None
) -> Sequence[StoredOverride]:
    wanted = (None, None) if scope is None else tuple(sorted(scope))
    return [each for each in stored if (each.low_partner_id, each.high_partner_id) == wanted]


def _scope(connection: Connection, pair: Pair | None) -> tuple[int, int] | None:
    if pair is None:
        return None
    first, second = (_partner_id(connection, name) for name in pair)
    return first, second


def _partner_id(connection: Connection, name: str) -> int:
    found = find_partner(connection, name)
    if found is None:
        raise PartnerUnknown(name)
    return found.id
