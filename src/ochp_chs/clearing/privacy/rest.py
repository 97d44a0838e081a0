"""What an erasure had to leave: CDRs that were not final, tokens that partners had to hear of."""

import socket
from collections.abc import Iterator
from datetime import datetime

from ochp_chs.clearing.privacy.cleaning import erase_cdrs, erase_from_log
from ochp_chs.clearing.privacy.subject import Subject
from ochp_chs.clearing.vault import Vault
from ochp_chs.ochp.erasure import person_in
from ochp_chs.repository import erasures, personal
from ochp_chs.repository.engine import Connection, Database

#: CDRs in one transaction, which looks through the message log for each of their contracts.
_BATCH_CDRS = 20


def erase_rest(database: Database, vault: Vault, now: datetime) -> Iterator[tuple[str, int]]:
    """Erase what has become free, and log it; what and how much, after each commit.

    The caller has the lock of retention.
    """
    by = f"retention on {socket.gethostname()}"
    with database.begin() as connection:
        tokens = erasures.delete_due_tokens(connection, now)
        for erasure, count in tokens.items():
            erasures.insert_rest_action(connection, erasure, by, {"tokens": count}, now)
    yield "erased_tokens", sum(tokens.values())
    while True:
        with database.begin() as connection:
            due = erasures.list_due_cdrs(connection, _BATCH_CDRS)
            count = 0
            for erasure, ids in due.items():
                cdrs, texts = _erase(connection, vault, list(ids))
                counts = {"cdrs": cdrs, "log_texts": texts}
                erasures.insert_rest_action(connection, erasure, by, counts, now)
                count += cdrs
        yield "erased_cdrs", count
        if not due:
            return


def _erase(connection: Connection, vault: Vault, ids: list[int]) -> tuple[int, int]:
    final = personal.lock_final(connection, ids)
    persons = [person_in(version.payload) for version in personal.versions_of(connection, final)]
    cdr_ids = [row.cdr_id for row in personal.list_identities(connection, final)]
    cdrs = texts = 0
    # Which contract was erased, the log does not tell: it is the one that these CDRs name.
    for contract in sorted({person.contract for person in persons if person is not None}):
        subject = Subject(contract).with_persons(persons)
        cdrs += erase_cdrs(connection, vault, subject, final)
        texts += erase_from_log(connection, subject, cdr_ids)
    erasures.forget_cdrs(connection, ids)
    return cdrs, texts
