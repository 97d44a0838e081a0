"""XSD errors in words that a partner can act on."""

import re
from collections.abc import Sequence

from lxml import etree

from ochp_chs.ochp.operations import NAMESPACE
from ochp_chs.ochp.results import shorten
from ochp_chs.ochp.schema import explanation
from ochp_chs.ochp.secrets import is_address, is_secret, shown_url
from ochp_chs.ochp.violations import Violation
from ochp_chs.ochp.xml import local_name

_ERRORS_MAX = 10
_VALUE_CHARACTERS_MAX = 200

_ELEMENT = re.compile(r"^Element '([^']*)'(?:, attribute '([^']*)')?: (.*)$", re.DOTALL)
_FACET = re.compile(r"^\[facet '[a-zA-Z]+'\] ")
_VALUE = re.compile(r"The value '(.*?)' (?:is not accepted|is not an element)", re.DOTALL)
_NOT_A_VALUE = re.compile(r"^'(.*)' is not a valid value", re.DOTALL)

#: Says something of a value without repeating it.
_LENGTH = re.compile(r"The value has a length of '[0-9]+'; [a-z ]+ '[0-9]+'\.?$")

_STEP = re.compile(r"(?:[^:\[\]]*:)?([^\[\]]+)(?:\[([0-9]+)\])?$")


def xsd_violations(schema: etree.XMLSchema, element: etree._Element) -> Sequence[Violation]:
    """Why the element is not valid; empty if it is."""
    if schema.validate(element):
        return ()
    errors = explanation(schema, element)[:_ERRORS_MAX]
    violations = [_violation(_field(element, path), message) for path, message in errors]
    # The same failure is reported for the facet and again for the type that has it.
    return list({(v.field, v.value): v for v in reversed(violations)}.values())[::-1]


def _violation(field: str, message: str) -> Violation:
    match = _ELEMENT.match(message)
    attribute, reason = (match[2], match[3]) if match else (None, message)
    reason = _FACET.sub("", reason).replace(f"{{{NAMESPACE}}}", "")
    found = _VALUE.search(reason) or _NOT_A_VALUE.match(reason)
    if attribute:
        attribute = attribute.rpartition("}")[2]
        field = f"{field}/@{attribute}" if field else f"@{attribute}"
    if is_secret(field) and not _LENGTH.match(reason):
        # The message may repeat the value, in whole or in part.
        return Violation("schema", field, "", "the value is not allowed here (it is not shown)")
    value = found[1] if found else ""
    if is_address(field):
        reason = reason.replace(value, shown_url(value)) if value else reason
        value = shown_url(value)
    return Violation(
        rule="schema",
        field=field,
        value=shorten(value, _VALUE_CHARACTERS_MAX),
        text=shorten(reason.strip().rstrip("."), _VALUE_CHARACTERS_MAX * 2),
    )


def _field(element: etree._Element, path: str) -> str:
    """`expiryDate/DateTime` from `/ns:record/ns:expiryDate/ns:DateTime` or `/*/*[4]/*`.

    libxml2 writes the name of an element without prefix as an asterisk with its place.
    """
    names: list[str] = []
    place: etree._Element | None = element
    for step in path.strip("/").split("/")[1:]:
        match = _STEP.match(step)
        if match is None:
            break
        name, index = match[1], int(match[2] or 1) - 1
        children = [] if place is None else list(place)
        if name != "*":
            children = [child for child in children if local_name(child) == name]
        place = children[index] if index < len(children) else None
        names.append(local_name(place) if place is not None else name)
    return "/".join(names)
