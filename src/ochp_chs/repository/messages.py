"""The message log: what became of every upload, with what there is to say of its records."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from ochp_chs.ochp.results import Note, Result, Tally
from ochp_chs.repository.tables import message, message_note


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
) -> int:
    """Log one upload with its first refusals, repairs and warnings; returns its id."""
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
    notes = [
        *_note_rows(message_id, "refused", tally.refusals),
        *_note_rows(message_id, "repaired", tally.repairs),
        *_note_rows(message_id, "warning", tally.warnings),
    ]
    if notes:
        connection.execute(message_note.insert(), notes)
    return message_id


def _note_rows(message_id: int, kind: str, notes: Sequence[Note]) -> list[Mapping[str, str | int]]:
    return [
        {
            "message_id": message_id,
            "kind": kind,
            "position": note.position,
            "record_id": note.record_id,
            "rule": note.violation.rule,
            "field": note.violation.field,
            "value": note.violation.value,
            "text": note.violation.text,
        }
        for note in notes
    ]
