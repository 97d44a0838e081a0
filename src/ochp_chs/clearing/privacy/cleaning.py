"""Taking a person out of CDRs and out of the message log, within the caller's transaction."""

import json
from collections.abc import Callable, Collection, Sequence
from itertools import groupby
from typing import Any, TypeVar

from ochp_chs.clearing.privacy.subject import Subject
from ochp_chs.clearing.vault import Vault
from ochp_chs.ochp.erasure import erased_contract_id, person_in, without_person
from ochp_chs.ochp.identifiers import contract_key_without_check
from ochp_chs.repository import personal
from ochp_chs.repository.cdr_digests import CdrDigest, upsert_digests
from ochp_chs.repository.engine import Connection
from ochp_chs.repository.personal import FoundMessage, FoundNote, FoundWarning, StoredVersion


def erase_cdrs(connection: Connection, vault: Vault, subject: Subject, ids: Sequence[int]) -> int:
    """Take the person out of final CDRs, which the caller has locked.

    Of each, all versions that name the contract. What was sent is kept as keyed digests, so that a
    late repeat is known for one. Returns how many CDRs that were.
    """
    versions = personal.versions_of(connection, ids)
    named = [version for version in versions if _is_about(version.payload, subject)]
    if not named:
        return 0
    upsert_digests(connection, _digests(connection, vault, versions), None)
    personal.replace_payloads(
        connection,
        [(version.cdr, version.version, without_person(version.payload)) for version in named],
    )
    current = [version.cdr for version in named if version.is_current]
    if current:
        nobody = erased_contract_id(subject.contract)
        personal.replace_contracts(connection, current, [nobody] * len(current))
    warnings = personal.list_warnings(connection, ids)
    personal.replace_texts(connection, _changed(warnings, _clean_warning, subject))
    return len({version.cdr for version in named})


def erase_from_log(connection: Connection, subject: Subject, cdr_ids: Collection[str]) -> int:
    """Take the person out of the message log; returns how many of its texts named it."""
    instances = subject.lasting_instances
    notes = personal.list_notes(connection, subject.contract, instances, cdr_ids)
    messages = personal.list_messages(connection, subject.contract, instances, cdr_ids)
    changed_notes = _changed(notes, _clean_note, subject)
    changed_messages = _changed(messages, _clean_message, subject)
    personal.replace_texts(connection, changed_notes)
    personal.replace_texts(connection, changed_messages)
    return len(changed_notes) + len(changed_messages)


def clean_line(line: str, subject: Subject) -> str | None:
    """A line of an archive without the person; None: it does not name it."""
    if not subject.is_in(line):
        return None
    record = json.loads(line)
    cleaned = _clean_json(record, subject)
    return None if cleaned == record else json.dumps(cleaned, ensure_ascii=False)


def _digests(
    connection: Connection, vault: Vault, versions: Sequence[StoredVersion]
) -> list[CdrDigest]:
    sent = {
        identifier: list(group)
        for identifier, group in groupby(versions, key=lambda version: version.cdr)
    }
    digests = []
    for row in personal.list_identities(connection, list(sent)):
        own = sent[row.id]
        current = next(version for version in own if version.is_current)
        sent_digests = (vault.digest(own[0].payload), vault.digest(current.payload))
        digests.append(CdrDigest._make((*row[1:], *sent_digests)))
    return digests


def _clean_json(value: Any, subject: Subject) -> Any:
    if isinstance(value, dict):
        return {name: _clean_field(name, each, subject) for name, each in value.items()}
    if isinstance(value, list):
        return [_clean_json(each, subject) for each in value]
    return value


def _clean_field(name: str, value: Any, subject: Subject) -> Any:
    if not isinstance(value, str):
        return _clean_json(value, subject)
    if name == "payload":
        return without_person(value) if _is_about(value, subject) else value
    if name == "contract_key":
        is_it = contract_key_without_check(value) == subject.contract
        return erased_contract_id(value) if is_it else value
    return subject.redacted(value)


def _is_about(payload: str, subject: Subject) -> bool:
    person = person_in(payload)
    return person is not None and person.contract == subject.contract


def _clean_note(note: FoundNote, subject: Subject) -> FoundNote:
    return note._replace(
        record_id=subject.redacted(note.record_id),
        value=subject.redacted(note.value),
        text=subject.redacted(note.text),
    )


def _clean_message(message: FoundMessage, subject: Subject) -> FoundMessage:
    return message._replace(description=subject.redacted(message.description))


def _clean_warning(warning: FoundWarning, subject: Subject) -> FoundWarning:
    return warning._replace(
        value=subject.redacted(warning.value), text=subject.redacted(warning.text)
    )


_Found = TypeVar("_Found", FoundNote, FoundMessage, FoundWarning)


def _changed(
    found: Sequence[_Found], clean: Callable[[_Found, Subject], _Found], subject: Subject
) -> list[_Found]:
    cleaned = [(each, clean(each, subject)) for each in found]
    return [after for before, after in cleaned if after != before]
