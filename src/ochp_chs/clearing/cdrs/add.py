"""AddCDRs: read to the end, then judge and store in one transaction (PROTOCOL, "CDRs")."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing

from ochp_chs.clearing.cdrs.desk import Desk
from ochp_chs.clearing.cdrs.reading import ReadCdrs, read_cdrs, submitted_blocks
from ochp_chs.clearing.cdrs.submission import Action, KeptCdr, Refused, wanted_action
from ochp_chs.clearing.errors import FrameRefused
from ochp_chs.clearing.exchange import Answer, Call, ClearingHouse, Elements, Message
from ochp_chs.clearing.message_log import log_message
from ochp_chs.clearing.vault import Vault
from ochp_chs.ochp.records.cdr import CdrStatus
from ochp_chs.ochp.results import Result
from ochp_chs.ochp.roles import Role
from ochp_chs.ochp.violations import Violation
from ochp_chs.repository import cdr_digests, cdrs
from ochp_chs.repository.cdrs import Origin, StoredCdr, Submitted
from ochp_chs.repository.engine import Connection


def add_cdrs(house: ClearingHouse, call: Call, message: Message) -> Answer:
    """Take in what is plausible and allowed by the status flow, refuse the rest by name."""
    with closing(ReadCdrs()) as read:
        operators = call.partner.party_ids(Role.CPO)
        read_cdrs(message.records(call.partner.reading), operators, read)
        if not read.tally.read:
            raise FrameRefused("AddCDRsRequest needs at least one cdrInfoArray.")
        result = _store(house, call, read)
        return Answer(
            result,
            [Elements("implausibleCdrsArray", read.hand_over_implausible().blocks())],
            records_read=read.tally.read,
            records_refused=read.tally.refused,
            refusal_reasons=read.tally.rules,
        )


def _store(house: ClearingHouse, call: Call, read: ReadCdrs) -> Result:
    origin = Origin(call.partner.name, call.reference, call.received_at)
    changed = 0
    with house.database.begin() as connection:
        cdrs.lock_originator(connection, call.partner.id)
        if read.stepping:
            cdrs.lock_cdrs(connection, read.stepping)
        desk = Desk(connection, call.partner, house.clock())
        for block in submitted_blocks(read):
            changed += _Block(connection, desk, read, origin, house.vault).store(block)
            # Before the next one is made: one at a time is what memory has to hold.
            block.clear()
        result = read.tally.result()
        log_message(
            connection,
            call,
            read.tally,
            result,
            changed=changed,
            refusals=read.refusals,
        )
    return result


class _Block:
    """One block of a message: no key comes twice in it."""

    def __init__(
        self,
        connection: Connection,
        desk: Desk,
        read: ReadCdrs,
        origin: Origin,
        vault: Vault,
    ) -> None:
        self._connection = connection
        self._desk = desk
        self._read = read
        self._origin = origin
        self._vault = vault
        self._inserts: list[Submitted] = []
        self._revisions: dict[CdrStatus, list[Submitted]] = defaultdict(list)
        self._rejections: list[int] = []
        self._warnings: list[tuple[str, Violation]] = []

    def store(self, block: Sequence[Submitted]) -> int:
        """Judge and store; returns how many CDRs took a step."""
        stored = cdrs.find_stored(self._connection, [submitted.key for submitted in block])
        self._sort(block, stored)
        if self._inserts:
            cdrs.insert_accepted(self._connection, self._inserts, self._origin)
        for state, revisions in self._revisions.items():
            cdrs.revise(self._connection, revisions, state, self._origin)
        if self._rejections:
            cdrs.reject(self._connection, self._rejections, self._origin)
        if self._warnings:
            cdrs.insert_warnings(self._connection, self._warnings)
        revised = sum(map(len, self._revisions.values()))
        return len(self._inserts) + revised + len(self._rejections)

    def _sort(self, block: Sequence[Submitted], stored: dict[str, StoredCdr]) -> None:
        """Decide what becomes of each; only what brings new content is judged."""
        to_judge: list[tuple[Submitted, StoredCdr | None]] = []
        kept = self._kept(block)
        for submitted in block:
            known = stored.get(submitted.key)
            action = wanted_action(submitted, known, kept.get(submitted.key))
            if isinstance(action, Refused):
                self._refuse(submitted, [action.violation])
            elif action is Action.REJECT and known is not None:
                self._rejections.append(known.id)
            elif action is not Action.NOTHING:
                to_judge.append((submitted, known))
        if to_judge:
            self._judge(to_judge)

    def _kept(self, block: Sequence[Submitted]) -> dict[str, KeptCdr]:
        """CDRs that are archived, or without their personal data: neither is taken for new."""
        digests = cdr_digests.find_digests(self._connection, [each.key for each in block])
        return {
            key: KeptCdr(CdrStatus(kept.status), kept.first_digest, self._vault.digest)
            for key, kept in digests.items()
        }

    def _judge(self, to_judge: Sequence[tuple[Submitted, StoredCdr | None]]) -> None:
        context = self._desk.context([submitted for submitted, _ in to_judge])
        for submitted, known in to_judge:
            judgement = self._desk.judge(submitted.cdr, context)
            if judgement.refusals:
                self._refuse(submitted, judgement.refusals)
                continue
            if judgement.warnings:
                cdr_id = submitted.cdr.cdr_id
                self._read.tally.warn(submitted.position, cdr_id, judgement.warnings)
                self._warnings += [(submitted.key, warning) for warning in judgement.warnings]
            if known is None:
                self._inserts.append(submitted)
            else:
                self._revisions[known.status].append(submitted)

    def _refuse(self, submitted: Submitted, violations: Sequence[Violation]) -> None:
        self._read.refuse(submitted.position, submitted.cdr.cdr_id, violations)
