"""Where a contract is found in the database, and how it is taken out of there.

None of the searches has an index of its own: they are asked for once in a while, look at one
provider's records only, and read the message log as a whole.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from ochp_chs.ochp.records.cdr import CdrStatus
from ochp_chs.ochp.roles import Role
from ochp_chs.repository.outdated import FINAL
from ochp_chs.repository.rows import rows_source
from ochp_chs.repository.tables import (
    cdr,
    cdr_version,
    cdr_warning,
    change,
    endpoint_token,
    message,
    message_note,
    partner,
    partner_party,
    service_endpoint,
    token,
)
from ochp_chs.repository.tokens import TOKENS

_CONTRACT_LENGTH = 14


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A token of the contract; `changed_at` is when it became what it is, None: long ago."""

    key: tuple[bytes, str, str, str]
    contract_id: str
    expires_at: datetime
    withdrawn_at: datetime | None
    payload: str
    change_id: int
    changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """One version of a CDR's content."""

    cdr: int
    version: int
    is_current: bool
    payload: str


class FoundNote(NamedTuple):
    """A note of the message log that may name somebody, with its texts last."""

    id: int
    reference: str
    operation: str
    partner: str
    received_at: datetime
    rule: str
    field: str
    record_id: str
    value: str
    text: str


class FoundMessage(NamedTuple):
    """A message whose description may name somebody."""

    id: int
    reference: str
    operation: str
    partner: str
    received_at: datetime
    description: str


class FoundWarning(NamedTuple):
    """What the rules said of a CDR."""

    id: int
    value: str
    text: str


def list_tokens(connection: sa.Connection, contract: str) -> Sequence[StoredToken]:
    """All tokens of a contract, withdrawn ones too. Served by ix_token_provider_change_id."""
    columns = token.c
    statement = (
        sa.select(
            *[columns[name] for name in TOKENS.key],
            columns.contract_id,
            columns.expires_at,
            columns.withdrawn_at,
            columns.payload,
            columns.change_id,
            change.c.changed_at,
        )
        .select_from(token.outerjoin(change, change.c.id == columns.change_id))
        .where(
            columns.provider == contract[:5],
            sa.func.left(columns.contract_id, _CONTRACT_LENGTH) == contract,
        )
        .order_by(columns.change_id, columns.digest)
    )
    rows: Sequence[Any] = connection.execute(statement).all()
    return [StoredToken((bytes(row[0]), row[1], row[2], row[3]), *row[4:]) for row in rows]


def list_cdrs(connection: sa.Connection, contract: str) -> Sequence[tuple[int, CdrStatus]]:
    """All CDRs of a contract, those too that named it in an earlier version only.

    Served by ix_cdr_provider_status_id; the few CDRs that were revised are read one by one.
    """
    columns = cdr.c
    current = sa.select(columns.id, columns.status).where(
        columns.provider == contract[:5],
        sa.func.left(columns.contract_key, _CONTRACT_LENGTH) == contract,
    )
    sent = sa.func.substring(cdr_version.c.payload, "<contractId>([^<]*)<")
    earlier = (
        sa.select(columns.id, columns.status)
        .join(cdr_version, cdr_version.c.cdr == columns.id)
        .where(
            columns.version > 1,
            cdr_version.c.version < columns.version,
            sa.func.left(sa.func.upper(sa.func.replace(sent, "-", "")), _CONTRACT_LENGTH)
            == contract,
        )
    )
    found = sa.union(current, earlier).subquery("found")
    statement = sa.select(found.c.id, found.c.status).order_by(found.c.id)
    return [(identifier, CdrStatus(status)) for identifier, status in connection.execute(statement)]


def lock_final(connection: sa.Connection, ids: Sequence[int]) -> Sequence[int]:
    """Lock the CDRs and tell which of them are final."""
    statement = (
        sa.select(cdr.c.id, cdr.c.status)
        .where(cdr.c.id == sa.any_(_array(ids)))
        .order_by(cdr.c.id)
        .with_for_update()
    )
    return [identifier for identifier, status in connection.execute(statement) if status in FINAL]


def versions_of(connection: sa.Connection, ids: Sequence[int]) -> Sequence[StoredVersion]:
    """All versions of these CDRs, each CDR's in order."""
    columns = cdr_version.c
    statement = (
        sa.select(columns.cdr, columns.version, columns.version == cdr.c.version, columns.payload)
        .join(cdr, cdr.c.id == columns.cdr)
        .where(columns.cdr == sa.any_(_array(ids)))
        .order_by(columns.cdr, columns.version)
    )
    return [StoredVersion(*row) for row in connection.execute(statement)]


def list_identities(connection: sa.Connection, ids: Sequence[int]) -> Sequence[Any]:
    """Id, key, CDR-ID, EVSE key, provider and status of these CDRs."""
    columns = cdr.c
    return connection.execute(
        sa.select(
            columns.id,
            columns.key,
            columns.cdr_id,
            columns.evse_key,
            columns.provider,
            columns.status,
        ).where(columns.id == sa.any_(_array(ids)))
    ).all()


def list_warnings(connection: sa.Connection, ids: Sequence[int]) -> Sequence[FoundWarning]:
    """What the rules said of these CDRs."""
    columns = cdr_warning.c
    statement = sa.select(columns.id, columns.value, columns.text).where(
        columns.cdr == sa.any_(_array(ids))
    )
    return [FoundWarning(*row) for row in connection.execute(statement)]


