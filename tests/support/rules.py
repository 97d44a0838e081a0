"""One rule alone, with its default parameters or others."""

from collections.abc import Mapping

from ochp_chs.ochp.records.cdr import Cdr
from ochp_chs.ochp.violations import Violation
from ochp_chs.rules.context import Context
from ochp_chs.rules.model import Rule, Value
from tests.support.cdrs import make_context


def found_by(
    rule: Rule,
    cdr: Cdr,
    context: Context | None = None,
    parameters: Mapping[str, Value] | None = None,
) -> tuple[Violation, ...]:
    """What one rule says of a CDR; nothing: it passes."""
    values = {p.name: p.default for p in rule.parameters} | dict(parameters or {})
    found = rule.check(cdr, make_context() if context is None else context, values)
    if found is None:
        return ()
    return (found,) if isinstance(found, Violation) else found
