"""One message in and one answer out, as the operations see them: no SOAP, no HTTP."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from lxml import etree

from ochp_chs.clearing.vault import Vault
from ochp_chs.ochp.operations import Operation
from ochp_chs.ochp.reading import Reading
from ochp_chs.ochp.results import Result, ResultCode
from ochp_chs.ochp.violations import Violation
from ochp_chs.repository.engine import Database
from ochp_chs.repository.partners import Partner

#: Inner XML of one record (or of a few) each; see ochp/xml.py.
Blocks = Iterator[Sequence[str]]


@dataclass(frozen=True, slots=True)
class ClearingHouse:
    """What every operation works with."""

    database: Database
    #: The server's time, aware.
    clock: Callable[[], datetime]
    #: Partners' clocks may be off by this much; deltas reach back by it.
    clock_tolerance: timedelta
    #: What keeps access tokens secret at rest.
    vault: Vault


@dataclass(frozen=True, slots=True)
class Call:
    """Who calls what, when; the reference names this exchange in logs and answers."""

    partner: Partner
    operation: Operation
    reference: str
    received_at: datetime


class IncomingRecord(NamedTuple):
    """One record of an upload as it was read."""

    #: Counted from 1 over the whole message.
    position: int
    element_name: str
    element: etree._Element
    #: Why it is not valid against its XSD type; empty: it is.
    violations: Sequence[Violation]
    #: What tolerant reading repaired in it, each as rule, field, value as it was, and sentence.
    repairs: Sequence[Violation]


#: Rows of records, column by column.
Columns = Sequence[Sequence[object]]

#: Reads a run of records as they are written, white space between them included. None where it is
#: not whole records from begin to end, where one of them is written in a way that takes a parser,
#: or where something is to be said of one.
ReadRun = Callable[[str], Columns | None]

#: How runs of elements are read, given the prefix of all names inside (empty for none) and the
#: elements' name.
PlainReading = Callable[[str, str], ReadRun]


@dataclass(frozen=True, slots=True)
class IncomingBlock:
    """Records that arrived together."""

    #: Place of the first one in the message, from 1.
    position: int
    #: One by one.
    records: Iterator[IncomingRecord]


@dataclass(frozen=True, slots=True)
class IncomingRows:
    """The same where a `PlainReading` has read the records: there is nothing to say of them."""

    position: int
    columns: Columns


class Message(Protocol):
    """The body of a request, read as it arrives."""

    @property
    def is_long(self) -> bool:
        """It is read in pieces, for it is larger than what is taken in at once."""

    def collect(self) -> None:
        """Wait for all of it, outside of any transaction, and without keeping it in memory."""

    def records(self, reading: Reading) -> Iterator[IncomingRecord]:
        """The request's repeated elements, one by one; each is gone when the next is asked for.

        Raises `FrameRefused` for a wrong frame, and whatever a broken message raises at the point
        where it breaks: only when the iterator has ended is the message whole.
        """

    def blocks(
        self, reading: Reading, plain: PlainReading | None = None
    ) -> Iterator[IncomingBlock | IncomingRows]:
        """The same in blocks, as they arrive; a block is gone when the next is asked for.

        Of a long message, what `plain` can read comes as rows.
        """

    def parameters(self, reading: Reading) -> etree._Element:
        """The request element without its records, valid; raises `FrameRefused`."""

    def valid_parameters(self) -> etree._Element | None:
        """The same if it has arrived and needs no repair, for who does not know the caller yet."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """A small request whose data is read together with the partner who calls.

    Nothing is known of the caller yet, and nothing may be told to him: only when he has proved who
    he is, is he answered.
    """

    #: Reads the partner of a name, and the data.
    find: Callable[[str], Partner | None]
    #: Answers from what was read.
    answer: Callable[[Call], "Answer"]


@dataclass(frozen=True, slots=True)
class Elements:
    """Repeated elements of a response: their name, and what stands inside each."""

    name: str
    blocks: Blocks
    #: The blocks' texts begin with the element's attributes and the bracket after them.
    with_attributes: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation answers: its result, if it has one, and any number of elements."""

    result: Result | None
    elements: Sequence[Elements] = field(default=())
    #: For the log: records read and refused.
    records_read: int = 0
    records_refused: int = 0
    #: How many of the refused records broke which rule.
    refusal_reasons: Mapping[str, int] = field(default_factory=dict)


def no_connection(operation: Operation) -> Answer:
    """The caller has no roaming connection that carries this data; empty if there is no result."""
    if not operation.has_result:
        return Answer(None)
    return Answer(
        Result(
            ResultCode.ROAMING,
            f"There is no roaming connection that carries what {operation.name} is about.",
        )
    )


def primed(blocks: Blocks) -> Blocks:
    """The same blocks, the first one fetched now: what fails at once fails before the answer."""
    first = next(blocks, None)
    return _resumed(first, blocks)


def _resumed(first: Sequence[str] | None, rest: Blocks) -> Blocks:
    try:
        if first is not None:
            yield first
        yield from rest
    finally:
        close = getattr(rest, "close", None)
        if close is not None:
            close()
