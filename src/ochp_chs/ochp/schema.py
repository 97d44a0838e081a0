"""The published XML schema: where it is kept, and what the rest of the server needs of it.

The files under ``wsdl/types`` are merged into one schema document before anything is compiled, so
that no include is resolved by libxml2: it neither looks at the network nor minds odd paths.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import Any, cast

from lxml import etree

from ochp_chs.ochp.operations import NAMESPACE, OPERATIONS

XS = "http://www.w3.org/2001/XMLSchema"
XSD = f"{{{XS}}}"

#: The file that includes, directly or not, every other one.
ENTRY = "direct-types.xsd"

#: An element of the schema of records that holds any of them, to validate many at once.
RECORDS = "records"

#: ``approved`` and ``declined`` of ConfirmCDRs have an anonymous type; judged alone, each needs a
#: name for it.
_CONFIRMED_CDR = f"""
<xs:complexType name="ConfirmedCdr" xmlns:xs="{XS}" xmlns:tns="{NAMESPACE}">
  <xs:sequence>
    <xs:element name="cdrId" type="tns:CdrId"/>
    <xs:element name="evseId" type="tns:EvseId"/>
  </xs:sequence>
</xs:complexType>
"""


@dataclass(frozen=True, slots=True)
class Child:
    """One child element of a complex type.

    ``type`` is the name of its type without prefix (``float`` for ``xs:float``), None where the
    type is inline and simple. An alternative of a choice is not ``required`` by itself.
    """

    name: str
    type: str | None
    repeated: bool
    required: bool


@dataclass(frozen=True, slots=True)
class TypeShape:
    """The children of a complex type in their order, and the names of its attributes."""

    children: tuple[Child, ...]
    attributes: tuple[str, ...]


@cache
def contract_dir() -> Path:
    """Return the folder of the contract: the installed one, else the checkout's ``wsdl``."""
    installed = Path(__file__).parents[1] / "wsdl"
    return installed if installed.is_dir() else Path(__file__).parents[3] / "wsdl"


def parser() -> etree.XMLParser:
    """Return a parser for the contract's own files: comments dropped, no DTD, no network."""
    return etree.XMLParser(
        remove_comments=True, remove_blank_text=True, resolve_entities=False, no_network=True
    )


def included_files(entry: str = ENTRY) -> tuple[Path, ...]:
    """Return the schema file ``entry`` and all that it includes, the included ones first."""
    found: dict[Path, None] = {}
    _collect((contract_dir() / "types" / entry).resolve(), found)
    return tuple(found)


def _collect(path: Path, found: dict[Path, None]) -> None:
    if path in found:
        return
    for include in _parse(path).iterfind(f"{XSD}include"):
        _collect((path.parent / include.get("schemaLocation", "")).resolve(), found)
    found[path] = None


def _parse(path: Path) -> etree._Element:
    # From bytes: libxml2 reads a path as a URI and would trip over a percent sign in it.
    return etree.fromstring(path.read_bytes(), parser())


def merged_schema(entry: str = ENTRY) -> etree._Element:
    """Return ``entry`` with all that it includes as one new ``xs:schema`` element."""
    merged = etree.Element(
        f"{XSD}schema",
        {"targetNamespace": NAMESPACE, "elementFormDefault": "qualified"},
        nsmap={"xs": XS, "tns": NAMESPACE},
    )
    for path in included_files(entry):
        merged.extend(
            node
            for node in list(_parse(path))
            if node.tag not in (f"{XSD}include", f"{XSD}annotation")
        )
    return merged


@cache
def record_types() -> Mapping[str, str]:
    """Return the type of each record element that a request can carry, by the element's name."""
    types: dict[str, str] = {}
    for operation in OPERATIONS:
        for element, type_name in operation.records:
            if types.setdefault(element, type_name) != type_name:
                raise ValueError(f"element {element} has two types in the table of operations")
    return MappingProxyType(types)


