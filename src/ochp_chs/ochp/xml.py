"""The one canonical form in which a record's XML is kept and given out.

No prefix, no namespace declaration (the response element declares the default namespace once),
attributes in order of name, no white space between elements. Text keeps every character.
"""

import re
from functools import lru_cache

from lxml import etree

from ochp_chs.ochp.operations import NAMESPACE

_QUALIFIED = f"{{{NAMESPACE}}}"

# Back-slash, tab and line feed are legal in XML text; as character references they mean the same
# and leave the payload free of everything that PostgreSQL's COPY text format would have to escape,
# on the way in and on the way out. A bare carriage return would be read as a line feed.
_TEXT_REFERENCES = str.maketrans(
    {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        "\\": "&#92;",
        "\t": "&#9;",
        "\n": "&#10;",
        "\r": "&#13;",
    }
)
_ATTRIBUTE_REFERENCES = _TEXT_REFERENCES | {ord('"'): "&quot;"}


# Almost no value needs a reference, and to look for one takes a fraction of translate()'s time.
_find_in_text = re.compile(r"[&<>\\\t\n\r]").search
_find_in_attribute = re.compile(r"[&<>\\\t\n\r\"]").search


def escape_text(text: str) -> str:
    """`text` as XML character data."""
    return text.translate(_TEXT_REFERENCES) if _find_in_text(text) else text


def escape_attribute(text: str) -> str:
    """`text` as the inside of a double-quoted XML attribute."""
    return text.translate(_ATTRIBUTE_REFERENCES) if _find_in_attribute(text) else text


def local_name(element: etree._Element) -> str:
    """The element's name without its namespace."""
    return _local(str(element.tag))


# Bounded, for names come from outside; OCHP has fewer.
@lru_cache(maxsize=1024)
def _local(name: str) -> str:
    return name[name.rindex("}") + 1 :] if name.startswith("{") else name


def inner_xml(element: etree._Element) -> str:
    """What stands between the element's tags, in canonical form; its attributes are not in it.

    The element is valid against its XSD type, parsed without comments and processing
    instructions; no type of OCHP 1.4 mixes text with elements.
    """
    if len(element):
        return "".join([outer_xml(child) for child in element])
    text = element.text
    return escape_text(text) if text else ""


def outer_xml(element: etree._Element) -> str:
    """The whole element, tags and attributes included, in canonical form; see `inner_xml`."""
    name, attributes, content = local_name(element), attributes_xml(element), inner_xml(element)
    if not content:
        return f"<{name}{attributes}/>"
    return f"<{name}{attributes}>{content}</{name}>"


def attributes_xml(element: etree._Element) -> str:
    """The element's attributes in canonical form: `` a="1" b="2"``, or an empty string."""
    if not element.attrib:
        return ""
    # xsi:schemaLocation and its like, which have a namespace, say nothing.
    plain = {str(name): str(value) for name, value in element.attrib.items() if name[0] != "{"}
    return "".join([f' {name}="{escape_attribute(plain[name])}"' for name in sorted(plain)])
