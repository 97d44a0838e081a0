"""Hypothesis strategies for requests of any operation: shaped by the schema, and almost valid."""

import copy
from functools import cache

from hypothesis import strategies as st
from lxml import etree

from ochp_chs.ochp.operations import NAMESPACE, Operation
from ochp_chs.ochp.schema import XSD, Child, complex_types, merged_schema

_DEPTH_MAX = 12

#: Values that mean something somewhere; which of them a type allows is asked of the schema.
ORDINARY = (
    *("", "0", "1", "15.0", "0.25", "2", "true", "false", "22.0", "12345", "DEU", "EUR", "AC"),
    *("DE*EMP*E1*1", "DEEMPE1", "DE-EMP-C00000001", "NL-EMP-C00000001", "DEEMP0000000001"),
    *("DE*EMP*P1", "DE*EMP*T1", "DEEMPC%", "DEEMPE%", "DE*EMP", "DE-EMP", "DE", "Europe/Berlin"),
    *("2099-12-31T23:59:59Z", "2001-02-28T00:00:00Z", "2020-01-01T10:00:00+01:00", "2099-01-01"),
    *("2020-01-01T12:00:00+01:00", "24:00", "08:00", "002:00:00", "04AA", "A" * 64, "a" * 40),
    *("+49 30 1", "https://example.org/a", "http://ochp.eu/1.4", "plain", "12.345678", "deu"),
    "http://ochp.e-clearing.net/1.4",
)

#: Some of these get past the schema, and mean nothing.
ODD = (
    *("-1", "1e400", "1e-400", "-0", "NaN", "INF", "2147483647", "99999999999999999999", "1E2"),
    *("0.1234567890123456789", "-179.999999", "90.000001", "DEEMPC000000018", "XXX", "XXY"),
    *("Mars/Olympus", "2001-02-30T00:00:00Z", "2020-13-01T00:00:00+00:00", "9999-12-31T23:59:59Z"),
    *("0001-01-01T00:00:00Z", "0000-00-00T00:00:00Z", "2020-01-01", "00:00", "29:00", "120:59:59"),
    *("2020-01-01T10:00:00+99:00", "2020-01-01T10:00:60+00:00", "x" * 2000, "DC", "sha-256", "12a"),
    *("é ß", "𝔘", " ", "\\N", "a\tb", "&amp;", "%00", "' OR 1", "\u202e", "DE*EMP*E" + "*" * 31),
)

_WILD = st.sampled_from(ORDINARY + ODD) | st.text(
    st.characters(codec="utf-8", exclude_characters="<&\ufffe\uffff", exclude_categories=("Cc",)),
    max_size=12,
)


@cache
def _valid_values(simple_type: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What of the ordinary values (or the enumeration's own) a simple type allows; of the odd."""
    document = merged_schema()
    element = etree.SubElement(document, f"{XSD}element", name="any-value")
    described = etree.fromstring(simple_type)
    if described.tag == f"{XSD}simpleType":
        element.append(described)
    else:
        element.set("type", described.text or "")
    schema = etree.XMLSchema(document)
    own = tuple(e.get("value", "") for e in described.iter(f"{XSD}enumeration"))
    return (
        tuple(value for value in own or ORDINARY if schema.validate(_element(value))),
        tuple(value for value in ODD if schema.validate(_element(value))),
    )


def _element(value: str) -> etree._Element:
    return etree.fromstring(f'<any-value xmlns="{NAMESPACE}">{value}</any-value>')


@cache
def _inline_types() -> dict[tuple[str, str], str]:
    """The anonymous simple types of elements and attributes, as XML, by owner and name."""
    found: dict[tuple[str, str], str] = {}
    for node in merged_schema().iter(f"{XSD}element", f"{XSD}attribute"):
        simple = node.find(f"{XSD}simpleType")
        if simple is not None:
            owners = [str(each.get("name")) for each in node.iterancestors() if each.get("name")]
            alone = etree.tostring(copy.deepcopy(simple), encoding="unicode")
            found[owners[0] if owners else "", str(node.get("name"))] = alone
            found.setdefault(("", str(node.get("name"))), alone)
    return found


@st.composite
def requests(draw: st.DrawFn, operation: Operation) -> str:
    """One request to an operation, as XML; many of its records are valid, others nearly so."""
    content = _content(draw, operation.request, 0)
    return f'<{operation.request} xmlns="{NAMESPACE}">{content}</{operation.request}>'


def _content(draw: st.DrawFn, type_name: str, depth: int) -> str:
    parts: list[str] = []
    for child in complex_types()[type_name].children:
        # One mistake in many places: most records get past the schema, some do not.
        mistaken = _seldom(draw)
        present = child.required is not mistaken
        if not child.required and not mistaken:
            present = draw(st.booleans())
        if not present or depth > _DEPTH_MAX:
            continue
        times = draw(st.integers(1, 2)) if child.repeated or mistaken else 1
        parts.extend(_child(draw, type_name, child, depth) for _ in range(times))
    return "".join(parts)


def _child(draw: st.DrawFn, owner: str, child: Child, depth: int) -> str:
    types = complex_types()
    if child.type not in types:
        return f"<{child.name}>{_value(draw, owner, child.name, child.type)}</{child.name}>"
    attributes = "".join(
        f' {name}="{_value(draw, child.type, name, None)}"'
        for name in types[child.type].attributes
        if not _seldom(draw)
    )
    return f"<{child.name}{attributes}>{_content(draw, child.type, depth + 1)}</{child.name}>"


def _value(draw: st.DrawFn, owner: str, name: str, type_name: str | None) -> str:
    if type_name is None:
        inline = _inline_types()
        simple = inline.get((owner, name)) or inline.get(("", name)) or "<type>xs:string</type>"
    else:
        prefix = "xs" if type_name in ("boolean", "float", "int", "string") else "tns"
        simple = f"<type>{prefix}:{type_name}</type>"
    ordinary, odd = _valid_values(simple)
    if not ordinary or _seldom(draw):
        return draw(_WILD)
    return draw(st.sampled_from(odd if odd and draw(st.integers(0, 39)) == 39 else ordinary))


def _seldom(draw: st.DrawFn) -> bool:
    return draw(st.integers(0, 199)) == 199
