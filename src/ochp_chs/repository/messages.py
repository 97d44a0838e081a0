"""The message log: what became of every upload, with what there is to say of its records."""

from collections.abc import Iterable
from datetime import datetime
from itertools import islice

import sqlalchemy as sa

from ochp_chs.ochp.results import Note, Result, Tally
from ochp_chs.repository.rows import rows_source
from ochp_chs.repository.tables import message, message_note

_BLOCK_NOTES = 500


def insert_message(
    connection: sa.Connection,
    *,
    reference: str,
    partner_id: int,
    operation: str,
    received_at: datetime,
    result: Result,
    tally: Tally,
    changed: int = 0,
    withdrawn: int = 0,
    refusals: Iterable[Note] | None = None,
) -> int:
    """Log one upload with its first refusals, repairs and warnings; returns its id.

    `refusals` are all of them, where more than the tally's first ones are to be kept.
    """
    message_id: int = connection.execute(
        message.insert()
        .values(
            reference=reference,
            partner_id=partner_id,
            operation=operation,
            received_at=received_at,
            result=result.code.value,
            description=result.description,
            records_read=tally.read,
            records_refused=tally.refused,
            records_repaired=tally.repaired,
            records_warned=tally.warned,
            records_changed=changed,
            records_withdrawn=withdrawn,
        )
        .returning(message.c.id)
    ).scalar_one()
    for kind, notes in (
        ("refused", tally.refusals if refusals is None else refusals),
        ("repaired", tally.repairs),
        ("warning", tally.warnings),
    ):
        _insert_notes(connection, message_id, kind, notes)
    return message_id


def _insert_notes(
    connection: sa.Connection, message_id: int, kind: str, notes: Iterable[Note]
) -> None:
    iterator = iter(notes)
    while block := list(islice(iterator, _BLOCK_NOTES)):
        text = sa.Text()
        said = rows_source(
            "said",
            {
                "position": (sa.Integer(), [note.position for note in block]),
                "record_id": (text, [note.record_id for note in block]),
                "rule": (text, [note.violation.rule for note in block]),
                "field": (text, [note.violation.field for note in block]),
                "value": (text, [note.violation.value for note in block]),
                "text": (text, [note.violation.text for note in block]),
            },
        )
        connection.execute(
            message_note.insert().from_select(
                ["message_id", "kind", *said.c.keys()],
                sa.select(sa.literal(message_id), sa.literal(kind), *said.c).order_by(
                    said.c.position
                ),
            )
        )
