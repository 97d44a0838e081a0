"""The one canonical form in which a record's XML is kept and given out.

No prefix, no namespace declaration (the response element declares the default namespace once),
attributes in order of name, no white space between elements. Text keeps every character.
"""

from collections.abc import Callable

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


def escape_text(text: str) -> str:
    """`text` as XML character data."""
    # Almost no value needs it, and isalnum() answers in a fraction of translate()'s time.
    return text if text.isalnum() else text.translate(_TEXT_REFERENCES)


def escape_attribute(text: str) -> str:
    """`text` as the inside of a double-quoted XML attribute."""
    return text if text.isalnum() else text.translate(_ATTRIBUTE_REFERENCES)


def local_name(element: etree._Element) -> str:
    """The element's name without its namespace."""
    name = str(element.tag)
    return name[name.rindex("}") + 1 :] if name.startswith("{") else name


def inner_xml(element: etree._Element) -> str:
    """What stands between the element's tags, in canonical form; its attributes are not in it.

    The element is valid against its XSD type, parsed without comments and processing
    instructions; no type of OCHP 1.4 mixes text with elements.
    """
    parts: list[str] = []
    _write_content(element, parts.append)
    return "".join(parts)


def outer_xml(element: etree._Element) -> str:
    """The whole element, tags and attributes included, in canonical form; see `inner_xml`."""
    parts: list[str] = []
    _write_element(element, parts.append)
    return "".join(parts)


def attributes_xml(element: etree._Element) -> str:
    """The element's attributes in canonical form: `` a="1" b="2"``, or an empty string."""
    if not element.attrib:
        return ""
    # xsi:schemaLocation and its like, which have a namespace, say nothing.
    plain = {str(name): str(value) for name, value in element.attrib.items() if name[0] != "{"}
    return "".join(f' {name}="{escape_attribute(plain[name])}"' for name in sorted(plain))


def _write_content(element: etree._Element, write: Callable[[str], None]) -> None:
    if len(element) == 0:
        if element.text:
            write(escape_text(element.text))
        return
    for child in element:
        _write_element(child, write)


def _write_element(element: etree._Element, write: Callable[[str], None]) -> None:
    name = local_name(element)
    attributes = attributes_xml(element)
    if len(element) == 0 and not element.text:
        write(f"<{name}{attributes}/>")
        return
    write(f"<{name}{attributes}>")
    _write_content(element, write)
    write(f"</{name}>")
