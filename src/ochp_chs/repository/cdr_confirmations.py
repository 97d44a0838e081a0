"""ConfirmCDRs: the owner's steps, for one CDR or a hundred thousand, in a few statements."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from ochp_chs.ochp.cdr_flow import Actor, Event, states_before
from ochp_chs.ochp.records.cdr import CdrStatus
from ochp_chs.repository.cdrs import Origin
from ochp_chs.repository.rows import Shape
from ochp_chs.repository.tables import cdr, cdr_digest, cdr_step
from ochp_chs.repository.tables.base import TIME

#: Entries of a message as they are staged; the EVSE-ID as it was sent, and as key.
ENTRIES = Shape(
    "incoming_confirmation",
    {
        "position": sa.Integer(),
        "wish": sa.Text(),
        "cdr_id": sa.Text(),
        "evse_id": sa.Text(),
        "evse_key": sa.Text(),
    },
)

#: What the owner wishes, by the list of ConfirmCDRs it stands in.
WISHES = {"approved": Event.APPROVE, "declined": Event.DECLINE}


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """One entry that cannot be done: `status` is None for a CDR that is not the owner's."""

    position: int
    cdr_id: str
    evse_id: str
    wish: str
    #: The same CDR stands in the other list too.
    contradicted: bool
    status: CdrStatus | None


def lock_confirmed(
    connection: sa.Connection, entries: sa.FromClause, providers: Collection[str]
) -> None:
    """Lock the CDRs of the entries in the one order in which everybody locks them."""
    connection.execute(
        sa.select(cdr.c.id)
        .where(
            sa.exists().where(*_same(entries)),
            cdr.c.provider.in_(providers),
        )
        .order_by(cdr.c.id)
        .with_for_update()
    )


def list_unconfirmed(
    connection: sa.Connection, entries: sa.FromClause, providers: Collection[str]
) -> Iterator[Unconfirmed]:
    """The entries that cannot be done, and why.

    Not those that are in the wished state already, be it in the archive.
    """
    other = entries.alias("other")
    contradicted = sa.exists().where(
        other.c.cdr_id == entries.c.cdr_id,
        other.c.evse_key == entries.c.evse_key,
        other.c.wish != entries.c.wish,
    )
    archived = sa.and_(
        cdr.c.id.is_(None),
        cdr_digest.c.cdr_id == entries.c.cdr_id,
        cdr_digest.c.evse_key == entries.c.evse_key,
        cdr_digest.c.provider.in_(providers),
    )
    status = sa.func.coalesce(cdr.c.status, cdr_digest.c.status)
    impossible = sa.or_(cdr.c.id.is_(None), ~_possible(entries))
    statement = (
        sa.select(
            entries.c.position,
            entries.c.cdr_id,
            entries.c.evse_id,
            entries.c.wish,
            contradicted,
            status,
        )
        .select_from(
            entries.outerjoin(
                cdr, sa.and_(*_same(entries), cdr.c.provider.in_(providers))
            ).outerjoin(cdr_digest, archived)
        )
        .where(
            sa.or_(
                contradicted,
                status.is_(None),
                sa.and_(status != entries.c.wish, impossible),
            )
        )
        .order_by(entries.c.position)
    )
    for position, cdr_id, evse_id, wish, both, found in connection.execute(statement):
        known = None if found is None else CdrStatus(found)
        yield Unconfirmed(position, cdr_id, evse_id, wish, both, known)


def confirm(
    connection: sa.Connection,
    entries: sa.FromClause,
    providers: Collection[str],
    origin: Origin,
) -> int:
    """Take every step that is possible and not contradicted; returns how many that were."""
    other = entries.alias("other")
    before = cdr.alias("before")
    updated = (
        cdr.update()
        .where(
            *_same(entries),
            cdr.c.provider.in_(providers),
            _possible(entries),
            before.c.id == cdr.c.id,
            ~sa.exists().where(
                other.c.cdr_id == entries.c.cdr_id,
                other.c.evse_key == entries.c.evse_key,
                other.c.wish != entries.c.wish,
            ),
        )
        .values(status=entries.c.wish, status_at=origin.at)
        .returning(cdr.c.id, cdr.c.version, cdr.c.status, before.c.status.label("from_status"))
        .cte("stepped")
    )
    events = sa.case({wish: event.value for wish, event in WISHES.items()}, value=updated.c.status)
    statement = cdr_step.insert().from_select(
        ["cdr", "version", "event", "from_status", "to_status", "at", "partner", "message"],
        sa.select(
            updated.c.id,
            updated.c.version,
            events,
            updated.c.from_status,
            updated.c.status,
            sa.literal(origin.at, TIME),
            sa.literal(origin.partner),
            sa.literal(origin.message),
        ),
    )
    return connection.execute(statement).rowcount


def _same(entries: sa.FromClause) -> Sequence[sa.ColumnElement[bool]]:
    return (cdr.c.cdr_id == entries.c.cdr_id, cdr.c.evse_key == entries.c.evse_key)


def _possible(entries: sa.FromClause) -> sa.ColumnElement[bool]:
    """The flow has a step from the CDR's state to the wished one."""
    return sa.or_(
        *[
            sa.and_(
                entries.c.wish == wish,
                cdr.c.status.in_([state.value for state in states_before(Actor.OWNER, event)]),
            )
            for wish, event in WISHES.items()
        ]
    )
