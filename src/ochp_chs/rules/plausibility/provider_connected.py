"""Rule provider-connected."""

from collections.abc import Mapping

from ochp_chs.ochp.records.cdr import Cdr
from ochp_chs.ochp.violations import Reason, Severity, Violation
from ochp_chs.rules.context import Context
from ochp_chs.rules.model import Rule, Value

ID = "provider-connected"


def check(cdr: Cdr, context: Context, _parameters: Mapping[str, Value]) -> Violation | None:
    """A roaming connection that carries CDRs joins the caller to the contract's provider.

    PROTOCOL, "Plausibility" and "Who is calling". A provider that is not known at all is another
    rule's business.
    """
    if context.providers.get(cdr.provider, True):
        return None
    return Violation(
        ID,
        "contractId",
        cdr.contract_id,
        f"you have no roaming connection to the provider {cdr.provider} that carries CDRs",
        Reason.CONNECTION,
    )


RULE = Rule(ID, Severity.REJECT, check)
