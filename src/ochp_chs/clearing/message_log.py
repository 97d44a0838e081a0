"""The message log, as the operations write it."""

from collections.abc import Iterable

from ochp_chs.clearing.exchange import Call
from ochp_chs.ochp.results import Note, Result, Tally
from ochp_chs.repository.engine import Connection
from ochp_chs.repository.messages import insert_message


def log_message(
    connection: Connection,
    call: Call,
    tally: Tally,
    result: Result,
    *,
    changed: int = 0,
    withdrawn: int = 0,
    refusals: Iterable[Note] | None = None,
) -> None:
    """Log one upload in its own transaction; `refusals` where all are kept, not the first few."""
    insert_message(
        connection,
        reference=call.reference,
        partner_id=call.partner.id,
        operation=call.operation.name,
        received_at=call.received_at,
        result=result,
        tally=tally,
        changed=changed,
        withdrawn=withdrawn,
        refusals=refusals,
    )
