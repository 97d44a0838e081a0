"""CDRs on their way in: what is known of them, new ones, and steps by the originator."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from ochp_chs.ochp.cdr_flow import Event
from ochp_chs.ochp.records.cdr import Cdr, CdrStatus
from ochp_chs.ochp.violations import Violation
from ochp_chs.repository.feeds import Lock
from ochp_chs.repository.rows import Shape, rows_source, stage_rows
from ochp_chs.repository.tables import cdr, cdr_step, cdr_version, cdr_warning
from ochp_chs.repository.tables.base import TIME


@dataclass(frozen=True, slots=True)
class StoredCdr:
    """A CDR as it stands: the payload that counts, and the one that was sent as new."""

    id: int
    status: CdrStatus
    payload: str
    first_payload: str


@dataclass(frozen=True, slots=True)
class Submitted:
    """One CDR of a message, decoded, with its payload (without status) and its key."""

    position: int
    key: str
    cdr: Cdr
    payload: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Who did it, in which message, when."""

    partner: str
    message: str
    at: datetime


def lock_originator(connection: sa.Connection, partner_id: int) -> None:
    """Let one partner's AddCDRs be stored one after the other; until the transaction ends."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(int(Lock.UPLOAD_CDRS), partner_id)))


def lock_cdrs(connection: sa.Connection, keys: Collection[str]) -> None:
    """Lock the CDRs that will take a step, in the one order in which everybody locks them."""
    connection.execute(
        sa.select(cdr.c.id)
        .where(cdr.c.key == sa.any_(sa.literal(list(keys), sa.ARRAY(sa.Text))))
        .order_by(cdr.c.id)
        .with_for_update()
    )


def find_stored(connection: sa.Connection, keys: Collection[str]) -> dict[str, StoredCdr]:
    """The CDRs that are known of these keys. Served by uq_cdr_key."""
    current, first = cdr_version.alias("current"), cdr_version.alias("first")
    statement = (
        sa.select(cdr.c.key, cdr.c.id, cdr.c.status, current.c.payload, first.c.payload)
        .join(current, sa.and_(current.c.cdr == cdr.c.id, current.c.version == cdr.c.version))
        # Most have one version, and its content need not come twice.
        .outerjoin(first, sa.and_(first.c.cdr == cdr.c.id, first.c.version == 1, cdr.c.version > 1))
        .where(cdr.c.key == sa.any_(sa.literal(list(keys), sa.ARRAY(sa.Text))))
    )
    return {
        key: StoredCdr(
            identifier,
            CdrStatus(status),
            payload,
            payload if first_payload is None else first_payload,
        )
        for key, identifier, status, payload, first_payload in connection.execute(statement)
    }


def insert_accepted(
    connection: sa.Connection, accepted: Sequence[Submitted], origin: Origin
) -> None:
    """Take in CDRs that were found plausible: row, first version and first step at once."""
    staged = _staged(connection, accepted)
    incoming = staged.rows
    columns = [*_CONTENT, "key", "status", "version", "accepted_at", "status_at"]
    inserted = (
        cdr.insert()
        .from_select(
            columns,
            sa.select(
                *[incoming.c[name] for name in _CONTENT],
                incoming.c.key,
                sa.literal(CdrStatus.ACCEPTED.value),
                sa.literal(1),
                sa.literal(origin.at, TIME),
                sa.literal(origin.at, TIME),
            ).order_by(incoming.c.position),
        )
        .returning(cdr.c.id, cdr.c.key, cdr.c.version)
        .cte("stepped")
    )
    _record(connection, inserted, incoming, Event.SUBMIT, CdrStatus.ACCEPTED, None, origin)
    staged.drop(connection)


def revise(
    connection: sa.Connection, revised: Sequence[Submitted], from_: CdrStatus, origin: Origin
) -> None:
    """Put new content in the place of the old, which stays as an earlier version.

    All of them are locked and in the status `from_`.
    """
    staged = _staged(connection, revised)
    incoming = staged.rows
    updated = (
        cdr.update()
        .where(cdr.c.key == incoming.c.key)
        .values(
            {name: incoming.c[name] for name in _CONTENT}
            | {
                "status": CdrStatus.REVISED.value,
                "version": cdr.c.version + 1,
                "status_at": origin.at,
            }
        )
        .returning(cdr.c.id, cdr.c.key, cdr.c.version)
        .cte("stepped")
    )
    _record(connection, updated, incoming, Event.REVISE, CdrStatus.REVISED, from_, origin)
    staged.drop(connection)


def reject(connection: sa.Connection, ids: Sequence[int], origin: Origin) -> None:
    """Close declined CDRs for good; the content stays as it was. All of them are locked."""
    updated = (
        cdr.update()
        .where(cdr.c.id == sa.any_(sa.literal(list(ids), sa.ARRAY(sa.BigInteger))))
        .values(status=CdrStatus.REJECTED.value, status_at=origin.at)
        .returning(cdr.c.id, cdr.c.version)
        .cte("stepped")
    )
    connection.execute(
        _steps(updated, Event.REJECT, CdrStatus.REJECTED, CdrStatus.DECLINED, origin)
    )


def insert_warnings(connection: sa.Connection, warnings: Sequence[tuple[str, Violation]]) -> None:
    """Keep what the rules said of the versions that count now, by the CDRs' keys."""
    text = sa.Text()
    said = rows_source(
        "said",
        {
            "key": (text, [key for key, _ in warnings]),
            "rule": (text, [violation.rule for _, violation in warnings]),
            "field": (text, [violation.field for _, violation in warnings]),
            "value": (text, [violation.value for _, violation in warnings]),
            "text": (text, [violation.text for _, violation in warnings]),
        },
    )
    names = ["rule", "field", "value", "text"]
    connection.execute(
        cdr_warning.insert().from_select(
            ["cdr", "version", *names],
            sa.select(cdr.c.id, cdr.c.version, *[said.c[name] for name in names]).join(
                said, said.c.key == cdr.c.key
            ),
        )
    )


