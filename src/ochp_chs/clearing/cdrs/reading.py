"""AddCDRs, first half: the message is read to its end before anything is locked or stored."""

import pickle
import tempfile
from collections.abc import Collection, Iterator, Sequence
from typing import IO

from ochp_chs.clearing.cdrs.submission import cdr_key
from ochp_chs.clearing.exchange import IncomingRecord
from ochp_chs.clearing.spool import NoteSpool, Spool
from ochp_chs.ochp.identifiers import is_cdr_id
from ochp_chs.ochp.operations import NAMESPACE
from ochp_chs.ochp.records.cdr import Cdr, CdrStatus, decode
from ochp_chs.ochp.results import Tally
from ochp_chs.ochp.violations import Reason, Violation
from ochp_chs.ochp.xml import inner_xml
from ochp_chs.repository.cdrs import Submitted

_IN = f"{{{NAMESPACE}}}"

#: CDRs are judged and stored in blocks of at most this many.
BLOCK_CDRS = 500

#: Place of the status in a CDRInfo.
_STATUS = 4


class SubmittedBlocks:
    """The decoded CDRs of one message in blocks: the last one in memory, others on disk."""

    def __init__(self) -> None:
        self._last: list[Submitted] = []
        self._keys: set[str] = set()
        self._file: IO[bytes] | None = None
        self._count = 0

    def append(self, submitted: Submitted) -> None:
        """Add one at the end. No key comes twice in one block: the second sees the first stored."""
        if len(self._last) >= BLOCK_CDRS or submitted.key in self._keys:
            self._put_away()
        self._keys.add(submitted.key)
        self._last.append(submitted)

    def __iter__(self) -> Iterator[list[Submitted]]:
        if self._file is not None:
            self._file.seek(0)
            for _ in range(self._count):
                # What is read was written above, by this object, into a file without a name.
                yield pickle.load(self._file)  # noqa: S301
        if self._last:
            yield self._last

    def close(self) -> None:
        """Give the disk space back."""
        if self._file is not None:
            self._file.close()

    def _put_away(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - until close()
        pickle.dump(self._last, self._file, pickle.HIGHEST_PROTOCOL)
        self._count += 1
        self._last = []
        self._keys = set()


class ReadCdrs:
    """What reading a message leaves: CDRs to be judged, and those that are refused already."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.blocks = SubmittedBlocks()
        #: Every refusal with its reasons, for the message log.
        self.refusals = NoteSpool()
        #: The IDs of refused CDRs, to be answered in implausibleCdrsArray.
        self.implausible = Spool()
        #: Keys of CDRs that are sent as revised or rejected, to be locked in order.
        self.stepping: list[str] = []

    def refuse(self, position: int, cdr_id: str, violations: Sequence[Violation]) -> None:
        """Count a refused CDR; it is answered by its ID if the schema allows the ID."""
        self.tally.refuse(position, cdr_id, violations)
        self.refusals.append(position, cdr_id, violations)
        if is_cdr_id(cdr_id):
            self.implausible.append(cdr_id)

    def hand_over_implausible(self) -> Spool:
        """The refused IDs, for the answer; they are the caller's to close."""
        implausible, self.implausible = self.implausible, Spool()
        return implausible

    def close(self) -> None:
        """Give the disk space back."""
        self.blocks.close()
        self.refusals.close()
        self.implausible.close()


def read_cdrs(
    records: Iterator[IncomingRecord], operators: Collection[str], read: ReadCdrs
) -> None:
    """Read the whole message. `operators` are the caller's; nobody sends another's CDRs."""
    for position, _, element, violations, repairs in records:
        read.tally.read += 1
        cdr_id = (element.findtext(f"{_IN}CdrId") or "").strip()
        if repairs:
            read.tally.repair(position, cdr_id, repairs)
        if violations:
            read.refuse(position, cdr_id, violations)
            continue
        cdr = decode(element)
        if isinstance(cdr, list):
            read.refuse(position, cdr_id, cdr)
            continue
        if cdr.operator not in operators:
            read.refuse(position, cdr_id, [_foreign_evse(cdr, operators)])
            continue
        # The status is the clearing house's: it is put in again when the record leaves.
        element.remove(element[_STATUS])
        submitted = Submitted(position, cdr_key(cdr), cdr, inner_xml(element))
        if cdr.status is not CdrStatus.NEW:
            read.stepping.append(submitted.key)
        read.blocks.append(submitted)


def _foreign_evse(cdr: Cdr, operators: Collection[str]) -> Violation:
    own = ", ".join(sorted(operators)) or "none"
    return Violation(
        "evse-operator",
        "evseId",
        cdr.evse_id,
        f"operator {cdr.operator} is not one of yours ({own})",
        Reason.IDENTIFIER,
    )
