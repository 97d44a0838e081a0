"""Reads WSDL and XSD files into interface facts: what a client can tell apart, and nothing more.

A fact is a path and a text, such as ``complexType EmtId/sequence/instance/restriction maxLength``
and ``512``. File layout, prefixes, documentation and port locations make no facts; an escape that
changes nothing (``\\:``) is taken out of a pattern.
"""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lxml import etree

XS = "{http://www.w3.org/2001/XMLSchema}"
WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
SOAP = "{http://schemas.xmlsoap.org/wsdl/soap/}"

Facts = dict[str, str]
Found = Iterator[tuple[str, str]]

_COMPONENTS = (f"{XS}element", f"{XS}complexType", f"{XS}simpleType")
_NEEDLESS_ESCAPE = re.compile(r"\\([^nrt\\|.?*+(){}\-\[\]^sSiIcCdDwWpP])")


@dataclass(frozen=True)
class Contract:
    """The WSDL parts and schema components of a folder, by kind and name."""

    wsdl: dict[tuple[str, str], etree._Element] = field(default_factory=dict)
    schema: dict[tuple[str, str], etree._Element] = field(default_factory=dict)


def differences(reference: Facts, ours: Facts) -> list[str]:
    """Name every fact that is not the same, in order of path."""
    return [
        f"{path}: the reference has {reference.get(path, 'nothing')!r}, "
        f"ours {ours.get(path, 'nothing')!r}"
        for path in sorted(reference.keys() | ours.keys())
        if reference.get(path) != ours.get(path)
    ]


def everything(folder: Path) -> Facts:
    """Return the facts of all that the files define."""
    contract = load(folder)
    return dict(_facts(contract, contract.wsdl.keys(), contract.schema.keys()))


def clearing_house_part(folder: Path) -> Facts:
    """Return the facts of the clearing house's port types and of what they reach.

    The reference describes the interfaces between partners in the same file; they are left out.
    """
    contract = load(folder)
    wsdl = set(_reachable_wsdl(contract))
    schema = _reachable_schema(contract, wsdl)
    return dict(_facts(contract, wsdl, schema))


def load(folder: Path) -> Contract:
    """Parse the WSDL files of a folder with the schemas they lead to."""
    contract = Contract()
    seen: set[Path] = set()
    for path in sorted(folder.glob("*.wsdl")):
        root = _parse(path)
        contract.wsdl["definitions", str(root.get("name"))] = root
        for part in root.iterchildren(*(WSDL + kind for kind in _WSDL_FACTS)):
            _define(contract.wsdl, part)
        for schema in root.iterfind(f"{WSDL}types/{XS}schema"):
            _load_schema(schema, folder, contract, seen)
    return contract


def _parse(path: Path) -> etree._Element:
    return etree.fromstring(path.read_bytes(), etree.XMLParser(no_network=True))


def _load_schema(schema: etree._Element, folder: Path, contract: Contract, seen: set[Path]) -> None:
    for node in schema.iterchildren(f"{XS}include", f"{XS}import"):
        path = (folder / str(node.get("schemaLocation"))).resolve()
        if path not in seen:
            seen.add(path)
            _load_schema(_parse(path), path.parent, contract, seen)
    for node in schema.iterchildren(*_COMPONENTS):
        _define(contract.schema, node)


def _define(known: dict[tuple[str, str], etree._Element], node: etree._Element) -> None:
    key = (etree.QName(node).localname, str(node.get("name")))
    assert key not in known, f"{key} is defined twice"
    known[key] = node


def _name(node: etree._Element, attribute: str) -> str:
    """Return a QName-valued attribute as ``{namespace}name``."""
    prefix, _, local = str(node.get(attribute)).rpartition(":")
    return f"{{{node.nsmap.get(prefix or None)}}}{local}"


def _local(node: etree._Element, attribute: str) -> str:
    return _name(node, attribute).rpartition("}")[2]


# What belongs to the clearing house


def _reachable_wsdl(contract: Contract) -> Iterator[tuple[str, str]]:
    kept_types = {name for kind, name in contract.wsdl if name.startswith("OCHP_1.4")}
    for key, node in contract.wsdl.items():
        kind, name = key
        if kind == "portType" and name in kept_types:
            yield key
            for io in node.iter(f"{WSDL}input", f"{WSDL}output", f"{WSDL}fault"):
                yield "message", _local(io, "message")
        elif kind in ("definitions", "service") or (
            kind == "binding" and _local(node, "type") in kept_types
        ):
            yield key


def _reachable_schema(contract: Contract, wsdl: set[tuple[str, str]]) -> set[tuple[str, str]]:
    reached: set[tuple[str, str]] = set()
    waiting = [
        ("element", _local(part, "element"))
        for key in wsdl
        if key[0] == "message"
        for part in contract.wsdl[key]
    ]
    while waiting:
        key = waiting.pop()
        if key in contract.schema and key not in reached:
            reached.add(key)
            for node in contract.schema[key].iter(f"{XS}*"):
                for attribute, kinds in _REFERENCES.items():
                    if attribute in node.attrib:
                        waiting += [(kind, _local(node, attribute)) for kind in kinds]
    return reached


