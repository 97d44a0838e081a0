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


def inner_xml_of_large(element: etree._Element) -> str:
    """The same as `inner_xml`, in a fraction of the time where the element has many parts.

    libxml2 writes it; where that may not be the canonical form, it is written here after all.
    """
    written = etree.tostring(element, encoding="unicode", with_tail=False)
    # Inside of a tag, libxml2 writes this bracket as a reference.
    inner = written[written.index(">") + 1 : written.rindex("<")]
    if not inner:
        return inner
    prefixes = [prefix for prefix in element.nsmap if prefix]
    if element.prefix:
        # Inside of text, libxml2 writes the opening bracket as a reference.
        inner = inner.replace(f"<{element.prefix}:", "<").replace(f"</{element.prefix}:", "</")
    is_canonical = (
        inner[0] == "<"
        and not any(sign in inner for sign in _NOT_CANONICAL)
        # The order of two attributes, and what has a namespace of its own.
        and inner.count('="') <= 1
        and not any(f"{prefix}:" in inner for prefix in prefixes)
    )
    return inner if is_canonical else inner_xml(element)


#: What canonical form writes otherwise or leaves out, space between elements among it.
_NOT_CANONICAL = ("\\", "\t", "\n", "> ", ">&#13;", "xmlns")


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
