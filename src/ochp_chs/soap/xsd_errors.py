"""XSD errors in words that a partner can act on."""

import re
import threading
from collections.abc import Sequence

from lxml import etree

from ochp_chs.ochp.operations import NAMESPACE
from ochp_chs.ochp.results import shorten
from ochp_chs.ochp.violations import Violation

_ERRORS_MAX = 10
_VALUE_CHARACTERS_MAX = 200

_ELEMENT = re.compile(r"^Element '([^']*)'(?:, attribute '([^']*)')?: (.*)$", re.DOTALL)
_FACET = re.compile(r"^\[facet '[a-zA-Z]+'\] ")
_VALUE = re.compile(r"The value '(.*?)' (?:is not accepted|has a length|is not an element)", re.DOTALL)
_NOT_A_VALUE = re.compile(r"^'(.*)' is not a valid value", re.DOTALL)

# A schema object keeps the errors of its last validation; two threads would mix theirs.
_lock = threading.Lock()


def xsd_violations(schema: etree.XMLSchema, element: etree._Element) -> Sequence[Violation]:
    """Why the element is not valid; empty if it is."""
    with _lock:
        if schema.validate(element):
            return ()
        errors = [(error.path or "", error.message) for error in schema.error_log]
    violations = [_violation(path, message) for path, message in errors[:_ERRORS_MAX]]
    # The same failure is reported for the facet and again for the type that has it.
    return list({(v.field, v.value): v for v in reversed(violations)}.values())[::-1]


def _violation(path: str, message: str) -> Violation:
    match = _ELEMENT.match(message)
    attribute, reason = (match[2], match[3]) if match else (None, message)
    reason = _FACET.sub("", reason).replace(f"{{{NAMESPACE}}}", "")
    found = _VALUE.search(reason) or _NOT_A_VALUE.match(reason)
    field = _field(path)
    if attribute:
        field = f"{field}/@{attribute}" if field else f"@{attribute}"
    return Violation(
        rule="schema",
        field=field,
        value=shorten(found[1], _VALUE_CHARACTERS_MAX) if found else "",
        text=shorten(reason.strip().rstrip("."), _VALUE_CHARACTERS_MAX * 2),
    )


def _field(path: str) -> str:
    """`expiryDate/DateTime` from `/ns:record/ns:expiryDate/ns:DateTime`."""
    steps = [step.partition(":")[2] or step for step in path.strip("/").split("/")]
    return "/".join(steps[1:])
