"""CDRs for people: lists, and everything that ever happened to one of them."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from ochp_chs.ochp.cdr_flow import Event
from ochp_chs.ochp.records.cdr import CdrStatus
from ochp_chs.ochp.violations import Violation
from ochp_chs.repository.tables import (
    cdr,
    cdr_step,
    cdr_version,
    cdr_warning,
    message,
    message_note,
    partner,
)

_BLOCK_ROWS = 500

#: Notes of the message log that are given for one CDR-ID, the latest ones.
NOTES_MAX = 1_000

#: Operations whose notes are about CDRs; other records have IDs that may look alike.
_OPERATIONS = ("AddCDRs", "ConfirmCDRs")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which CDRs are asked for; None: whatever it is.

    With `operators` or `providers`, those that one of them sent or one of the others owns.
    """

    status: CdrStatus | None = None
    operators: Collection[str] | None = None
    providers: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class ListedCdr:
    """A CDR as it stands, with the content that counts."""

    id: int
    cdr_id: str
    evse_key: str
    operator: str
    provider: str
    status: CdrStatus
    version: int
    accepted_at: datetime
    status_at: datetime
    payload: str


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a CDR's content, who sent it when, and what the rules said of it."""

    version: int
    payload: str
    received_at: datetime
    partner: str
    message: str
    warnings: tuple[Violation, ...]


@dataclass(frozen=True, slots=True)
class TakenStep:
    """One step through the status flow: who took it when, by which message."""

    version: int
    event: Event
    from_status: CdrStatus | None
    to_status: CdrStatus
    at: datetime
    partner: str
    message: str


@dataclass(frozen=True, slots=True)
class CdrHistory:
    """One CDR with all its versions and steps, the oldest first."""

    cdr: ListedCdr
    versions: tuple[Version, ...]
    steps: tuple[TakenStep, ...]


@dataclass(frozen=True, slots=True)
class LoggedNote:
    """What the message log says of a CDR-ID: a refusal, a repair or a warning."""

    kind: str
    operation: str
    partner: str
    message: str
    at: datetime
    position: int
    violation: Violation


def list_cdrs(connection: sa.Connection, wanted: Wanted, rows_max: int) -> Sequence[ListedCdr]:
    """The CDRs that came last, the newest first. Served by pk_cdr."""
    statement = _listed().where(*_conditions(wanted)).order_by(cdr.c.id.desc()).limit(rows_max)
    return [_listed_cdr(row) for row in connection.execute(statement)]


def count_cdrs(connection: sa.Connection, wanted: Wanted) -> int:
    """How many CDRs `stream_cdrs` gives in the same snapshot."""
    statement = sa.select(sa.func.count()).select_from(cdr).where(*_conditions(wanted))
    return int(connection.execute(statement).scalar_one())


def stream_cdrs(connection: sa.Connection, wanted: Wanted) -> Iterator[ListedCdr]:
    """All of the CDRs, the oldest first, by a server-side cursor. Served by pk_cdr."""
    statement = _listed().where(*_conditions(wanted)).order_by(cdr.c.id)
    options = {"stream_results": True, "max_row_buffer": _BLOCK_ROWS}
    for row in connection.execute(statement, execution_options=options):
        yield _listed_cdr(row)


def find_histories(
    connection: sa.Connection, cdr_id: str, evse_key: str | None = None
) -> tuple[CdrHistory, ...]:
    """Every CDR with this ID: older systems repeat theirs per EVSE. Served by ix_cdr_cdr_id."""
    statement = _listed().where(cdr.c.cdr_id == cdr_id).order_by(cdr.c.id)
    if evse_key is not None:
        statement = statement.where(cdr.c.evse_key == evse_key)
    found = [_listed_cdr(row) for row in connection.execute(statement)]
    return tuple(
        CdrHistory(each, _versions(connection, each.id), _steps(connection, each.id))
        for each in found
    )


def list_notes(connection: sa.Connection, cdr_id: str) -> Sequence[LoggedNote]:
    """What became of messages about this CDR-ID, whoever sent them, the oldest first.

    Served by ix_message_note_record_id. A CDR that was never taken in is found here alone.
    """
    columns = message_note.c
    latest = (
        sa.select(
            columns.id,
            columns.kind,
            message.c.operation,
            partner.c.name,
            message.c.reference,
            message.c.received_at,
            columns.position,
            columns.rule,
            columns.field,
            columns.value,
            columns.text,
        )
        .join_from(message_note, message, message.c.id == columns.message_id)
        .join(partner, partner.c.id == message.c.partner_id)
        .where(columns.record_id == cdr_id, message.c.operation.in_(_OPERATIONS))
        .order_by(columns.id.desc())
        .limit(NOTES_MAX)
    )
    return [
        LoggedNote(kind, operation, name, reference, at, position, Violation(*said))
        for _, kind, operation, name, reference, at, position, *said in reversed(
            connection.execute(latest).all()
        )
    ]


def _listed() -> sa.Select[tuple[object, ...]]:
    columns = cdr.c
    statement = sa.select(
        columns.id,
        columns.cdr_id,
        columns.evse_key,
        columns.operator,
        columns.provider,
        columns.status,
        columns.version,
        columns.accepted_at,
        columns.status_at,
        cdr_version.c.payload,
    )
    same = sa.and_(cdr_version.c.cdr == columns.id, cdr_version.c.version == columns.version)
    return statement.join_from(cdr, cdr_version, same)


def _listed_cdr(row: sa.Row[tuple[object, ...]]) -> ListedCdr:
    return ListedCdr(**{**row._mapping, "status": CdrStatus(row.status)})


def _conditions(wanted: Wanted) -> Sequence[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if wanted.status is not None:
        conditions.append(cdr.c.status == wanted.status.value)
    if wanted.operators is not None or wanted.providers is not None:
        conditions.append(
            sa.or_(
                cdr.c.operator.in_(wanted.operators or ()),
                cdr.c.provider.in_(wanted.providers or ()),
            )
        )
    return conditions


def _versions(connection: sa.Connection, identifier: int) -> tuple[Version, ...]:
    warnings: dict[int, list[Violation]] = {}
    said = cdr_warning.c
    for version, *violation in connection.execute(
        sa.select(said.version, said.rule, said.field, said.value, said.text)
        .where(said.cdr == identifier)
        .order_by(said.id)
    ):
        warnings.setdefault(version, []).append(Violation(*violation))
    columns = cdr_version.c
    statement = (
        sa.select(
            columns.version,
            columns.payload,
            columns.received_at,
            columns.partner,
            columns.message,
        )
        .where(columns.cdr == identifier)
        .order_by(columns.version)
    )
    return tuple(
        Version(version, payload, received_at, name, reference, tuple(warnings.get(version, ())))
        for version, payload, received_at, name, reference in connection.execute(statement)
    )


def _steps(connection: sa.Connection, identifier: int) -> tuple[TakenStep, ...]:
    columns = cdr_step.c
    statement = (
        sa.select(
            columns.version,
            columns.event,
            columns.from_status,
            columns.to_status,
            columns.at,
            columns.partner,
            columns.message,
        )
        .where(columns.cdr == identifier)
        .order_by(columns.id)
    )
    return tuple(
        TakenStep(
            version,
            Event(event),
            None if before is None else CdrStatus(before),
            CdrStatus(after),
            at,
            name,
            reference,
        )
        for version, event, before, after, at, name, reference in connection.execute(statement)
    )
