"""Everything that is stored about a contract (docs/retention.md, "A data subject asks")."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from html import unescape
from pathlib import Path
from typing import Any

from ochp_chs.clearing.privacy import archived
from ochp_chs.clearing.privacy.subject import Subject
from ochp_chs.clearing.vault import Vault
from ochp_chs.ochp.erasure import person_in
from ochp_chs.repository import erasures, personal
from ochp_chs.repository.engine import Connection, Database
from ochp_chs.repository.erasures import Action
from ochp_chs.repository.outdated import CDRS
from ochp_chs.repository.personal import FoundMessage, FoundNote, StoredToken


@dataclass(frozen=True, slots=True)
class Stored:
    """What the database has of a contract; CDRs as they would be archived, with all history."""

    subject: Subject
    tokens: Sequence[StoredToken]
    cdrs: Sequence[Mapping[str, Any]]
    cdr_ids: Sequence[str]
    notes: Sequence[FoundNote]
    messages: Sequence[FoundMessage]


@dataclass(frozen=True, slots=True)
class Report:
    """The same, with the archive's part, and what was done about the contract before."""

    stored: Stored
    archive: archived.Search
    #: Day and address of service endpoints of which a pattern is this contract.
    endpoints: Sequence[tuple[str, str]]
    actions: Sequence[Action]

    @property
    def counts(self) -> dict[str, int]:
        """How much it is."""
        return {
            "tokens": len(self.stored.tokens),
            "cdrs": len(self.stored.cdrs),
            "log_texts": len(self.stored.notes) + len(self.stored.messages),
            "endpoints": len(self.endpoints),
            "archive_files": len(self.archive.found),
            "archived_records": sum(len(found.lines) for found in self.archive.found),
            "archive_files_unreadable": len(self.archive.unreadable),
        }


@dataclass(frozen=True, slots=True)
class Asker:
    """Who wants it, and why: for the log."""

    by: str
    reason: str | None = None


def report(
    database: Database,
    archive_dir: Path | None,
    vault: Vault,
    clock: Callable[[], datetime],
    contract_id: str,
    asker: Asker,
) -> Report:
    """Look everywhere, and log that it was done; ContractIdInvalid.

    The log has the contract as a keyed digest, and numbers; nothing else of what was found.
    """
    subject = Subject.of(contract_id)
    with database.snapshot() as connection:
        stored = look_up(connection, subject)
        endpoints = [
            (day.isoformat(), url)
            for day, url, sealed in personal.list_endpoints(
                connection, subject.provider, vault.key_id
            )
            if subject.is_in(vault.open(sealed))
        ]
    search = archived.search(database, archive_dir, stored.subject)
    with database.begin() as connection:
        digest = subject.digest(vault)
        actions = erasures.list_actions(connection, digest)
        made = Report(stored, search, endpoints, actions)
        erasures.insert_action(
            connection,
            Action(clock(), "report", asker.by, asker.reason, made.counts),
            digest,
        )
    return made


def look_up(connection: Connection, subject: Subject) -> Stored:
    """What the database has of the contract, and the contract's tokens on the way."""
    tokens = personal.list_tokens(connection, subject.contract)
    ids = [identifier for identifier, _ in personal.list_cdrs(connection, subject.contract)]
    versions = personal.versions_of(connection, ids)
    subject = subject.with_tokens(
        token for stored in tokens if (token := instance_of(stored)) is not None
    ).with_persons(person_in(version.payload) for version in versions)
    cdrs = [json.loads(line.text) for line in CDRS.lines(connection, ids)]
    cdr_ids = sorted({cdr["cdr_id"] for cdr in cdrs})
    instances = subject.lasting_instances
    notes = personal.list_notes(connection, subject.contract, instances, cdr_ids)
    messages = personal.list_messages(connection, subject.contract, instances, cdr_ids)
    return Stored(
        subject,
        tokens,
        cdrs,
        cdr_ids,
        [note for note in notes if subject.is_in(f"{note.record_id}\n{note.value}\n{note.text}")],
        [message for message in messages if subject.is_in(message.description)],
    )


def instance_of(stored: StoredToken) -> tuple[str, str] | None:
    """A stored token's instance and type."""
    # The payload is canonical: ochp/records/token.py.
    _, found, rest = stored.payload.partition("<instance>")
    return (unescape(rest.partition("<")[0]), stored.key[2]) if found else None


def as_json(made: Report) -> dict[str, Any]:
    """The report as JSON has it."""
    stored = made.stored
    return {
        "contract": stored.subject.contract,
        "counts": made.counts,
        "tokens": [_token(each) for each in stored.tokens],
        "cdrs": list(stored.cdrs),
        "message_log": [
            *(_without_id(note) for note in stored.notes),
            *(_without_id(message) for message in stored.messages),
        ],
        "endpoints": [{"valid_date": day, "url": url} for day, url in made.endpoints],
        "archive": [
            {
                "file": found.file.name,
                "sha256": found.file.sha256,
                "records": [json.loads(line) for line in found.lines],
            }
            for found in made.archive.found
        ],
        "archive_files_unreadable": list(made.archive.unreadable),
        "earlier_actions": [
            asdict(action) | {"at": action.at.isoformat()} for action in made.actions
        ],
    }


def _token(stored: StoredToken) -> dict[str, Any]:
    digest, provider, token_type, representation = stored.key
    return {
        "provider": provider,
        "token_type": token_type,
        "representation": representation,
        "digest": digest.hex(),
        "contract_id": stored.contract_id,
        "expires_at": stored.expires_at.isoformat(),
        "withdrawn_at": None if stored.withdrawn_at is None else stored.withdrawn_at.isoformat(),
        "changed_at": None if stored.changed_at is None else stored.changed_at.isoformat(),
        "payload": stored.payload,
    }


def _without_id(found: FoundNote | FoundMessage) -> dict[str, Any]:
    named = found._asdict()
    del named["id"]
    return named | {"received_at": found.received_at.isoformat()}
