"""Rule provider-known."""

from collections.abc import Mapping

from ochp_chs.ochp.records.cdr import Cdr
from ochp_chs.ochp.violations import Reason, Severity, Violation
from ochp_chs.rules.context import Context
from ochp_chs.rules.model import Rule, Value

ID = "provider-known"


def check(cdr: Cdr, context: Context, _parameters: Mapping[str, Value]) -> Violation | None:
    """The provider in the contract ID is one of the clearing house's partners.

    PROTOCOL, "CDRs" and "Plausibility": the owner of a CDR is found by it.
    """
    if cdr.provider in context.providers:
        return None
    return Violation(
        ID,
        "contractId",
        cdr.contract_id,
        f"no partner here is the provider {cdr.provider}, so that the CDR has no owner",
        Reason.IDENTIFIER,
    )


RULE = Rule(ID, Severity.REJECT, check)
