"""Walking a record along its XSD type: where a repair may look, and how it says what it did."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from lxml import etree

from ochp_chs.ochp.operations import NAMESPACE
from ochp_chs.ochp.schema import Child, TypeShape, complex_types

QUALIFIED = f"{{{NAMESPACE}}}"


@dataclass(frozen=True, slots=True)
class Repair:
    """One repair: in which field (a path inside the record), what was there, what is there now."""

    field: str
    was: str
    now: str
    text: str


@dataclass(frozen=True, slots=True)
class Place:
    """One element of a complex type; the path is empty for the record itself."""

    element: etree._Element
    shape: TypeShape
    known: Mapping[str, Child]
    path: str

    def below(self, name: str) -> str:
        """Return the path of a child or, with ``@``, an attribute of this element."""
        return f"{self.path}/{name}" if self.path else name


@dataclass(frozen=True, slots=True)
class Member:
    """One child element that the type of its parent knows."""

    element: etree._Element
    child: Child
    path: str


def ochp_name(element: etree._Element) -> str | None:
    """Return the element's name without the OCHP namespace, None when it is in another one."""
    tag = element.tag
    if isinstance(tag, str) and tag.startswith(QUALIFIED):
        return tag[len(QUALIFIED) :]
    return None


@cache
def _known_children(type_name: str) -> Mapping[str, Child]:
    return {child.name: child for child in complex_types()[type_name].children}


def members(place: Place) -> list[Member]:
    """List the children that the type knows; the path counts those of one name from 1."""
    named = [
        (element, child)
        for element in place.element
        if (child := place.known.get(ochp_name(element) or "")) is not None
    ]
    totals = Counter(child.name for _, child in named)
    seen: Counter[str] = Counter()
    found = []
    for element, child in named:
        name = child.name
        if totals[name] > 1:
            seen[name] += 1
            name = f"{name}[{seen[name]}]"
        found.append(Member(element, child, place.below(name)))
    return found


def places(element: etree._Element, type_name: str, path: str = "") -> Iterator[Place]:
    """Yield the element and all in it that have a complex type, parents first.

    An element that the schema does not know is not entered. The children are looked for after
    their parent was handed out, so that a repair of the parent counts.
    """
    types = complex_types()
    place = Place(element, types[type_name], _known_children(type_name), path)
    yield place
    if not len(element):
        return
    for member in members(place):
        child_type = member.child.type
        if child_type is not None and child_type in types:
            yield from places(member.element, child_type, member.path)
