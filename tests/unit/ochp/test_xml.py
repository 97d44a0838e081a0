"""The canonical form: it says what was sent, and holds nothing that would have to be escaped."""

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from ochp_chs.ochp.operations import NAMESPACE
from ochp_chs.ochp.xml import attributes_xml, inner_xml, local_name, outer_xml

#: Everything that XML can hold.
TEXT = st.text(
    st.characters(exclude_categories=["Cs"]).filter(
        lambda c: c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff")
    )
)


def parsed(xml: str) -> etree._Element:
    return etree.fromstring(f'<x xmlns="{NAMESPACE}">{xml}</x>')[0]


@given(text=TEXT, attribute=TEXT)
def test_text_and_attributes_keep_every_character(text: str, attribute: str) -> None:
    element = etree.Element(f"{{{NAMESPACE}}}record", {"b": attribute, "a": "1"})
    etree.SubElement(element, f"{{{NAMESPACE}}}name", {"c": attribute}).text = text
    written = outer_xml(element)
    again = parsed(written)
    assert dict(again.attrib) == {"a": "1", "b": attribute}
    assert again[0].get("c") == attribute
    assert (again[0].text or "") == text
    assert not set("\\\t\n\r").intersection(written)


def test_prefixes_and_foreign_attributes_are_left_out() -> None:
    element = etree.fromstring(
        f'<p:a xmlns:p="{NAMESPACE}" xmlns:q="urn:other" q:at="1" z="2" b="3">'
        "<p:c/><p:d></p:d></p:a>"
    )
    assert outer_xml(element) == '<a b="3" z="2"><c/><d/></a>'
    assert inner_xml(element) == "<c/><d/>"
    assert attributes_xml(element) == ' b="3" z="2"'
    assert local_name(element) == "a"


def test_empty_element_has_nothing_inside() -> None:
    assert inner_xml(parsed("<a/>")) == ""
