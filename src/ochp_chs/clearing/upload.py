"""The one road of every uploaded list: read, judge, stage, merge, withdraw, log, publish."""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field

from ochp_chs.clearing.errors import FrameRefused
from ochp_chs.clearing.exchange import (
    Answer,
    Call,
    ClearingHouse,
    Elements,
    IncomingRecord,
    Message,
)
from ochp_chs.clearing.message_log import log_message
from ochp_chs.clearing.spool import Spool
from ochp_chs.ochp.records.codec import Codec, Judgement, RecordRefused
from ochp_chs.ochp.results import Result, Tally
from ochp_chs.ochp.violations import Violation
from ochp_chs.ochp.xml import inner_xml
from ochp_chs.repository import changes, merge
from ochp_chs.repository.engine import Connection
from ochp_chs.repository.feeds import Feed
from ochp_chs.repository.staging import (
    PositionedRow,
    SizedIterable,
    Staged,
    stage,
    stage_retained,
)

#: Says what is wrong with a row, None for nothing: ownership and the record type's rules.
Judge = Callable[[tuple[object, ...]], Judgement | None]


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


@dataclass(slots=True)
class _Reading:
    """What reading the records leaves behind, beside the rows."""

    #: The response has a place for refused records. Without one they are written nowhere.
    echoes: bool
    #: Refused records that validate, to be echoed.
    echo: Spool = field(default_factory=Spool)
    #: What identifies the earlier versions of refused records, which a Set leaves alone.
    retained: Spool = field(default_factory=Spool)
    tally: Tally = field(default_factory=Tally)


def receive(house: ClearingHouse, call: Call, message: Message, upload: Upload) -> Answer:
    """Take in a whole message, or nothing of it.

    Raises `FrameRefused` for a list without records where one is required, and whatever the
    message raises where it breaks off; nothing is stored then.
    """
    # No transaction waits for a sender, however slow.
    message.collect()
    reading = _Reading(echoes=call.operation.refused is not None)
    with closing(reading.retained):
        try:
            result = _store(house, call, message, upload, reading)
        except BaseException:
            reading.echo.close()
            raise
    return Answer(
        result,
        _echo(call, reading.echo),
        records_read=reading.tally.read,
        records_refused=reading.tally.refused,
        refusal_reasons=reading.tally.rules,
    )


def _store(
    house: ClearingHouse, call: Call, message: Message, upload: Upload, reading: _Reading
) -> Result:
    """The whole message in one transaction."""
    tally = reading.tally
    rows = _accepted(message.records(call.partner.reading), upload, reading)
    with house.database.begin() as connection:
        staged = stage(connection, upload.feed, upload.codec.columns, rows)
        _require_records(call, upload, tally)
        _note_repeats(staged, tally)
        change_id = merge.lock_uploads(connection, upload.feed, call.partner.id)
        _apply_findings(connection, staged, upload.check(connection, staged), reading)
        result = tally.result()
        changed, withdrawn = _merge(house, connection, upload, staged, reading, change_id)
        log_message(
            connection,
            call,
            tally,
            result,
            changed=changed,
            withdrawn=withdrawn,
        )
        if (changed or withdrawn) and upload.feed.followed:
            changes.publish(connection, upload.feed, change_id)
    return result


def _merge(
    house: ClearingHouse,
    connection: Connection,
    upload: Upload,
    staged: Staged,
    reading: _Reading,
    change_id: int,
) -> tuple[int, int]:
    """How many records changed, and how many were withdrawn."""
    tally, feed = reading.tally, upload.feed
    # A message of which nothing could be taken changes nothing: it withdraws nothing either.
    if tally.read and not tally.accepted:
        return 0, 0
    if upload.store is not None:
        return upload.store(connection, staged, reading.retained, change_id)
    changed = merge.merge(connection, feed, upload.codec.columns, staged.source, change_id)
    if not upload.replaces:
        return changed, 0
    withdrawn = merge.withdraw_missing(
        connection,
        feed,
        list(upload.owners),
        staged.source,
        stage_retained(connection, feed, reading.retained),
        change_id,
        house.clock(),
    )
    return changed, withdrawn


def _note_repeats(staged: Staged, tally: Tally) -> None:
    for position in staged.repeated:
        tally.warn(position, "", [_REPEATED])
    tally.warned += staged.repeated_count - len(staged.repeated)


def _apply_findings(
    connection: Connection, staged: Staged, findings: Iterable[Finding], reading: _Reading
) -> None:
    refused: list[int] = []
    for finding in findings:
        violations = [finding.violation]
        if not finding.refuses:
            reading.tally.warn(finding.position, finding.record_id, violations)
            reading.tally.warned += finding.more
            continue
        reading.tally.refuse(finding.position, finding.record_id, violations)
        if reading.echoes:
            reading.echo.append(finding.payload)
        if finding.retained is not None:
            reading.retained.append(finding.retained)
        refused.append(finding.position)
    if refused:
        staged.drop(connection, refused)


_REPEATED = Violation(
    "repeated-record",
    "",
    "",
    "the same record comes again later in this message; the last one counts",
)


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


def _accepted(
    records: Iterator[IncomingRecord], upload: Upload, reading: _Reading
) -> Iterator[PositionedRow]:
    """The rows of the records that are taken; the others are counted, named, and echoed."""
    tally, codec, judge = reading.tally, upload.codec, upload.judge
    for record in records:
        position, _, element, violations, repairs = record
        tally.read += 1
        if repairs:
            tally.repair(position, codec.identify(element), repairs)
        if violations:
            _refuse(record, violations, upload, reading, echo=False)
            continue
        try:
            row = codec.decode(element)
        except RecordRefused as refusal:
            _refuse(record, refusal.violations, upload, reading, echo=True)
            continue
        judgement = judge(row)
        if judgement is not None:
            if judgement.warnings:
                tally.warn(position, codec.identify(element), judgement.warnings)
            if judgement.refusals:
                _refuse(record, judgement.refusals, upload, reading, echo=True)
                continue
        yield position, row


def _refuse(
    record: IncomingRecord,
    violations: Collection[Violation],
    upload: Upload,
    reading: _Reading,
    *,
    echo: bool,
) -> None:
    codec = upload.codec
    reading.tally.refuse(record.position, codec.identify(record.element), list(violations))
    if echo and reading.echoes:
        reading.echo.append(inner_xml(record.element))
    if upload.replaces:
        key = codec.retained_key(record.element)
        if key is not None:
            reading.retained.append(key.hex() if isinstance(key, bytes) else key)
