"""The SOAP envelope as it arrives: its head first, then the children of its one request element.

Two ways lead through a message. A short one is parsed as a whole. A long one is parsed twice at its
head (once to find the operation and the credentials, once for good) and then streams: each child
of the request element is handed on and dropped from the tree.
"""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import cast

from lxml import etree

from ochp_chs.ochp.operations import NAMESPACE
from ochp_chs.ochp.schema import RECORDS
from ochp_chs.ochp.xml import local_name
from ochp_chs.soap.body import Limits
from ochp_chs.soap.faults import SOAP_NAMESPACE, OchpFault, client_fault

_SOAP = f"{{{SOAP_NAMESPACE}}}"
_SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"

#: Up to this size a message is parsed as a whole.
_WHOLE_BYTES_MAX = 1 << 16

#: No element can be written with less: `<a/>`.
_ELEMENT_BYTES_MIN = 4

#: The head is parsed in pieces of this size, to stop soon after the operation is known.
_HEAD_PIECE_BYTES = 1 << 12

#: A request has a handful of children beside its records. Each costs thirty times the memory of the
#: four bytes that it may be written with.
_OTHER_CHILDREN_MAX = 1000

#: OCHP as the namespace of names without prefix; the stubs know prefixes only.
_BY_DEFAULT = cast(dict[str, str], {None: NAMESPACE})

#: Encodings whose meaning does not depend on who reads them.
_ENCODINGS = frozenset(
    {"UTF-8", "UTF8", "US-ASCII", "ASCII", "UTF-16", "UTF-16LE", "UTF-16BE", "ISO-8859-1"}
    | {"ISO-8859-15", "WINDOWS-1252"}
)

_DECLARED_ENCODING = re.compile(rb"\A\s*<\?xml[^>]*encoding\s*=")
_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")

#: Nothing is fetched, no entity is put in, and a DTD is refused before any of it is read.
_PARSER_OPTIONS = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "dtd_validation": False,
    "remove_comments": True,
    "remove_pis": True,
    "huge_tree": False,
}


@dataclass(slots=True)
class _Source:
    """The rest of the body, and what has been taken from it already."""

    chunks: Iterator[bytes]
    head: bytes
    at_end: bool
    encoding: str | None
    limits: Limits
    #: Takes in what the sender has not sent yet; see `Body.collect`.
    collect: Callable[[], None]


class Envelope:
    """One request: its header, the name of its request element, and that element's children."""

    def __init__(self, header: etree._Element | None, request_tag: str, source: _Source) -> None:
        self.header = header
        #: Qualified name of the Body's first element, which names the operation.
        self.request_tag = request_tag
        #: What its parts may be at most.
        self.shape = source.limits.shape
        self._source = source
        self._request: etree._Element | None = None

    @property
    def is_whole(self) -> bool:
        """The message was short and is parsed."""
        return self._source.at_end

    def collect(self) -> None:
        """Take in what the sender has not sent yet; reading does not wait for anybody then."""
        if not self._source.at_end:
            self._source.collect()

    @property
    def has_arrived(self) -> bool:
        """Whether all of the message was read, so that `request` does not wait for any of it."""
        return self._request is not None

    @property
    def request(self) -> etree._Element:
        """The request element with the children that were not handed on; once all was read."""
        if self._request is None:
            for _ in self._streamed(()):
                pass
        return cast(etree._Element, self._request)

    def blocks(self, tags: Collection[str]) -> Iterator[etree._Element]:
        """The request's children of these qualified names, some at a time, inside a new element.

        Raises a fault where the message breaks. Only when this has ended is the message whole.
        """
        if self._request is None:
            yield from self._streamed(tags)
        elif len(self._source.head) > _ELEMENT_BYTES_MIN * self.shape.elements_max:
            self._refuse_crowds(self._request)
        yield from _taken(self.request, tags, is_whole=True)

    def _streamed(self, tags: Collection[str]) -> Iterator[etree._Element]:
        # One event for the whole message. Asking for one per record would cost more than reading
        # the records: what has arrived whole is all children of the request but the last.
        parser = etree.XMLPullParser(
            events=("start",),
            tag=self.request_tag,
            encoding=self._source.encoding,
            **_PARSER_OPTIONS,
        )
        request: etree._Element | None = None
        unfinished_bytes = 0
        try:
            for chunk in self._all_chunks():
                parser.feed(chunk)
                unfinished_bytes += len(chunk)
                for _, event in parser.read_events():
                    element = cast(etree._Element, event)
                    if request is None and _is_request(element):
                        request = element
                self._refuse_crowds(request)
                if request is not None:
                    for block in _taken(request, tags, is_whole=False):
                        unfinished_bytes = 0
                        yield block
                if unfinished_bytes > self._source.limits.record_bytes_max + len(chunk):
                    raise _too_large_a_piece(self.request_tag, self._source.limits)
                if request is not None and len(request) > _OTHER_CHILDREN_MAX:
                    raise _too_many_others(request)
            root = parser.close()
        except etree.XMLSyntaxError as error:
            raise not_well_formed(error) from None
        self._request = _request_of(_body_of(root))

    def _refuse_crowds(self, request: etree._Element | None) -> None:
        # To take an element out of its message costs lxml time that grows with the square of the
        # number of elements inside (6.1), so this comes before.
        if request is not None and self.shape.has_crowded_child(request):
            raise _too_many_parts(self.request_tag, self.shape.elements_max)

    def _all_chunks(self) -> Iterator[bytes]:
        yield self._source.head
        yield from self._source.chunks