_REFERENCES = {
    "type": ("complexType", "simpleType"),
    "base": ("complexType", "simpleType"),
    "ref": ("element",),
}


# Facts


def _facts(
    contract: Contract,
    wsdl: Collection[tuple[str, str]],
    schema: Collection[tuple[str, str]],
) -> Found:
    for kind, name in wsdl:
        node = contract.wsdl[kind, name]
        yield f"{kind} {name} in", str(node.xpath("string(ancestor-or-self::*/@targetNamespace)"))
        if kind in _WSDL_FACTS:
            yield from _WSDL_FACTS[kind](f"{kind} {name}", node, wsdl)
    for kind, name in schema:
        node = contract.schema[kind, name]
        root = node.getparent()
        yield (
            f"{kind} {name} in",
            f"{root.get('targetNamespace')} {root.get('elementFormDefault')}",
        )
        yield from _node_facts(f"{kind} {name}", node)


def _node_facts(path: str, node: etree._Element) -> Found:
    yield path, _properties(node)
    yield from _inner_facts(path, node)


def _inner_facts(path: str, node: etree._Element) -> Found:
    """Yield what is inside: facets by kind, everything else by name (or kind) and in its order."""
    facets: dict[str, list[str]] = {}
    order: list[str] = []
    for child in node.iterchildren(f"{XS}*"):
        kind = etree.QName(child).localname
        if kind == "annotation":
            continue
        if "value" in child.attrib:
            value = str(child.get("value"))
            facets.setdefault(kind, []).append(
                _NEEDLESS_ESCAPE.sub(r"\1", value) if kind == "pattern" else value
            )
        elif kind == "attribute":
            yield from _node_facts(f"{path}/@{child.get('name')}", child)
        else:
            order.append(str(child.get("name", kind)))
            yield from _node_facts(f"{path}/{order[-1]}", child)
    if order:
        yield f"{path} holds", " ".join(order)
    for kind, values in facets.items():
        # Alternatives of a pattern may stand in any order; generated code keeps that of values.
        yield f"{path} {kind}", " | ".join(sorted(values) if kind == "pattern" else values)


def _properties(node: etree._Element) -> str:
    """Return a schema node's kind and attributes, defaults of XSD left out and names resolved."""
    kind = etree.QName(node).localname
    properties = {
        str(key): _name(node, str(key)) if key in _REFERENCES else str(value)
        for key, value in node.attrib.items()
        if key != "name" and (key, value) not in _DEFAULTS
    }
    return " ".join([kind, *(f"{key}={value}" for key, value in sorted(properties.items()))])


_DEFAULTS = {
    ("minOccurs", "1"),
    ("maxOccurs", "1"),
    ("nillable", "false"),
    ("abstract", "false"),
    ("mixed", "false"),
    ("use", "optional"),
}


def _message_facts(path: str, node: etree._Element, _kept: object) -> Found:
    for part in node.iterchildren(f"{WSDL}part"):
        yield f"{path} part {part.get('name')}", _name(part, "element")


def _port_type_facts(path: str, node: etree._Element, _kept: object) -> Found:
    for operation in node.iterchildren(f"{WSDL}operation"):
        for io in operation.iterchildren(f"{WSDL}input", f"{WSDL}output", f"{WSDL}fault"):
            yield (
                f"{path} operation {operation.get('name')} {etree.QName(io).localname}",
                f"{_name(io, 'message')} {io.get('name', '')}",
            )


def _binding_facts(path: str, node: etree._Element, _kept: object) -> Found:
    yield f"{path} type", _name(node, "type")
    for below in node.iter(f"{SOAP}*"):
        operation = next(below.iterancestors(f"{WSDL}operation"), None)
        where = "" if operation is None else f" operation {operation.get('name')}"
        direction = etree.QName(below.getparent()).localname
        yield (
            f"{path}{where} {direction} soap:{etree.QName(below).localname}",
            " ".join(f"{key}={value}" for key, value in sorted(below.attrib.items())),
        )


def _service_facts(path: str, node: etree._Element, kept: Collection[tuple[str, str]]) -> Found:
    for port in node.iterchildren(f"{WSDL}port"):
        if ("binding", _local(port, "binding")) in kept:
            yield f"{path} port {port.get('name')}", _name(port, "binding")


_WSDL_FACTS: dict[str, Callable[[str, etree._Element, Collection[tuple[str, str]]], Found]] = {
    "message": _message_facts,
    "portType": _port_type_facts,
    "binding": _binding_facts,
    "service": _service_facts,
}
