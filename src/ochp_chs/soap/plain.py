"""Runs of plainly written records, which are taken from the bytes without a parser.

Most of a long list is the same few tags over and over. A codec that can read them by one regular
expression is asked first; the parser gets what it cannot read, and everything around the records.
It is the same as if the parser had read all of it, because

- a run is passed over only where the parser stands between two records. It stands there when it was
  given nothing with comments, CDATA sections or processing instructions, so that every `<` it was
  given began or ended an element; as many records as it was given end tags of records are children
  of the request; and the last of them is the record that the last end tag ends: it has as many
  elements inside as there are start tags from the record's own one on;
- from there on, a run begins behind one record's end tag and ends with another's, and the codec
  takes it only if it is whole records from its first to its last byte, written in characters that
  are the same in every encoding that is read this way. The parser would stand between two records
  behind it as well.

Where any of this does not hold, it reads on by itself, and is asked again behind the next records.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from lxml import etree

from ochp_chs.clearing.exchange import Columns, PlainReading, ReadRun
from ochp_chs.ochp.operations import NAMESPACE
from ochp_chs.ochp.xml import local_name

#: A prefix of more characters is left to the parser.
_PREFIX = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,19}")

_XML_DECLARATION = re.compile(rb"\A(?:\xef\xbb\xbf)?<\?xml [^<>?]*\?>")

#: What hides other tags, or is one that is not an element's.
_NOT_ELEMENTS = (b"<!", b"<?")


class Runs:
    """What the parser was given so far, and whether it stands between two records now."""

    #: Nothing but elements came so far.
    _elements_only = True

    def __init__(self, read: ReadRun, tag: str, head: bytes) -> None:
        self._read = read
        self._start, self._end = f"<{tag}>".encode(), f"</{tag}>".encode()
        self._ends = 0
        #: The last bytes that the parser was given, too few for another end tag.
        self._tail = b""
        self.skipped = Skipped()
        self.parsed(head)
        self._elements_only = _holds_elements_only(_XML_DECLARATION.sub(b"", head))

    def end_of_last(self, waiting: bytes) -> int:
        """Where the last record's end tag ends; 0 if there is none."""
        return waiting.rfind(self._end) + len(self._end) if self._end in waiting else 0

    def read(self, run: bytes) -> Columns | None:
        """The rows of a run of records behind another record; None: the parser has to read it."""
        try:
            columns = self._read(run.decode("ascii"))
        except UnicodeDecodeError:
            return None
        if columns is not None:
            self.skipped.passed_over(run)
        return columns

    def parsed(self, piece: bytes) -> None:
        """The parser was given a piece."""
        seen = self._tail + piece
        self._ends += seen.count(self._end)
        self._elements_only = self._elements_only and _holds_elements_only(seen)
        self._tail = seen[1 - len(self._end) :]
        self.skipped.parsed(piece)

    def stand_between(self, piece: bytes, request: etree._Element | None, taken: int) -> bool:
        """Whether the parser stands between two records, behind what it was given last.

        `taken` records are not in the request any more.
        """
        if request is None or not len(request) or not piece.endswith(self._end):
            return False
        if not self._elements_only or taken + len(request) != self._ends:
            return False
        last = piece[piece.rfind(self._start) :]
        if not last.startswith(self._start):
            return False
        starts = last.count(b"<") - last.count(b"</")
        return sum(1 for _ in request[-1].iter(etree.Element)) == starts


def runs_in(
    head: bytes, request: etree._Element, tags: Collection[str], reading: PlainReading
) -> Runs | None:
    """How records like the request's first child may be passed over; None: not at all.

    `head` is all that the parser was given.
    """
    encoding = request.getroottree().docinfo.encoding or "UTF-8"
    if not len(request) or request[0].tag not in tags or encoding.upper().startswith("UTF-16"):
        return None
    prefix = request[0].prefix
    if request.nsmap.get(prefix) != NAMESPACE or not (prefix is None or _PREFIX.fullmatch(prefix)):
        return None
    name = local_name(request[0])
    tag = f"{prefix}:{name}" if prefix else name
    return Runs(reading(prefix or "", name), tag, head)


def _holds_elements_only(piece: bytes) -> bool:
    return not any(sign in piece for sign in _NOT_ELEMENTS)


@dataclass(slots=True)
class Skipped:
    """How far the parser's idea of line and column is off, for who is told of an error there."""

    #: Lines that were passed over.
    _lines: int = 0
    #: The line, as the parser counts, whose columns are off, and by how much.
    _line: int = 0
    _columns: int = 0
    _parsed_lines: int = 0
    #: Bytes that the parser was given of its last line.
    _parsed_columns: int = 0

    def parsed(self, piece: bytes) -> None:
        """The parser was given a piece."""
        lines = piece.count(b"\n")
        self._parsed_lines += lines
        if lines:
            self._parsed_columns = _columns_after(piece)
        else:
            self._parsed_columns += len(piece)

    def passed_over(self, run: bytes) -> None:
        """The parser was not given a run."""
        lines = run.count(b"\n")
        if lines:
            self._columns = _columns_after(run) - self._parsed_columns
        elif self._line == self._parsed_lines:
            self._columns += len(run)
        else:
            self._columns = len(run)
        self._line = self._parsed_lines
        self._lines += lines

    def true_place(self, line: int, column: int) -> tuple[int, int]:
        """Line and column in the message, given the parser's, both from 1."""
        if line == self._line + 1:
            column += self._columns
        return line + self._lines, column


def _columns_after(text: bytes) -> int:
    return len(text) - text.rindex(b"\n") - 1
