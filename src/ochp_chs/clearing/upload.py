"""The one road of every uploaded list: read, judge, stage, merge, withdraw, log, publish."""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain

from ochp_chs.clearing.errors import FrameRefused
from ochp_chs.clearing.exchange import (
    Answer,
    Call,
    ClearingHouse,
    Elements,
    Message,
    PlainReading,
)
from ochp_chs.clearing.intake import Intake, Judge
from ochp_chs.clearing.message_log import log_message
from ochp_chs.clearing.read_ahead import read_ahead
from ochp_chs.clearing.spool import Spool
from ochp_chs.ochp.records.codec import Codec
from ochp_chs.ochp.results import Result, Tally
from ochp_chs.ochp.violations import Violation
from ochp_chs.repository import changes, merge
from ochp_chs.repository.engine import Connection
from ochp_chs.repository.feeds import Feed
from ochp_chs.repository.flow import Flow, Part
from ochp_chs.repository.staging import (
    Repeats,
    RowBlock,
    SizedIterable,
    Source,
    Staged,
    stage,
    stage_retained,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What the database knows against a staged record, or has to say of it."""

    position: int
    record_id: str
    violation: Violation
    refuses: bool
    #: Of a refused record: its payload, to be echoed, and its `retained` key as text.
    payload: str = ""
    retained: str | None = None
    #: Of a warning: as many further records have the same and are counted, not named.
    more: int = 0


#: Looks at all staged rows at once: rules that need what is stored. May replace `staged.source`.
Check = Callable[[Connection, Staged], Iterable[Finding]]

#: Brings the accepted rows into a table that has its own way of keeping them, given the `retained`
#: keys of refused records and the id of the change; how many records changed, and how many were
#: taken out.
Store = Callable[[Connection, Staged, SizedIterable, int], tuple[int, int]]


def _nothing_to_check(_connection: Connection, _staged: Staged) -> Iterable[Finding]:
    return ()


@dataclass(frozen=True, slots=True)
class Upload:
    """What differs between the uploads: the record type, who may send what, and Set or Update."""

    feed: Feed
    codec: Codec
    judge: Judge
    #: A Set replaces what these party IDs had; an Update leaves what it does not name.
    owners: Collection[str]
    replaces: bool
    check: Check = _nothing_to_check
    #: None: by content into the feed's table.
    store: Store | None = None
    #: Reads runs of records of which there is nothing to say, where the codec can.
    plain: PlainReading | None = None


def receive(house: ClearingHouse, call: Call, message: Message, upload: Upload) -> Answer:
    """Take in a whole message, or nothing of it.

    Raises `FrameRefused` for a list without records where one is required, and whatever the
    message raises where it breaks off; nothing is stored then.
    """
    # No transaction waits for a sender, however slow.
    message.collect()
    intake = Intake(
        upload.codec,
        upload.judge,
        echoes=call.operation.refused is not None,
        retains=upload.replaces,
    )
    with closing(intake.retained):
        try:
            result = _store(house, call, message, upload, intake)
        except BaseException:
            intake.echo.close()
            raise
    return Answer(
        result,
        _echo(call, intake.echo),
        records_read=intake.tally.read,
        records_refused=intake.tally.refused,
        refusal_reasons=intake.tally.rules,
    )


def _store(
    house: ClearingHouse, call: Call, message: Message, upload: Upload, intake: Intake
) -> Result:
    """The whole message in one transaction."""
    blocks = intake.rows(message.blocks(call.partner.reading, upload.plain))
    with house.database.begin() as connection:
        road = _Road(house, call, upload, intake, connection)
        # Whoever looks at all records together has to have them together.
        at_once = upload.check is not _nothing_to_check or upload.store is not None
        done = road.in_parts(blocks) if message.is_long and not at_once else road.together(blocks)
        tally = intake.tally
        result = tally.result()
        log_message(connection, call, tally, result, changed=done.changed, withdrawn=done.withdrawn)
        if (done.changed or done.withdrawn) and upload.feed.followed:
            changes.publish(connection, upload.feed, done.change_id)
    return result


@dataclass(frozen=True, slots=True)
class _Done:
    """What became of an upload."""

    change_id: int
    changed: int
    withdrawn: int


@dataclass(frozen=True, slots=True)
class _Road:
    """The two ways through the database; what is in it afterwards is the same."""

    house: ClearingHouse
    call: Call
    upload: Upload
    intake: Intake
    connection: Connection

    def together(self, blocks: Iterator[RowBlock]) -> _Done:
        """Stage all rows, look at them, merge them."""
        connection, upload, intake = self.connection, self.upload, self.intake
        columns = upload.codec.columns
        rows = chain.from_iterable(block.rows() for block in blocks)
        staged = stage(connection, upload.feed, columns, rows)
        _require_records(self.call, upload, intake.tally)
        _note_repeats(staged.repeats, intake.tally)
        change_id = self._lock()
        _apply_findings(connection, staged, upload.check(connection, staged), intake)
        if self._nothing_was_taken():
            return _Done(change_id, 0, 0)
        if upload.store is not None:
            stored = upload.store(connection, staged, intake.retained, change_id)
            return _Done(change_id, *stored)
        changed = merge.merge(connection, upload.feed, columns, staged.source, change_id)
        return _Done(change_id, changed, self._withdraw(staged.source, change_id))

    def in_parts(self, blocks: Iterator[RowBlock]) -> _Done:
        """Merge the rows that are there while the next ones are read."""
        upload, tally = self.upload, self.intake.tally
        change_id = self._lock()
        into_nothing = merge.has_nothing(self.connection, upload.feed, list(upload.owners))
        flow = Flow(upload.feed, upload.codec.columns, change_id, into_nothing)
        # All of the reading is the other thread's, from the first byte: libxml2 keeps names by
        # thread.
        with read_ahead(flow.cut(blocks)) as parts:
            merged = flow.merge(self.connection, parts)
        _require_records(self.call, upload, tally)
        for repeats in merged.repeats:
            _note_repeats(repeats, tally)
        for part in merged.again:
            tally.warn(part.first, "", [_repeated_before(part)])
        withdrawn = 0
        if not (into_nothing or self._nothing_was_taken()):
            withdrawn = self._withdraw(merged.seen, change_id)
        return _Done(change_id, merged.changed, withdrawn)

    def _lock(self) -> int:
        return merge.lock_uploads(self.connection, self.upload.feed, self.call.partner.id)

    def _nothing_was_taken(self) -> bool:
        # A message of which nothing could be taken changes nothing: it withdraws nothing either.
        return bool(self.intake.tally.read) and not self.intake.tally.accepted

    def _withdraw(self, source: Source, change_id: int) -> int:
        if not self.upload.replaces:
            return 0
        feed = self.upload.feed
        return merge.withdraw_missing(
            self.connection,
            feed,
            list(self.upload.owners),
            source,
            stage_retained(self.connection, feed, self.intake.retained),
            change_id,
            self.house.clock(),
        )


def _note_repeats(repeats: Repeats, tally: Tally) -> None:
    for position in repeats.positions:
        tally.warn(position, "", [_REPEATED])
    tally.warned += repeats.count - len(repeats.positions)


def _apply_findings(
    connection: Connection, staged: Staged, findings: Iterable[Finding], intake: Intake
) -> None:
    refused: list[int] = []
    for finding in findings:
        violations = [finding.violation]
        if not finding.refuses:
            intake.tally.warn(finding.position, finding.record_id, violations)
            intake.tally.warned += finding.more
            continue
        intake.tally.refuse(finding.position, finding.record_id, violations)
        if intake.echoes:
            intake.echo.append(finding.payload)
        if finding.retained is not None:
            intake.retained.append(finding.retained)
        refused.append(finding.position)
    if refused:
        staged.drop(connection, refused)


_REPEATED = Violation(
    "repeated-record",
    "",
    "",
    "the same record comes again later in this message; the last one counts",
)


def _repeated_before(part: Part) -> Violation:
    text = f"from here to #{part.last}, some came before in this message; the last ones count"
    return Violation("repeated-record", "", "", text)


def _require_records(call: Call, upload: Upload, tally: Tally) -> None:
    if tally.read or not call.operation.records_required:
        return
    if upload.replaces and call.partner.empty_set_withdraws:
        return
    element = call.operation.records[0][0]
    raise FrameRefused(
        f"{call.operation.request} needs at least one {element}; nothing was changed."
    )


def _echo(call: Call, echo: Spool) -> list[Elements]:
    if call.operation.refused is None or not len(echo):
        echo.close()
        return []
    return [Elements(call.operation.refused, echo.blocks())]
