"""One CDR's history for people and for programs."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from ochp_chs.clearing.cdrs.content import changed_fields, parse_content
from ochp_chs.clearing.cdrs.history import Accounts
from ochp_chs.cli.output import print_details, print_table
from ochp_chs.ochp.violations import Violation
from ochp_chs.repository.cdr_history import CdrHistory, ListedCdr, LoggedNote, Version

_NOTHING = "-"


def moment(at: datetime) -> str:
    """A time of the clearing house, as all commands print it."""
    return f"{at:%Y-%m-%d %H:%M:%SZ}"


def print_accounts(cdr_id: str, accounts: Accounts) -> None:
    """Each CDR with its history, then what was said of messages that were not taken."""
    for history in accounts.cdrs:
        _print_cdr(history)
        print()
    if not accounts.cdrs:
        print(f"The CDR {cdr_id} was never taken in.\n")
    notes = [note for note in accounts.notes if note.kind != "warning"]
    print_table(
        ["time", "partner", "operation", "record", "what", "reason", "message"],
        [
            [
                moment(note.at),
                note.partner,
                note.operation,
                f"#{note.position}",
                note.kind,
                _said(note.violation),
                note.message,
            ]
            for note in notes
        ],
        when_empty="Nothing of it was ever refused or repaired.",
    )


def _print_cdr(history: CdrHistory) -> None:
    cdr = history.cdr
    content = parse_content(cdr.payload)
    start, end = (
        content.findtext(f"{name}/LocalDateTime") or "" for name in ("startDateTime", "endDateTime")
    )
    print_details(
        {
            "CDR-ID": cdr.cdr_id,
            "EVSE-ID": content.findtext("evseId") or "",
            "status": f"{cdr.status} since {moment(cdr.status_at)}",
            "from": cdr.operator,
            "to": f"{cdr.provider} (contract {content.findtext('contractId')})",
            "session": f"{start} to {end}",
            "total": f"{content.findtext('totalCost') or _NOTHING} {content.findtext('currency')}",
        }
    )
    print()
    print_table(
        ["time", "partner", "what", "version", "message"],
        list(_events(history)),
        when_empty="It has no history.",
    )


def _events(history: CdrHistory) -> Iterator[Sequence[str]]:
    """Every step; below it what its content changed and what the rules said of that."""
    versions = {version.version: version for version in history.versions}
    told = 0
    for step in history.steps:
        before = step.from_status or "new"
        yield (
            moment(step.at),
            step.partner,
            f"{step.event}: {before} -> {step.to_status}",
            str(step.version),
            step.message,
        )
        if step.version > told:
            told = step.version
            for text in _of_version(versions[told], versions.get(told - 1)):
                yield "", "", text, "", ""


def _of_version(version: Version, before: Version | None) -> Iterator[str]:
    if before is not None:
        for path, earlier, later in changed_fields(before.payload, version.payload):
            yield f"  {path}: {_or_nothing(earlier)} -> {_or_nothing(later)}"
    for warning in version.warnings:
        yield f"  warning {_said(warning)}"


def _or_nothing(text: str | None) -> str:
    return _NOTHING if text is None else text


def _said(violation: Violation) -> str:
    value = f" '{violation.value}'" if violation.value else ""
    return f"{violation.rule}: {violation.field}{value}: {violation.text}"


def listed_as_json(cdr: ListedCdr) -> dict[str, object]:
    """A CDR as it stands; amounts are texts."""
    content = parse_content(cdr.payload)
    return {
        "cdr_id": cdr.cdr_id,
        "evse_id": content.findtext("evseId"),
        "contract_id": content.findtext("contractId"),
        "status": cdr.status.value,
        "status_since": cdr.status_at.isoformat(),
        "accepted_at": cdr.accepted_at.isoformat(),
        "version": cdr.version,
        "operator": cdr.operator,
        "provider": cdr.provider,
        "start": content.findtext("startDateTime/LocalDateTime"),
        "end": content.findtext("endDateTime/LocalDateTime"),
        "total_cost": content.findtext("totalCost"),
        "currency": content.findtext("currency"),
    }


def accounts_as_json(cdr_id: str, accounts: Accounts) -> dict[str, object]:
    """Everything, with the XML of each version's content."""
    return {
        "cdr_id": cdr_id,
        "cdrs": [_history_as_json(history) for history in accounts.cdrs],
        "notes": [_note_as_json(note) for note in accounts.notes],
    }


def _history_as_json(history: CdrHistory) -> dict[str, object]:
    return {
        **listed_as_json(history.cdr),
        "versions": [
            {
                "version": version.version,
                "received_at": version.received_at.isoformat(),
                "partner": version.partner,
                "message": version.message,
                "warnings": [_violation_as_json(warning) for warning in version.warnings],
                "content": version.payload,
            }
            for version in history.versions
        ],
        "steps": [
            {
                "at": step.at.isoformat(),
                "partner": step.partner,
                "event": step.event.value,
                "from": None if step.from_status is None else step.from_status.value,
                "to": step.to_status.value,
                "version": step.version,
                "message": step.message,
            }
            for step in history.steps
        ],
    }


def _note_as_json(note: LoggedNote) -> dict[str, object]:
    return {
        "at": note.at.isoformat(),
        "kind": note.kind,
        "operation": note.operation,
        "partner": note.partner,
        "message": note.message,
        "position": note.position,
        **_violation_as_json(note.violation),
    }


def _violation_as_json(violation: Violation) -> dict[str, str]:
    return {
        "rule": violation.rule,
        "field": violation.field,
        "value": violation.value,
        "text": violation.text,
    }
