"""How deep, wide and long the parts of a message may be; each bound is reached, then passed."""

import pytest
from lxml import etree

from ochp_chs.soap.shape import Shape

SHAPE = Shape(depth_max=5, attributes_max=3, text_characters_max=10, elements_max=20)


def record(content: str, attributes: str = "") -> etree._Element:
    return etree.fromstring(f'<r xmlns="urn:x" {attributes}>{content}</r>')


def nested(depth: int) -> str:
    return "<a>" * depth + "</a>" * depth


def found(element: etree._Element) -> tuple[str, str] | None:
    excess = SHAPE.excess(element)
    return None if excess is None else (excess.field, excess.text)


@pytest.mark.parametrize(
    "element",
    [
        record(nested(4)),
        record("<a/>" * 1000),
        record("", 'a="" b="" c=""'),
        record("x" * 10),
        record("<a>xxxxxxxxxx</a>xxxxxxxxxx", 'a="xxxxxxxxxx"'),
    ],
    ids=["depth", "width", "attributes", "text", "texts"],
)
def test_as_much_as_may_be(element: etree._Element) -> None:
    assert found(element) is None


@pytest.mark.parametrize(
    ("element", "field", "text"),
    [
        (record(nested(5)), "r", "elements are nested deeper than 5, the most"),
        (record("<b a='' b='' c='' d=''/>"), "b", "the element has 4 attributes; at most 3"),
        (record("<b>xxxxxxxxxxx</b>"), "b", "the text has 11 characters; at most 10"),
        (record("<b>xxxxx<!-- -->xxxxxx</b>"), "b", "the text has 11 characters"),
        (record("<b/>xxxxxxxxxxx"), "b", "the text has 11 characters"),
        (record("<b c='xxxxxxxxxxx'/>"), "c", "the text has 11 characters"),
        (
            etree.fromstring("<r xmlns:p='urn:p' p:c='xxxxxxxxxxx'/>"),
            "c",
            "the text has 11 characters",
        ),
    ],
)
def test_more_than_may_be(element: etree._Element, field: str, text: str) -> None:
    etree.strip_tags(element, etree.Comment)
    excess = found(element)
    assert excess is not None
    assert excess[0] == field
    assert excess[1].startswith(text)


def test_short_texts_together_need_no_closer_look() -> None:
    assert SHAPE.text_is_short(record("<a>xxxxx</a><a>xxxxx</a>"))
    assert not SHAPE.text_is_short(record("<a>xxxxx</a><a>xxxxxx</a>"))


def test_crowds_are_counted_by_child() -> None:
    within = "<b><a/><a/><a/></b>" * 5
    assert not SHAPE.has_crowded_child(record(f"<c>{within}</c>" * 10))
    assert SHAPE.has_crowded_child(record(f"<c/><c>{within}<a/></c>"))
