"""A long message as it streams: the request's records in blocks, each dropped from the tree."""

from collections.abc import Collection, Iterator
from typing import cast

from lxml import etree

from ochp_chs.clearing.exchange import Columns, PlainReading
from ochp_chs.ochp.operations import NAMESPACE
from ochp_chs.ochp.schema import RECORDS
from ochp_chs.ochp.xml import local_name
from ochp_chs.soap.body import Limits
from ochp_chs.soap.faults import OchpFault, client_fault
from ochp_chs.soap.frame import PARSER_OPTIONS, body_of, is_body, not_well_formed, request_of
from ochp_chs.soap.plain import Runs, runs_in
from ochp_chs.soap.shape import Shape

#: A request has a handful of children beside its records. Each costs thirty times the memory of the
#: four bytes that it may be written with.
_OTHER_CHILDREN_MAX = 1000

#: Behind a record, so many bytes wait for the end of the next one before the parser gets them.
_WAITING_BYTES_MAX = 1 << 16

#: OCHP as the namespace of names without prefix; the stubs know prefixes only.
_BY_DEFAULT = cast(dict[str, str], {None: NAMESPACE})


class Stream:
    """One way through a message: the parser's, but for what a `PlainReading` reads."""

    def __init__(
        self,
        request_tag: str,
        tags: Collection[str],
        limits: Limits,
        encoding: str | None,
        plain: PlainReading | None,
    ) -> None:
        self._request_tag = request_tag
        self._tags = tags
        self._limits = limits
        self._plain = plain
        # One event for the whole message. Asking for one per record would cost more than reading
        # the records: what has arrived whole is all children of the request but the last.
        self._parser = etree.XMLPullParser(
            events=("start",), tag=request_tag, encoding=encoding, **PARSER_OPTIONS
        )
        self._root: etree._Element | None = None
        self._request: etree._Element | None = None
        self._taken = 0
        self._unfinished_bytes = 0
        self._runs: Runs | None = None

    @property
    def request(self) -> etree._Element:
        """The request element with what was not taken out of it, when all is read."""
        return request_of(body_of(cast(etree._Element, self._root)))

    def blocks(self, head: bytes, chunks: Iterator[bytes]) -> Iterator[etree._Element | Columns]:
        """The request's records as they arrive, the last of them excepted.

        Raises a fault where the message breaks. Only when this has ended is the message whole.
        """
        try:
            yield from self._parsed(head)
            if self._plain is not None and self._request is not None:
                self._runs = runs_in(head, self._request, self._tags, self._plain)
            yield from self._divided(chunks, self._runs) if self._runs else self._undivided(chunks)
            self._root = self._parser.close()
        except etree.XMLSyntaxError as error:
            place = self._runs and self._runs.skipped.true_place(*error.position)
            raise not_well_formed(error, place) from None

    def _undivided(self, chunks: Iterator[bytes]) -> Iterator[etree._Element]:
        for chunk in chunks:
            yield from self._parsed(chunk)

    def _divided(self, chunks: Iterator[bytes], runs: Runs) -> Iterator[etree._Element | Columns]:
        """The parser gets what cannot be read without it."""
        waiting, stands_between = b"", False
        for chunk in chunks:
            waiting += chunk
            end = runs.end_of_last(waiting)
            if stands_between and not end and len(waiting) <= _WAITING_BYTES_MAX:
                continue
            records, waiting = waiting[:end], waiting[end:]
            columns = runs.read(records) if stands_between and records else None
            if columns is not None:
                yield columns
                continue
            yield from self._parsed(records)
            stands_between = runs.stand_between(records, self._request, self._taken)
            if stands_between:
                yield from self._take(is_whole=True)
            else:
                yield from self._parsed(waiting)
                waiting = b""
        yield from self._parsed(waiting)

    def _parsed(self, piece: bytes) -> Iterator[etree._Element]:
        if not piece:
            return
        self._parser.feed(piece)
        if self._runs is not None:
            self._runs.parsed(piece)
        self._unfinished_bytes += len(piece)
        for _, event in self._parser.read_events():
            element = cast(etree._Element, event)
            if self._request is None and _is_request(element):
                self._request = element
        request = self._request
        if request is not None:
            refuse_crowds(request, self._limits.shape)
            yield from self._take(is_whole=False)
        if self._unfinished_bytes > self._limits.record_bytes_max + len(piece):
            raise _too_large_a_piece(self._request_tag, self._limits)
        if request is not None and len(request) > _OTHER_CHILDREN_MAX:
            raise _too_many_others(request)

    def _take(self, *, is_whole: bool) -> Iterator[etree._Element]:
        for block in taken(cast(etree._Element, self._request), self._tags, is_whole=is_whole):
            self._taken += len(block)
            self._unfinished_bytes = 0
            yield block


def taken(
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


def refuse_crowds(request: etree._Element, shape: Shape) -> None:
    """Raise a fault for a child of the request that has too many elements inside."""
    # To take an element out of its message costs lxml time that grows with the square of the
    # number of elements inside (6.1), so this comes before.
    if shape.has_crowded_child(request):
        raise _too_many_parts(str(request.tag), shape.elements_max)


def _is_request(element: etree._Element) -> bool:
    body = element.getparent()
    return body is not None and is_body(body)


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
