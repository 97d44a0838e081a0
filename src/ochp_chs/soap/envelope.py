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

from ochp_chs.clearing.exchange import Columns, PlainReading
from ochp_chs.soap.body import Limits
from ochp_chs.soap.faults import client_fault
from ochp_chs.soap.frame import (
    ENCODINGS,
    PARSER_OPTIONS,
    body_of,
    check_document,
    encoding_refused,
    header_of,
    is_body,
    no_operation,
    not_well_formed,
    request_of,
)
from ochp_chs.soap.shape import Shape
from ochp_chs.soap.stream import Stream, refuse_crowds, taken

#: Up to this size a message is parsed as a whole.
_WHOLE_BYTES_MAX = 1 << 16

#: No element can be written with less: `<a/>`.
_ELEMENT_BYTES_MIN = 4

#: The head is parsed in pieces of this size, to stop soon after the operation is known.
_HEAD_PIECE_BYTES = 1 << 12

_DECLARED_ENCODING = re.compile(rb"\A\s*<\?xml[^>]*encoding\s*=")
_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


@dataclass(slots=True)
class _Source:
    """The rest of the body, and what has been taken from it already."""

    chunks: Iterator[bytes]
    head: bytes
    at_end: bool
    encoding: str | None
    limits: Limits
    #: What the parts of the message may be at most.
    shape: Shape
    #: Takes in what the sender has not sent yet; see `Body.collect`.
    collect: Callable[[], None]


class Envelope:
    """One request: its header, the name of its request element, and that element's children."""

    def __init__(self, header: etree._Element | None, request_tag: str, source: _Source) -> None:
        self.header = header
        #: Qualified name of the Body's first element, which names the operation.
        self.request_tag = request_tag
        #: What its parts may be at most.
        self.shape = source.shape
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
            for _ in self._streamed((), None):
                pass
        return cast(etree._Element, self._request)

    def blocks(
        self, tags: Collection[str], plain: PlainReading | None = None
    ) -> Iterator[etree._Element | Columns]:
        """The request's children of these qualified names, some at a time, inside a new element.

        Of a message that streams, what `plain` can read comes as rows. Raises a fault where the
        message breaks. Only when this has ended is the message whole.
        """
        if self._request is None:
            yield from self._streamed(tags, plain)
        elif len(self._source.head) > _ELEMENT_BYTES_MIN * self.shape.elements_max:
            refuse_crowds(self._request, self.shape)
        yield from taken(self.request, tags, is_whole=True)

    def _streamed(
        self, tags: Collection[str], plain: PlainReading | None
    ) -> Iterator[etree._Element | Columns]:
        source = self._source
        stream = Stream(self.request_tag, tags, source.limits, source.encoding, plain)
        yield from stream.blocks(source.head, source.chunks)
        self._request = stream.request


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
    shape = limits.shape.for_message(head) if at_end else limits.shape
    source = _Source(chunks, bytes(head), at_end, encoding, limits, shape, collect)
    _refuse_doctype(source.head)
    return _whole(source) if at_end else _headed(source)


def _whole(source: _Source) -> Envelope:
    try:
        parser = etree.XMLParser(encoding=source.encoding, **PARSER_OPTIONS)
        root = etree.fromstring(source.head, parser)
    except etree.XMLSyntaxError as error:
        raise not_well_formed(error) from None
    except ValueError:
        raise client_fault("The message is empty or not XML.") from None
    check_document(root)
    body = body_of(root)
    request = request_of(body)
    envelope = Envelope(header_of(root, source.shape), str(request.tag), source)
    envelope._request = request
    return envelope


def _headed(source: _Source) -> Envelope:
    """Find the operation with a parser that is given no more than it needs."""
    parser = etree.XMLPullParser(events=("start",), encoding=source.encoding, **PARSER_OPTIONS)
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
                    raise no_operation()
                source.head += chunk
            piece = source.head[fed : fed + _HEAD_PIECE_BYTES]
            fed += len(piece)
            parser.feed(piece)
            for _, element in parser.read_events():
                parent = element.getparent()
                if parent is None:
                    check_document(element)
                elif is_body(parent):
                    root = cast(etree._Element, parent.getparent())
                    header = header_of(root, source.shape)
                    return Envelope(header, str(element.tag), source)
    except etree.XMLSyntaxError as error:
        raise not_well_formed(error) from None


def _encoding(head: bytes, charset: str | None) -> str | None:
    """The encoding to force on the parser: the HTTP header's, where the document says nothing."""
    # UTF-16 without a byte order mark shows by its first character, which can only be this one.
    if head.startswith((b"<\0", b"\0<")):
        return "UTF-16LE" if head.startswith(b"<") else "UTF-16BE"
    if charset is None or head.startswith(_BYTE_ORDER_MARKS) or _DECLARED_ENCODING.match(head):
        return None
    if charset.upper() not in ENCODINGS:
        raise encoding_refused(charset)
    return charset


def _refuse_doctype(head: bytes) -> None:
    # The parser would read a DTD before the first element could be looked at.
    for encoding in ("ascii", "utf-16-le", "utf-16-be"):
        if "<!DOCTYPE".encode(encoding) in head:
            raise client_fault("A message must not have a document type declaration (DTD).")