def _nothing_to_collect() -> None:
    """For a message that has arrived."""


def open_envelope(
    chunks: Iterator[bytes],
    charset: str | None,
    limits: Limits,
    collect: Callable[[], None] = _nothing_to_collect,
) -> Envelope:
    """Read a message's head; raises a fault if it is no SOAP 1.1 envelope with one operation."""
    head = bytearray()
    at_end = True
    for chunk in chunks:
        head += chunk
        if len(head) > _WHOLE_BYTES_MAX:
            at_end = False
            break
    encoding = _encoding(bytes(head[:1024]), charset)
    source = _Source(chunks, bytes(head), at_end, encoding, limits, collect)
    _refuse_doctype(source.head)
    return _whole(source) if at_end else _headed(source)


def _whole(source: _Source) -> Envelope:
    try:
        parser = etree.XMLParser(encoding=source.encoding, **_PARSER_OPTIONS)
        root = etree.fromstring(source.head, parser)
    except etree.XMLSyntaxError as error:
        raise not_well_formed(error) from None
    except ValueError:
        raise client_fault("The message is empty or not XML.") from None
    _check_document(root)
    body = _body_of(root)
    request = _request_of(body)
    envelope = Envelope(_header_of(root, source.limits), str(request.tag), source)
    envelope._request = request
    return envelope


def _headed(source: _Source) -> Envelope:
    """Find the operation with a parser that is given no more than it needs."""
    parser = etree.XMLPullParser(events=("start",), encoding=source.encoding, **_PARSER_OPTIONS)
    fed = 0
    try:
        while True:
            if fed > source.limits.header_bytes_max:
                raise client_fault(
                    f"The SOAP header is larger than {source.limits.header_bytes_max} bytes."
                )
            while fed >= len(source.head):
                chunk = next(source.chunks, b"")
                if not chunk:
                    parser.close()
                    raise _no_operation()
                source.head += chunk
            piece = source.head[fed : fed + _HEAD_PIECE_BYTES]
            fed += len(piece)
            parser.feed(piece)
            for _, element in parser.read_events():
                parent = element.getparent()
                if parent is None:
                    _check_document(element)
                elif _is_body(parent):
                    root = cast(etree._Element, parent.getparent())
                    header = _header_of(root, source.limits)
                    return Envelope(header, str(element.tag), source)
    except etree.XMLSyntaxError as error:
        raise not_well_formed(error) from None


def _taken(
    request: etree._Element, tags: Collection[str], *, is_whole: bool
) -> Iterator[etree._Element]:
    """The children with one of these names, moved out of their message into one new element."""
    block = list(request.iterchildren(*tags)) if tags else []
    if block and not is_whole and block[-1] is request[-1]:
        # The rest of it may still come.
        block.pop()
    if block:
        # Whatever prefix they came with, the children have none in there.
        holder = etree.Element(f"{{{NAMESPACE}}}{RECORDS}", nsmap=_BY_DEFAULT)
        holder.extend(block)
        yield holder


def _is_request(element: etree._Element) -> bool:
    body = element.getparent()
    return body is not None and _is_body(body)


