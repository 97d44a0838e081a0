"""Rule contract-id-form."""

from collections.abc import Mapping

from ochp_chs.ochp.identifiers import is_contract_id
from ochp_chs.ochp.records.cdr import Cdr
from ochp_chs.ochp.violations import Severity, Violation
from ochp_chs.rules.context import Context
from ochp_chs.rules.model import Rule, Value

ID = "contract-id-form"


def check(cdr: Cdr, _context: Context, _parameters: Mapping[str, Value]) -> Violation | None:
    """The contract ID is country, provider, nine characters and perhaps a check character.

    PROTOCOL, "Identifiers" and "Plausibility"; specification, "ContractId". The XSD says the same,
    so that it is a record in another dialect, or one made by hand, that this rule is there for.
    """
    if is_contract_id(cdr.contract_id):
        return None
    return Violation(
        ID,
        "contractId",
        cdr.contract_id,
        "a contract ID is written like DE-ABC-C00000001 or DE-ABC-C00000001-1, or without any -",
    )


RULE = Rule(ID, Severity.REJECT, check)