def list_notes(
    connection: sa.Connection,
    contract: str,
    instances: Collection[str],
    cdr_ids: Collection[str] = (),
) -> Sequence[FoundNote]:
    """Notes that may name the contract or a token; all of those on these CDR-IDs."""
    note = message_note.c
    names = sa.or_(
        _may_name(
            sa.func.concat_ws(" ", note.record_id, note.value, note.text), contract, instances
        ),
        note.record_id == sa.any_(sa.literal(list(cdr_ids), sa.ARRAY(sa.Text))),
    )
    statement = (
        sa.select(
            note.id,
            message.c.reference,
            message.c.operation,
            partner.c.name,
            message.c.received_at,
            note.rule,
            note.field,
            note.record_id,
            note.value,
            note.text,
        )
        .join_from(message_note, message, message.c.id == note.message_id)
        .join(partner, partner.c.id == message.c.partner_id)
        .where(names)
        .order_by(note.id)
    )
    return [FoundNote._make(row) for row in connection.execute(statement)]


def list_messages(
    connection: sa.Connection,
    contract: str,
    instances: Collection[str],
    cdr_ids: Collection[str] = (),
) -> Sequence[FoundMessage]:
    """Messages whose description may name the contract, a token, or one of these CDR-IDs."""
    columns = message.c
    statement = (
        sa.select(
            columns.id,
            columns.reference,
            columns.operation,
            partner.c.name,
            columns.received_at,
            columns.description,
        )
        .join_from(message, partner, partner.c.id == columns.partner_id)
        .where(_may_name(columns.description, contract, [*instances, *cdr_ids]))
        .order_by(columns.id)
    )
    return [FoundMessage(*row) for row in connection.execute(statement)]


def list_endpoints(
    connection: sa.Connection, provider: str, key_id: str
) -> Sequence[tuple[date, str, bytes]]:
    """Day, address and sealed record of the endpoints that a provider has, which this key opens."""
    owner = sa.select(partner_party.c.partner_id).where(
        partner_party.c.role == Role.EMP.value, partner_party.c.party_id == provider
    )
    columns = service_endpoint.c
    statement = (
        sa.select(columns.valid_date, columns.url, columns.sealed)
        .join(endpoint_token, endpoint_token.c.digest == columns.token_digest)
        .where(endpoint_token.c.partner_id.in_(owner), columns.key_id == key_id)
        .order_by(columns.valid_date, columns.url)
    )
    return [(day, url, bytes(sealed)) for day, url, sealed in connection.execute(statement)]


def replace_payloads(connection: sa.Connection, versions: Sequence[tuple[int, int, str]]) -> None:
    """Put other payloads in the place of versions: CDR, version, payload."""
    cdrs, numbers, payloads = zip(*versions, strict=True)
    rows = rows_source(
        "replaced",
        {
            "cdr": (sa.BigInteger(), cdrs),
            "version": (sa.Integer(), numbers),
            "payload": (sa.Text(), payloads),
        },
    )
    connection.execute(
        cdr_version.update()
        .where(cdr_version.c.cdr == rows.c.cdr, cdr_version.c.version == rows.c.version)
        .values(payload=rows.c.payload)
    )


def replace_contracts(
    connection: sa.Connection, ids: Sequence[int], contract_keys: Sequence[str]
) -> None:
    """Give CDRs other contracts, each its own."""
    rows = rows_source(
        "replaced", {"id": (sa.BigInteger(), ids), "contract": (sa.Text(), contract_keys)}
    )
    connection.execute(
        cdr.update().where(cdr.c.id == rows.c.id).values(contract_key=rows.c.contract)
    )


def replace_texts(
    connection: sa.Connection, found: Sequence[FoundNote | FoundMessage | FoundWarning]
) -> None:
    """Write the texts of notes, messages or warnings, all of one kind, as they are now."""
    if not found:
        return
    table, names = _TEXTS[type(found[0])]
    columns: dict[str, tuple[sa.types.TypeEngine[Any], Sequence[object]]] = {
        "id": (sa.BigInteger(), [each.id for each in found])
    }
    for name in names:
        columns[name] = (sa.Text(), [getattr(each, name) for each in found])
    rows = rows_source("replaced", columns)
    connection.execute(
        table.update().where(table.c.id == rows.c.id).values({name: rows.c[name] for name in names})
    )


_TEXTS: dict[type, tuple[sa.Table, tuple[str, ...]]] = {
    FoundNote: (message_note, ("record_id", "value", "text")),
    FoundMessage: (message, ("description",)),
    FoundWarning: (cdr_warning, ("value", "text")),
}


def _array(ids: Sequence[int]) -> sa.ColumnElement[Any]:
    return sa.literal(list(ids), sa.ARRAY(sa.BigInteger))


def _may_name(
    text: sa.ColumnElement[str], contract: str, names: Collection[str]
) -> sa.ColumnElement[bool]:
    """Wider than what is meant, and quick to tell: who asks looks again."""
    bare = sa.func.translate(sa.func.upper(text), "-*", "", type_=sa.Text)
    lower = sa.func.lower(text, type_=sa.Text)
    return sa.or_(
        bare.contains(contract, autoescape=True),
        *[lower.contains(name.lower(), autoescape=True) for name in names],
    )
