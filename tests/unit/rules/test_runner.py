"""The runner: every finding of every rule, by severity, in the order of the rules."""

from decimal import Decimal

from ochp_chs.ochp.records.codec import Judgement
from ochp_chs.ochp.violations import Severity
from ochp_chs.rules.registry import RULES, RULES_BY_ID
from ochp_chs.rules.runner import judge
from ochp_chs.rules.settings import Override, merge
from tests.support.cdrs import make_cdr, make_context, period_xml


def ids(judgement: Judgement) -> tuple[list[str], list[str]]:
    return [v.rule for v in judgement.refusals], [v.rule for v in judgement.warnings]


def test_nothing_is_wrong_with_the_valid_cdr() -> None:
    assert judge(make_cdr(), make_context(), merge()) == Judgement((), ())


def test_all_reasons_are_told_and_not_the_first_alone() -> None:
    cdr = make_cdr(
        cdr_id="DEXYZ1",
        evse_id="DE*XYZ*E1",
        contract_id="NL-EM2-C00000001",
        instance="not hexadecimal",
        country="GER",
        currency="EURO",
        periods=[period_xml("serviceFee", "-2", "1")],
        total_cost="0",
    )
    assert ids(judge(cdr, make_context(), merge())) == (
        [
            "cdr-id-operator",
            "evse-operator",
            "provider-known",
            "token-form",
            "no-negative-amount",
            "one-time-value",
            "total-cost",
            "currency-code",
            "country-code",
        ],
        ["evse-known"],
    )


def test_severity_decides_where_a_finding_goes() -> None:
    cdr = make_cdr(evse_id="DE*CPO*E9", country="GER")
    changed = merge(
        {"evse-known": Override(Severity.REJECT), "country-code": Override(Severity.WARN)}
    )
    assert ids(judge(cdr, make_context(), changed)) == (["evse-known"], ["country-code"])


def test_rule_that_is_off_says_nothing() -> None:
    everything_off = merge({rule.id: Override(Severity.OFF) for rule in RULES})
    cdr = make_cdr(cdr_id="X", country="GER", currency="")
    assert judge(cdr, make_context(), everything_off) == Judgement((), ())


def test_parameters_reach_their_rule() -> None:
    cdr = make_cdr(total_cost="3.05")
    lenient = merge({"total-cost": Override(parameters={"tolerance_units": Decimal(5)})})
    assert ids(judge(cdr, make_context(), merge())) == (["total-cost"], [])
    assert ids(judge(cdr, make_context(), lenient)) == ([], [])


def test_rules_have_one_id_each() -> None:
    assert len(RULES_BY_ID) == len(RULES)