def _is_body(element: etree._Element) -> bool:
    """Whether it is the envelope's own Body, not an element of that name inside of something."""
    return element.tag == f"{_SOAP}Body" and sum(1 for _ in element.iterancestors()) == 1


def _encoding(head: bytes, charset: str | None) -> str | None:
    """The encoding to force on the parser: the HTTP header's, where the document says nothing."""
    # UTF-16 without a byte order mark shows by its first character, which can only be this one.
    if head.startswith((b"<\0", b"\0<")):
        return "UTF-16LE" if head.startswith(b"<") else "UTF-16BE"
    if charset is None or head.startswith(_BYTE_ORDER_MARKS) or _DECLARED_ENCODING.match(head):
        return None
    if charset.upper() not in _ENCODINGS:
        raise _encoding_refused(charset)
    return charset


def _encoding_refused(name: str) -> OchpFault:
    return client_fault(f"The encoding {name[:40]!r} is not read here; send the message in UTF-8.")


def _refuse_doctype(head: bytes) -> None:
    # The parser would read a DTD before the first element could be looked at.
    for encoding in ("ascii", "utf-16-le", "utf-16-be"):
        if "<!DOCTYPE".encode(encoding) in head:
            raise client_fault("A message must not have a document type declaration (DTD).")


def _check_document(root: etree._Element) -> None:
    document = root.getroottree().docinfo
    if document.doctype:
        raise client_fault("A message must not have a document type declaration (DTD).")
    if document.encoding and document.encoding.upper() not in _ENCODINGS:
        raise _encoding_refused(document.encoding)
    if root.tag == f"{_SOAP}Envelope":
        return
    if str(root.tag).startswith(f"{{{_SOAP_12}}}"):
        raise client_fault("SOAP 1.2 is not served here; send a SOAP 1.1 envelope.")
    raise client_fault(
        "The message is not a SOAP 1.1 envelope but begins with an element"
        f" {str(root.tag)[:100]!r}."
    )


def _header_of(root: etree._Element, limits: Limits) -> etree._Element | None:
    headers = list(root.iterchildren(f"{_SOAP}Header"))
    if not headers:
        return None
    if len(headers) > 1:
        raise client_fault(
            f"The SOAP envelope has {len(headers)} Header elements; it may have one."
        )
    excess = limits.shape.excess(headers[0])
    if excess is not None:
        raise client_fault(f"The SOAP header cannot be read: {excess.field}: {excess.text}.")
    return headers[0]


def _body_of(root: etree._Element) -> etree._Element:
    bodies = list(root.iterchildren(f"{_SOAP}Body"))
    if len(bodies) != 1:
        raise client_fault(f"The SOAP envelope has {len(bodies)} Body elements; it must have one.")
    return bodies[0]


def _request_of(body: etree._Element) -> etree._Element:
    if len(body) == 0:
        raise _no_operation()
    if len(body) > 1:
        raise client_fault(
            f"The SOAP Body must hold one request; this one also has {local_name(body[1])[:100]!r}."
        )
    return body[0]


def _no_operation() -> OchpFault:
    return client_fault("The SOAP Body is empty: it names no operation.")


def _too_large_a_piece(request_tag: str, limits: Limits) -> OchpFault:
    name = request_tag.rpartition("}")[2]
    return client_fault(
        f"A part of {name!r} is larger than {limits.record_bytes_max} bytes without being one of"
        " the records that are read here; nothing was changed."
    )


def _too_many_parts(request_tag: str, most: int) -> OchpFault:
    name = request_tag.rpartition("}")[2]
    return client_fault(
        f"A part of {name} has more than {most} elements inside, the most that is read here;"
        " nothing was changed."
    )


def _too_many_others(request: etree._Element) -> OchpFault:
    return client_fault(
        f"The request holds more than {_OTHER_CHILDREN_MAX} elements that are none of the"
        f" records that are read here, such as {local_name(request[0])[:100]!r};"
        " nothing was changed."
    )


def not_well_formed(error: etree.XMLSyntaxError) -> OchpFault:
    """The fault for a message that is no well-formed XML, with line and column."""
    line, column = error.position
    reason = " ".join((error.msg or "it ends too early").partition(", line ")[0].split())
    return client_fault(
        f"The message is not well-formed XML (line {line}, column {column}): {reason}."
        " Nothing was changed."
    )
