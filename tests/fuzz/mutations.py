"""Valid messages mutated by structure: elements dropped, doubled, moved; values swapped."""

import copy
from collections.abc import Callable, Sequence
from functools import cache
from random import Random

from lxml import etree

from ochp_chs.ochp.operations import NAMESPACE
from ochp_chs.ochp.schema import complex_types, merged_schema
from tests.support import valid_requests
from tests.support.any_request import ODD, ORDINARY
from tests.support.edge import SOAP

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_XML = "http://www.w3.org/XML/1998/namespace"

_REPEATED_MAX = 40
_MUTATIONS_MAX = 4

_NAMESPACES = (NAMESPACE, "", "http://ochp.eu/1.3", "http://ochp.e-clearing.net/1.4", "urn:x", SOAP)

_ATTRIBUTES = (
    (f"{{{_XSI}}}nil", "true"),
    (f"{{{_XSI}}}type", "xs:string"),
    (f"{{{_XSI}}}schemaLocation", f"{NAMESPACE} file:///etc/passwd"),
    (f"{{{_XML}}}base", "file:///etc/"),
    (f"{{{_XML}}}space", "preserve"),
    (f"{{{_XML}}}id", "a"),
    (f"{{{NAMESPACE}}}representation", "sha-256"),
    (f"{{{SOAP}}}mustUnderstand", "1"),
    ("href", "#a"),
)

#: Beside those of any request: what has a meaning somewhere below XML.
_MEANINGFUL = (
    *(
        "\\",
        "\\.",
        "\\N",
        "\t",
        "\n",
        "\r",
        " ",
        "\u00a0",
        "\u202e",
        "\ufffd",
        "𝔘",
        "'",
        '"',
        "<&>",
    ),
    *("'; DROP TABLE token; --", "$(reboot)", "`id`", "%s%n", "{0}", "../../etc/passwd", "\\x00"),
    *("2001-02-29T00:00:00Z", "2000-02-29T23:59:60Z", "-0001-01-01T00:00:00Z", "24:00:01", "PT1H"),
    *(
        "+1",
        "1.",
        ".5",
        "1_000",
        "٣",
        "0x10",
        "1,5",
        "1e-7",
        "-0.0",
        "Infinity",
        "sNaN",
        "9" * 5000,
    ),
)


@cache
def _words() -> Sequence[str]:
    enumerated = {node.get("value") or "" for node in merged_schema().iter("{*}enumeration")}
    return (*ORDINARY, *ODD, *_MEANINGFUL, *sorted(enumerated))


@cache
def _names() -> Sequence[str]:
    children = {child.name for shape in complex_types().values() for child in shape.children}
    attributes = {name for shape in complex_types().values() for name in shape.attributes}
    return sorted(children | attributes | set(complex_types()))


@cache
def _strangers() -> Sequence[bytes]:
    return tuple(text.encode() for text in valid_requests.requests().values())


def mutated(message: bytes, random: Random) -> bytes | None:
    """The message with a few mutations, None if it is no XML to begin with."""
    try:
        root = etree.fromstring(message, etree.XMLParser(resolve_entities=False, no_network=True))
    except (etree.XMLSyntaxError, ValueError):
        return None
    for _ in range(random.randint(1, _MUTATIONS_MAX)):
        elements = [each for each in root.iter(etree.Element) if each is not root]
        if not elements:
            break
        random.choice(_MUTATIONS)(random.choice(elements), random)
    return etree.tostring(root)


def _drop(element: etree._Element, _: Random) -> None:
    _parent(element).remove(element)


def _repeat(element: etree._Element, random: Random) -> None:
    for _ in range(random.choice((1, 1, 2, _REPEATED_MAX))):
        element.addnext(copy.deepcopy(element))


def _move(element: etree._Element, random: Random) -> None:
    targets = [
        each
        for each in element.getroottree().iter(etree.Element)
        if each is not element and element not in each.iterancestors()
    ]
    target = random.choice(targets)
    target.insert(random.randint(0, len(target)), element)


def _rename(element: etree._Element, random: Random) -> None:
    namespace = etree.QName(element).namespace or ""
    if random.random() < 0.3:
        namespace = random.choice(_NAMESPACES)
    name = random.choice(_names()) if random.random() < 0.7 else etree.QName(element).localname
    element.tag = f"{{{namespace}}}{name}" if namespace else name


def _say(element: etree._Element, random: Random) -> None:
    _set_text(element, random.choice(_words()))


def _alter(element: etree._Element, random: Random) -> None:
    text = element.text or ""
    place = random.randint(0, len(text))
    word = random.choice(_words())
    _set_text(element, text[:place] + word + text[place + random.randint(0, 2) :])


def _swap(element: etree._Element, random: Random) -> None:
    other = random.choice(list(element.getroottree().iter(etree.Element)))
    element.text, other.text = other.text, element.text


def _reverse(element: etree._Element, random: Random) -> None:
    children = list(element)
    random.shuffle(children)
    element[:] = children


def _attribute(element: etree._Element, random: Random) -> None:
    if element.attrib and random.random() < 0.5:
        name = random.choice(list(element.attrib))
        if random.random() < 0.3:
            del element.attrib[name]
        else:
            _set(element, str(name), random.choice(_words()))
    elif random.random() < 0.5:
        _set(element, *random.choice(_ATTRIBUTES))
    else:
        _set(element, random.choice(_names()), random.choice(_words()))


def _nest(element: etree._Element, random: Random) -> None:
    inner = element
    for _ in range(random.choice((1, 5, 40))):
        wrapped = etree.SubElement(inner, element.tag)
        wrapped.text = inner.text
        inner = wrapped


def _interrupt(element: etree._Element, random: Random) -> None:
    node = random.choice(
        (etree.Comment(" c "), etree.ProcessingInstruction("xml-stylesheet", "href='file:///x'"))
    )
    node.tail = random.choice(_words()) if random.random() < 0.3 else None
    try:
        element.insert(random.randint(0, len(element)), node)
    except ValueError:
        node.tail = None


def _stranger(element: etree._Element, random: Random) -> None:
    other = etree.fromstring(random.choice(_strangers()))
    chosen = random.choice(list(other.iter(etree.Element)))
    element.insert(random.randint(0, len(element)), chosen)


_MUTATIONS: Sequence[Callable[[etree._Element, Random], None]] = (
    *(_drop, _repeat, _move, _rename, _say, _say, _say, _alter, _alter, _swap, _reverse),
    *(_attribute, _attribute, _nest, _interrupt, _stranger),
)


def _parent(element: etree._Element) -> etree._Element:
    parent = element.getparent()
    assert parent is not None
    return parent


def _set_text(element: etree._Element, text: str) -> None:
    try:
        element.text = text
    except ValueError:
        # XML has no way to write this character; the fuzzer over bytes tries it all the same.
        element.text = ""


def _set(element: etree._Element, name: str, value: str) -> None:
    try:
        element.set(name, value)
    except ValueError:
        element.set("x", "")
