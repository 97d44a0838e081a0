"""Runs every rule on one CDR and collects everything that is wrong with it."""

from ochp_chs.ochp.records.cdr import Cdr
from ochp_chs.ochp.records.codec import Judgement
from ochp_chs.ochp.violations import Violation
from ochp_chs.rules.context import Context
from ochp_chs.rules.settings import RuleSettings


def judge(cdr: Cdr, context: Context, settings: RuleSettings) -> Judgement:
    """Every violation of the rules that are not off, in the order of the rules. Raises nothing.

    What a rule set to `reject` found refuses the CDR, what one set to `warn` found is only said.
    """
    refusals: list[Violation] = []
    warnings: list[Violation] = []
    for check, refuses, parameters in settings.active:
        found = check(cdr, context, parameters)
        if found is None:
            continue
        violations = refusals if refuses else warnings
        if isinstance(found, Violation):
            violations.append(found)
        else:
            violations.extend(found)
    return Judgement(tuple(refusals), tuple(warnings))