def _record_document() -> etree._Element:
    """Return the merged schema with a global element for each record element of a request."""
    document = merged_schema()
    document.append(etree.fromstring(_CONFIRMED_CDR))
    block = etree.SubElement(document, f"{XSD}element", name=RECORDS)
    anyone = etree.SubElement(etree.SubElement(block, f"{XSD}complexType"), f"{XSD}choice")
    anyone.set("minOccurs", "0")
    anyone.set("maxOccurs", "unbounded")
    for element, type_name in record_types().items():
        etree.SubElement(document, f"{XSD}element", name=element, type=f"tns:{type_name}")
        etree.SubElement(anyone, f"{XSD}element", ref=f"tns:{element}")
    return document


@cache
def record_schema() -> etree.XMLSchema:
    """Return the schema against which one record element is validated alone.

    Threads share it, so its error_log may be another thread's: ask `explanation`.
    """
    return etree.XMLSchema(_record_document())


@cache
def message_schema() -> etree.XMLSchema:
    """Return the schema of all requests and responses, OCHP direct included; see record_schema."""
    return etree.XMLSchema(merged_schema())


@cache
def _explaining(document: Callable[[], etree._Element]) -> etree.XMLSchema:
    return etree.XMLSchema(document())


_explaining_one_at_a_time = Lock()


def explanation(schema: etree.XMLSchema, element: etree._Element) -> tuple[tuple[str, str], ...]:
    """Return path and message of everything in the element that one of the schemas refuses.

    A compiled schema keeps the log of its last validation. One for each thread would cost more
    memory than a list being streamed; so a twin that only explains is used under a lock.
    """
    document = _record_document if schema is record_schema() else merged_schema
    with _explaining_one_at_a_time:
        twin = _explaining(document)
        twin.validate(element)
        log = cast(Iterable[Any], twin.error_log)
        return tuple((error.path or "", error.message) for error in log)


@cache
def complex_types() -> Mapping[str, TypeShape]:
    """Return the shape of every named complex type (and ConfirmedCdr), bases flattened in.

    The anonymous types of requests and responses go by the names of their elements.
    """
    document = _record_document()
    named = {str(node.get("name")): node for node in document.iterfind(f"{XSD}complexType")}
    for element in document.iterfind(f"{XSD}element"):
        inline = element.find(f"{XSD}complexType")
        if inline is not None:
            named[str(element.get("name"))] = inline
    return MappingProxyType({name: _shape(node, named) for name, node in named.items()})


def _shape(node: etree._Element, named: Mapping[str, etree._Element]) -> TypeShape:
    """Return the shape of a complex type; what it extends comes first, as it does in a record."""
    extension = node.find(f"{XSD}complexContent/{XSD}extension")
    if extension is None:
        return TypeShape(tuple(_children(node)), _attributes(node))
    base = _shape(named[_local(extension.get("base"))], named)
    return TypeShape(
        base.children + tuple(_children(extension)), base.attributes + _attributes(extension)
    )


def _children(node: etree._Element, *, alternative: bool = False) -> Iterator[Child]:
    for particle in node.iterchildren(f"{XSD}sequence", f"{XSD}choice", f"{XSD}element"):
        if particle.tag == f"{XSD}element":
            declared = particle.get("type")
            yield Child(
                name=str(particle.get("name")),
                type=None if declared is None else _local(declared),
                repeated=particle.get("maxOccurs", "1") != "1",
                required=not alternative and particle.get("minOccurs", "1") != "0",
            )
        else:
            inside = alternative or particle.tag == f"{XSD}choice"
            yield from _children(particle, alternative=inside)


def _attributes(node: etree._Element) -> tuple[str, ...]:
    return tuple(str(attribute.get("name")) for attribute in node.iterchildren(f"{XSD}attribute"))


def _local(qname: str | None) -> str:
    return str(qname).rpartition(":")[2]
