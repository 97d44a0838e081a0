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
class _Gap:
    """A place at which the parser was not given something."""

    #: Where the parser was: full lines, and bytes of the last one.
    at: tuple[int, int]
    #: What it missed before or here: lines, and by how much the columns of the line are off.
    lines: int
    columns: int


class Skipped:
    """How far the parser's idea of line and column is off, for who is told of an error there."""

    def __init__(self) -> None:
        self._at = (0, 0)
        self._gaps: list[_Gap] = []

    def parsed(self, piece: bytes) -> None:
        """The parser was given a piece."""
        lines, columns = self._at
        self._at = _behind(piece, lines, columns)

    def passed_over(self, run: bytes) -> None:
        """The parser was not given a run."""
        last = self._gaps[-1] if self._gaps else _Gap((0, 0), 0, 0)
        lines, columns = self._at
        shift = last.columns if last.at[0] == lines else 0
        true_lines, true_columns = _behind(run, lines + last.lines, columns + shift)
        gap = _Gap(self._at, true_lines - lines, true_columns - columns)
        if self._gaps and last.at == self._at:
            self._gaps.pop()
        self._gaps.append(gap)

    def true_place(self, line: int, column: int) -> tuple[int, int]:
        """Line and column in the message, given the parser's, both from 1."""
        # Of what stands behind a gap, the parser complains when it is a character further at least.
        for gap in reversed(self._gaps):
            if gap.at < (line - 1, column - 1):
                return line + gap.lines, column + (gap.columns if gap.at[0] == line - 1 else 0)
        return line, column


def _behind(text: bytes, lines: int, columns: int) -> tuple[int, int]:
    """Where one is behind a text that begins there."""
    if b"\n" not in text:
        return lines, columns + len(text)
    return lines + text.count(b"\n"), len(text) - text.rindex(b"\n") - 1
