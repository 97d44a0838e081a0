"""Rule token-listed."""

from collections.abc import Mapping

from ochp_chs.ochp.records.cdr import Cdr
from ochp_chs.ochp.violations import Reason, Severity, Violation
from ochp_chs.rules.context import Context
from ochp_chs.rules.model import Rule, Value

ID = "token-listed"


def check(cdr: Cdr, context: Context, _parameters: Mapping[str, Value]) -> Violation | None:
    """The token is in the owner's list for that contract.

    PROTOCOL, "Plausibility"; a warning, because a provider may authorise without a list. Readings:
    a token of type `remote` is in no list (specification, "tokenType") and is not looked for; an
    unknown provider has no list, which another rule says.
    """
    if cdr.token.token_type == "remote" or cdr.provider not in context.providers:
        return None
    if (cdr.contract_key, cdr.token) in context.listed_tokens:
        return None
    return Violation(
        ID,
        "emtId/instance",
        cdr.token.instance,
        f"the provider {cdr.provider} does not list this token for the contract {cdr.contract_id}",
        Reason.IDENTIFIER,
    )


RULE = Rule(ID, Severity.WARN, check)
