"""The content of a stored CDR, as people read it: named texts, and what differs in a version."""

from collections.abc import Iterator

from lxml import etree

_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)


def parse_content(payload: str) -> etree._Element:
    """The stored record as an element without namespace."""
    return etree.fromstring(f"<cdr>{payload}</cdr>", _PARSER)


def changed_fields(before: str, after: str) -> tuple[tuple[str, str | None, str | None], ...]:
    """Fields of a CDR that differ in two versions: path, earlier and later text (None: absent)."""
    earlier, later = (dict(_fields(parse_content(payload), "")) for payload in (before, after))
    return tuple(
        (path, earlier.get(path), later.get(path))
        for path in dict.fromkeys([*later, *earlier])
        if earlier.get(path) != later.get(path)
    )


def _fields(element: etree._Element, path: str) -> Iterator[tuple[str, str]]:
    for name, value in element.attrib.items():
        yield f"{path}/@{name!s}".lstrip("/"), str(value)
    if not len(element):
        yield path, element.text or ""
        return
    seen: dict[str, int] = {}
    for child in element:
        name = str(child.tag)
        seen[name] = seen.get(name, 0) + 1
        # The periods are the only element of a CDR that repeats.
        place = f"[{seen[name]}]" if name == "chargingPeriods" else ""
        yield from _fields(child, f"{path}/{name}{place}".lstrip("/"))
