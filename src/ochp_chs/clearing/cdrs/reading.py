"""AddCDRs, first half: the message is read to its end before anything is locked or stored."""

from collections.abc import Collection, Iterator, Sequence
from itertools import islice

from lxml import etree

from ochp_chs.clearing.cdrs.submission import cdr_key
from ochp_chs.clearing.exchange import IncomingRecord
from ochp_chs.clearing.spool import NoteSpool, Spool
from ochp_chs.ochp.identifiers import is_cdr_id, operator_of
from ochp_chs.ochp.operations import NAMESPACE
from ochp_chs.ochp.records.cdr import CdrStatus, decode
from ochp_chs.ochp.results import Tally
from ochp_chs.ochp.violations import Reason, Violation
from ochp_chs.ochp.xml import inner_xml_of_large
from ochp_chs.repository.cdrs import Submitted

_IN = f"{{{NAMESPACE}}}"

#: CDRs are judged and stored in blocks of at most this many.
BLOCK_CDRS = 1000

#: Places of the IDs and of the status in a CDRInfo.
_CDR_ID, _EVSE_ID, _STATUS = 0, 1, 4

_STATUS_XML = "<status><CdrStatusType>{}</CdrStatusType></status>"

# Of CDRs that were read, judged by the schema and written by this server.
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True)


class ReadCdrs:
    """What reading a message leaves: CDRs to be judged, and those that are refused already."""

    def __init__(self) -> None:
        self.tally = Tally()
        #: Every refusal with its reasons, for the message log.
        self.refusals = NoteSpool()
        #: The IDs of refused CDRs, to be answered in implausibleCdrsArray.
        self.implausible = Spool()
        #: Valid CDRs, each with its place in the message before it. As text: as objects, a month
        #: of CDRs would not fit into memory, and to pickle them takes longer than to read them
        #: once more.
        self.valid = Spool()
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
        self.valid.close()
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
        evse_id = element[_EVSE_ID].text or ""
        if operator_of(evse_id) not in operators:
            read.refuse(position, cdr_id, [_foreign_evse(evse_id, operators)])
            continue
        if element[_STATUS][0].text != CdrStatus.NEW:
            read.stepping.append(cdr_key(cdr_id, evse_id))
        read.valid.append(f"{position} {inner_xml_of_large(element)}")


def submitted_blocks(read: ReadCdrs) -> Iterator[list[Submitted]]:
    """The CDRs that mean something, in blocks; those that do not are refused on the way.

    No key comes twice in one block: the second is to find the first one stored.
    """
    block: list[Submitted] = []
    keys: set[str] = set()
    for submitted in _submitted(read):
        if len(block) >= BLOCK_CDRS or submitted.key in keys:
            yield block
            block, keys = [], set()
        block.append(submitted)
        keys.add(submitted.key)
    if block:
        yield block


def _submitted(read: ReadCdrs) -> Iterator[Submitted]:
    texts = iter(read.valid)
    while lines := list(islice(texts, _PARSED_CDRS)):
        positions, payloads = zip(*[line.split(" ", 1) for line in lines], strict=True)
        records = "</r><r>".join(payloads)
        parsed = etree.fromstring(f'<all xmlns="{NAMESPACE}"><r>{records}</r></all>', _PARSER)
        for position, payload, element in zip(map(int, positions), payloads, parsed, strict=True):
            cdr = decode(element)
            if isinstance(cdr, list):
                read.refuse(position, element[_CDR_ID].text or "", cdr)
                continue
            # The status is the clearing house's: it is put in again when the record leaves.
            content = payload.replace(_STATUS_XML.format(cdr.status.value), "", 1)
            yield Submitted(position, cdr_key(cdr.cdr_id, cdr.evse_id), cdr, content)


#: CDRs are parsed again by so many at a time.
_PARSED_CDRS = 100


def _foreign_evse(evse_id: str, operators: Collection[str]) -> Violation:
    own = ", ".join(sorted(operators)) or "none"
    return Violation(
        "evse-operator",
        "evseId",
        evse_id,
        f"operator {operator_of(evse_id)} is not one of yours ({own})",
        Reason.IDENTIFIER,
    )
