"""Rule cdr-id-operator."""

from collections.abc import Mapping

from ochp_chs.ochp.identifiers import PARTY_LENGTH, cdr_id_names_operator
from ochp_chs.ochp.records.cdr import Cdr
from ochp_chs.ochp.violations import Reason, Severity, Violation
from ochp_chs.rules.context import Context
from ochp_chs.rules.model import Rule, Value

ID = "cdr-id-operator"


def check(cdr: Cdr, context: Context, _parameters: Mapping[str, Value]) -> Violation | None:
    """The CDR-ID begins with the five characters of one of the caller's operator IDs.

    PROTOCOL, "Identifiers" and "Plausibility"; specification, "CdrId". Readings: any operator ID
    of the caller will do, because a CPO with several may number its records under one; something
    has to follow the five characters. Systems older than OCHP 1.4 leave the operator out: set the
    rule to `warn` or `off` for their connections.
    """
    # Most records name one of them at once; the helper says the same with the length.
    if cdr.cdr_id[:PARTY_LENGTH] in context.operator_ids and cdr_id_names_operator(
        cdr.cdr_id, cdr.cdr_id[:PARTY_LENGTH]
    ):
        return None
    operators = ", ".join(sorted(context.operator_ids)) or "none"
    return Violation(
        ID,
        "CdrId",
        cdr.cdr_id,
        f"the CDR-ID has to begin with an operator ID of yours ({operators}) and go on behind it",
        Reason.IDENTIFIER,
    )


RULE = Rule(ID, Severity.REJECT, check)
