"""Rule contract-check-character."""

from collections.abc import Mapping

from ochp_chs.ochp.identifiers import CONTRACT_CHECK_RULE, check_contract_id
from ochp_chs.ochp.records.cdr import Cdr
from ochp_chs.ochp.violations import Severity, Violation
from ochp_chs.rules.context import Context
from ochp_chs.rules.model import Rule, Value

ID = CONTRACT_CHECK_RULE


def check(cdr: Cdr, _context: Context, _parameters: Mapping[str, Value]) -> Violation | None:
    """The check character of the contract ID, where there is one, is right.

    PROTOCOL, "Identifiers": ISO 15118-2 Annex H, a warning because the specification's own
    examples are wrong. Without a check character there is nothing to check.
    """
    return check_contract_id(cdr.contract_id)


RULE = Rule(ID, Severity.WARN, check)