#: Columns that come from a version's content.
_CONTENT = (
    "cdr_id",
    "evse_key",
    "operator",
    "provider",
    "contract_key",
    "starts_at",
    "ends_at",
)


_TEXT = sa.Text()
_INCOMING = Shape(
    "incoming_cdr",
    {
        "position": sa.Integer(),
        "key": _TEXT,
        "payload": _TEXT,
        "cdr_id": _TEXT,
        "evse_key": _TEXT,
        "operator": _TEXT,
        "provider": _TEXT,
        "contract_key": _TEXT,
        "starts_at": TIME,
        "ends_at": TIME,
    },
)


@dataclass(frozen=True, slots=True)
class _Staged:
    """CDRs ready to be stored: something to select from, more than once."""

    rows: sa.FromClause
    table: sa.Table | None

    def drop(self, connection: sa.Connection) -> None:
        """Make room for the next block of the same transaction."""
        if self.table is not None:
            self.table.drop(connection)


def _staged(connection: sa.Connection, submitted: Sequence[Submitted]) -> _Staged:
    source = stage_rows(connection, _INCOMING, map(_row, submitted))
    if isinstance(source, sa.Table):
        return _Staged(source, source)
    # Rows inside of the statement would be sent once for each time that it names them.
    return _Staged(sa.select(source).cte(_INCOMING.name), None)


def _row(submitted: Submitted) -> Sequence[object]:
    cdr = submitted.cdr
    return (
        submitted.position,
        submitted.key,
        submitted.payload,
        cdr.cdr_id,
        cdr.evse_key,
        cdr.operator,
        cdr.provider,
        cdr.contract_key,
        cdr.start.isoformat(),
        cdr.end.isoformat(),
    )


def _record(
    connection: sa.Connection,
    stepped: sa.CTE,
    incoming: sa.FromClause,
    event: Event,
    to: CdrStatus,
    from_: CdrStatus | None,
    origin: Origin,
) -> None:
    """The version and the step that go with a change of content, in the same statement."""
    versions = (
        cdr_version.insert()
        .from_select(
            ["cdr", "version", "payload", "received_at", "partner", "message"],
            sa.select(
                stepped.c.id,
                stepped.c.version,
                incoming.c.payload,
                sa.literal(origin.at, TIME),
                sa.literal(origin.partner),
                sa.literal(origin.message),
            ).join(incoming, incoming.c.key == stepped.c.key),
        )
        .cte("versions")
    )
    connection.execute(_steps(stepped, event, to, from_, origin).add_cte(versions))


def _steps(
    stepped: sa.CTE, event: Event, to: CdrStatus, from_: CdrStatus | None, origin: Origin
) -> sa.Insert:
    return cdr_step.insert().from_select(
        ["cdr", "version", "event", "from_status", "to_status", "at", "partner", "message"],
        sa.select(
            stepped.c.id,
            stepped.c.version,
            sa.literal(event.value),
            sa.literal(None if from_ is None else from_.value, sa.Text),
            sa.literal(to.value),
            sa.literal(origin.at, TIME),
            sa.literal(origin.partner),
            sa.literal(origin.message),
        ),
    )
