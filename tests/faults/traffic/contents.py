"""Records as text that is equal if and only if their contents are."""

from lxml import etree

from ochp_chs.ochp.operations import NAMESPACE


def content_of(record: etree._Element, *without: str) -> str:
    """What stands inside an element: children, texts and attributes, some children left out."""
    return "".join(_text(child) for child in record if _name(child) not in without)


def elements_of(xml: str) -> list[etree._Element]:
    """Records as they stand in a request, as elements."""
    return list(etree.fromstring(f'<all xmlns="{NAMESPACE}">{xml}</all>'))


def element_of_payload(payload: str, name: str = "record") -> etree._Element:
    """A stored record; it begins with its attributes if it has any."""
    opening = "" if payload.startswith(" ") else ">"
    return etree.fromstring(f'<{name} xmlns="{NAMESPACE}"{opening}{payload}</{name}>')


def _text(element: etree._Element) -> str:
    attributes = "".join(f" {name}={value}" for name, value in sorted(element.attrib.items()))
    inside = content_of(element) if len(element) else (element.text or "").strip()
    return f"{_name(element)}{attributes}({inside})"


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname
