"""Settings: defaults, then what holds for everybody, then what holds for one connection."""

from decimal import Decimal

import pytest

from ochp_chs.ochp.violations import Severity
from ochp_chs.rules.registry import RULES
from ochp_chs.rules.settings import (
    InvalidSetting,
    Override,
    find_rule,
    merge,
    parse_parameter,
    parse_severity,
)


class TestMerging:
    def test_defaults_of_every_rule(self) -> None:
        settings = merge()
        assert set(settings.by_rule) == {rule.id for rule in RULES}
        for rule in RULES:
            setting = settings.by_rule[rule.id]
            assert setting.severity is rule.severity
            assert setting.parameters == {p.name: p.default for p in rule.parameters}

    def test_connection_overrides_everybody_overrides_default(self) -> None:
        everybody = {
            "max-age": Override(Severity.WARN, {"max_age_days": 90}),
            "evse-known": Override(Severity.REJECT),
        }
        connection = {"max-age": Override(parameters={"max_age_days": 30})}
        settings = merge(everybody, connection)
        assert settings.by_rule["max-age"].severity is Severity.WARN
        assert settings.by_rule["max-age"].parameters == {"max_age_days": 30}
        assert settings.by_rule["evse-known"].severity is Severity.REJECT
        assert merge(everybody).by_rule["max-age"].parameters == {"max_age_days": 90}

    def test_one_parameter_of_two(self) -> None:
        settings = merge(
            {"energy-within-power": Override(parameters={"tolerance_kwh": Decimal(5)})}
        )
        assert settings.by_rule["energy-within-power"].parameters == {
            "tolerance_percent": Decimal(10),
            "tolerance_kwh": Decimal(5),
        }

    def test_rules_and_parameters_that_no_longer_exist_are_passed_over(self) -> None:
        layer = {
            "rule-of-old": Override(Severity.OFF),
            "max-age": Override(parameters={"weeks": 4}),
        }
        assert merge(layer) == merge()

    def test_values_outside_their_bounds_are_brought_to_the_bound(self) -> None:
        huge = merge({"max-age": Override(parameters={"max_age_days": 10**30})})
        assert huge.by_rule["max-age"].parameters == {"max_age_days": 36_500}
        negative = merge({"max-age": Override(parameters={"max_age_days": -1})})
        assert negative.by_rule["max-age"].parameters == {"max_age_days": 0}


class TestParsing:
    @pytest.mark.parametrize("severity", ["reject", "warn", "off"])
    def test_severity(self, severity: str) -> None:
        assert parse_severity(severity).value == severity

    def test_unknown_severity_names_those_there_are(self) -> None:
        with pytest.raises(InvalidSetting, match="there are reject, warn, off"):
            parse_severity("error")

    def test_rule(self) -> None:
        assert find_rule("max-age").id == "max-age"

    def test_unknown_rule_names_those_there_are(self) -> None:
        with pytest.raises(InvalidSetting, match="there is no rule 'age'; there are cdr-id-form"):
            find_rule("age")

    def test_whole_number(self) -> None:
        value = parse_parameter("max-age", "max_age_days", "30")
        assert (value, type(value)) == (30, int)

    def test_decimal_number(self) -> None:
        value = parse_parameter("period-cost", "tolerance_units", "0.5")
        assert (value, type(value)) == (Decimal("0.5"), Decimal)

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("1.5", "max_age_days is a whole number of days, not 1.5"),
            ("-1", "max_age_days is 0 to 36500 days, not -1"),
            ("36501", "max_age_days is 0 to 36500 days, not 36501"),
            ("NaN", "max_age_days: 'NaN' is not an amount"),
            ("a week", "max_age_days: 'a week' is not a number"),
        ],
    )
    def test_value_that_does_not_fit(self, text: str, reason: str) -> None:
        with pytest.raises(InvalidSetting, match=reason):
            parse_parameter("max-age", "max_age_days", text)

    def test_unknown_parameter_names_those_there_are(self) -> None:
        with pytest.raises(InvalidSetting, match="no parameter 'days'; it has max_age_days"):
            parse_parameter("max-age", "days", "30")
        with pytest.raises(InvalidSetting, match="no parameter 'days'; it has none"):
            parse_parameter("evse-known", "days", "30")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_defaults_are_of_their_type_and_inside_their_bounds(rule: object) -> None:
    for parameter in find_rule(rule.id).parameters:  # type: ignore[attr-defined]
        assert isinstance(parameter.default, parameter.type)
        assert parameter.minimum <= parameter.default <= parameter.maximum
