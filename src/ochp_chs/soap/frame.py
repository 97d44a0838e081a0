"""What stands around the records: envelope, header, body and the one request in it."""

import re

from lxml import etree

from ochp_chs.ochp.xml import local_name
from ochp_chs.soap.faults import SOAP_NAMESPACE, OchpFault, client_fault
from ochp_chs.soap.shape import Shape

_SOAP = f"{{{SOAP_NAMESPACE}}}"
_SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"

#: Encodings whose meaning does not depend on who reads them.
ENCODINGS = frozenset(
    {"UTF-8", "UTF8", "US-ASCII", "ASCII", "UTF-16", "UTF-16LE", "UTF-16BE", "ISO-8859-1"}
    | {"ISO-8859-15", "WINDOWS-1252"}
)

_LINE = re.compile(r" line \d+\b")

#: Nothing is fetched, no entity is put in, and a DTD is refused before any of it is read.
PARSER_OPTIONS = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "dtd_validation": False,
    "remove_comments": True,
    "remove_pis": True,
    "huge_tree": False,
}


def is_body(element: etree._Element) -> bool:
    """Whether it is the envelope's own Body, not an element of that name inside of something."""
    return element.tag == f"{_SOAP}Body" and sum(1 for _ in element.iterancestors()) == 1


def check_document(root: etree._Element) -> None:
    """Raises a fault for what is no SOAP 1.1 envelope, has a DTD, or an odd encoding."""
    document = root.getroottree().docinfo
    if document.doctype:
        raise client_fault("A message must not have a document type declaration (DTD).")
    if document.encoding and document.encoding.upper() not in ENCODINGS:
        raise encoding_refused(document.encoding)
    if root.tag == f"{_SOAP}Envelope":
        return
    if str(root.tag).startswith(f"{{{_SOAP_12}}}"):
        raise client_fault("SOAP 1.2 is not served here; send a SOAP 1.1 envelope.")
    raise client_fault(
        "The message is not a SOAP 1.1 envelope but begins with an element"
        f" {str(root.tag)[:100]!r}."
    )


def header_of(root: etree._Element, shape: Shape) -> etree._Element | None:
    """The envelope's header, if it has one; raises a fault if it is beyond bounds."""
    headers = list(root.iterchildren(f"{_SOAP}Header"))
    if not headers:
        return None
    if len(headers) > 1:
        raise client_fault(
            f"The SOAP envelope has {len(headers)} Header elements; it may have one."
        )
    excess = shape.excess(headers[0])
    if excess is not None:
        raise client_fault(f"The SOAP header cannot be read: {excess.field}: {excess.text}.")
    return headers[0]


def body_of(root: etree._Element) -> etree._Element:
    """The envelope's one body; raises a fault."""
    bodies = list(root.iterchildren(f"{_SOAP}Body"))
    if len(bodies) != 1:
        raise client_fault(f"The SOAP envelope has {len(bodies)} Body elements; it must have one.")
    return bodies[0]


def request_of(body: etree._Element) -> etree._Element:
    """The body's one element; raises a fault."""
    if len(body) == 0:
        raise no_operation()
    if len(body) > 1:
        raise client_fault(
            f"The SOAP Body must hold one request; this one also has {local_name(body[1])[:100]!r}."
        )
    return body[0]


def no_operation() -> OchpFault:
    """The fault for a message without a request."""
    return client_fault("The SOAP Body is empty: it names no operation.")


def encoding_refused(name: str) -> OchpFault:
    """The fault for an encoding that is none of `ENCODINGS`."""
    return client_fault(f"The encoding {name[:40]!r} is not read here; send the message in UTF-8.")


def not_well_formed(error: etree.XMLSyntaxError, place: tuple[int, int] | None = None) -> OchpFault:
    """The fault for a message that is no well-formed XML, with line and column.

    `place` says where it breaks if the parser was not given all of the message.
    """
    line, column = place or error.position
    reason = " ".join((error.msg or "it ends too early").partition(", line ")[0].split())
    # Where an element began that is not ended: the line as the parser counted.
    reason = _LINE.sub("", reason)
    return client_fault(
        f"The message is not well-formed XML (line {line}, column {column}): {reason}."
        " Nothing was changed."
    )
