"""The canonical form: it says what was sent, and holds nothing that would have to be escaped."""

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from ochp_chs.ochp.operations import NAMESPACE
from ochp_chs.ochp.xml import (
    attributes_xml,
    inner_xml,
    inner_xml_of_large,
    local_name,
    outer_xml,
)

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


_SPACE = st.text(" \t\n\r", max_size=2)
_CONTENT = st.one_of(
    TEXT,
    st.sampled_from(
        ["", " ", "p:a", "xmlns", 'a="b" c="d"', "\\", "> ", ">&#13;", "<p:a>", "10:00"]
    ),
)
_ATTRIBUTES = st.dictionaries(
    st.sampled_from(["a", "b", f"{{{NAMESPACE}}}c", "{urn:other}d"]), _CONTENT, max_size=3
)


@st.composite
def trees(draw: st.DrawFn) -> etree._Element:
    """A record as some client may write it: with prefixes or not, indented or not."""
    declared = draw(
        st.sampled_from([{None: NAMESPACE}, {"p": NAMESPACE}, {"p": NAMESPACE, "q": "urn:other"}])
    )
    record = etree.Element(f"{{{NAMESPACE}}}record", nsmap=declared)  # type: ignore[arg-type]
    _grow(draw, record, 3)
    return etree.fromstring(etree.tostring(record))


def _grow(draw: st.DrawFn, parent: etree._Element, depth: int) -> None:
    parent.text = draw(_SPACE)
    for name in draw(st.lists(st.sampled_from(["a", "b"]), max_size=3)):
        # The same name of the same namespace, by another prefix.
        inside = {None: NAMESPACE} if draw(st.booleans()) else None
        child = etree.SubElement(
            parent,
            f"{{{NAMESPACE}}}{name}",
            draw(_ATTRIBUTES),
            nsmap=inside,  # type: ignore[arg-type]
        )
        child.tail = draw(_SPACE)
        if depth and draw(st.booleans()):
            _grow(draw, child, depth - 1)
        if not len(child):
            child.text = draw(_CONTENT)


@given(trees())
def test_large_elements_have_the_same_form(record: etree._Element) -> None:
    assert inner_xml_of_large(record) == inner_xml(record)
