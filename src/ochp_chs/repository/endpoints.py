"""Service endpoints: whose token is whose, one day's set in place of another, and erasure."""

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from typing import cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ochp_chs.ochp.records.endpoint import EndpointRow, Kind, first_day_kept
from ochp_chs.repository.feeds import Feed, Lock
from ochp_chs.repository.staging import SizedIterable, Staged, stage_retained
from ochp_chs.repository.tables import endpoint_token, service_endpoint

#: Second key of the uploads' lock: nobody's number, because it is for all partners together.
_ALL_PARTNERS = 0

_BLOCK_ROWS = 200

#: Kind, partner, party IDs and the sealed record.
StoredEndpoint = tuple[str, int, str, bytes]


def _endpoint_is_current(at: datetime) -> sa.ColumnElement[bool]:
    return service_endpoint.c.valid_date >= first_day_kept(at)


# Nobody follows endpoints by deltas; they are staged like all records and stored by `replace_days`.
ENDPOINTS = Feed(
    name="endpoints",
    number=5,
    upload_lock=Lock.UPLOAD_ENDPOINTS,
    table=service_endpoint,
    key=("token_digest", "valid_date", "kind", "url", "namespace_url"),
    owner="token_digest",
    retained="token_digest",
    is_current=_endpoint_is_current,
    followed=False,
)


def lock_tokens(connection: sa.Connection) -> None:
    """Wait until nobody else claims, replaces or erases tokens; held until the transaction ends.

    Without it, a token could be erased as unused between being claimed and being used.
    """
    connection.execute(
        sa.select(sa.func.pg_advisory_xact_lock(int(ENDPOINTS.upload_lock), _ALL_PARTNERS))
    )


def tokens_of_others(
    connection: sa.Connection, staged: Staged, partner_id: int
) -> Iterator[tuple[int, EndpointRow]]:
    """Position and row of staged endpoints whose token is another partner's (primary key)."""
    source = staged.source
    columns = [source.c[name] for name in EndpointRow._fields]
    statement = (
        sa.select(source.c.position, *columns)
        .join_from(source, endpoint_token, endpoint_token.c.digest == source.c.token_digest)
        .where(endpoint_token.c.partner_id != partner_id)
        .order_by(source.c.position)
    )
    for position, *values in connection.execute(statement):
        row = EndpointRow(*values)
        yield position, row._replace(valid_date=str(row.valid_date))


def replace_days(
    connection: sa.Connection, staged: Staged, partner_id: int, retained: SizedIterable
) -> tuple[int, int]:
    """Put the staged endpoints in place of the partner's others of the same days and kinds.

    Those with `retained` tokens (of refused records) stay. Returns how many were stored and how
    many were taken out. The caller holds `lock_tokens`.
    """
    source = staged.source
    _claim(connection, source, partner_id)
    withdrawn = _take_out(connection, source, partner_id, retained)
    columns = EndpointRow._fields
    statement = insert(service_endpoint).from_select(
        list(columns), sa.select(*[source.c[name] for name in columns])
    )
    stored = connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(ENDPOINTS.key),
            set_={name: statement.excluded[name] for name in columns if name not in ENDPOINTS.key},
        )
    ).rowcount
    _drop_unused_tokens(connection, endpoint_token.c.partner_id == partner_id)
    return stored, withdrawn


def erase_before(connection: sa.Connection, day: date) -> int | None:
    """Erase the endpoints of all days before this one; how many, None if others are at work.

    Several nodes may try at once: one does it.
    """
    lock = sa.func.pg_try_advisory_xact_lock(int(ENDPOINTS.upload_lock), _ALL_PARTNERS)
    if not connection.execute(sa.select(lock)).scalar_one():
        return None
    statement = service_endpoint.delete().where(service_endpoint.c.valid_date < day)
    erased = connection.execute(statement).rowcount
    if erased:
        _drop_unused_tokens(connection, sa.true())
    return erased


def count_sealed_otherwise(
    connection: sa.Connection, partner_ids: Collection[int], at: datetime, key_id: str
) -> int:
    """How many current endpoints of these partners were sealed with another key."""
    statement = (
        sa.select(sa.func.count())
        .select_from(_WITH_PARTNER)
        .where(_current_of(partner_ids, at), service_endpoint.c.key_id != key_id)
    )
    return int(connection.execute(statement).scalar_one())


def stream_current(
    connection: sa.Connection, partner_ids: Collection[int], at: datetime, key_id: str
) -> Iterator[Sequence[StoredEndpoint]]:
    """Current endpoints of these partners that this key opens, in blocks, providers' first."""
    columns = service_endpoint.c
    statement = (
        sa.select(columns.kind, endpoint_token.c.partner_id, columns.party_ids, columns.sealed)
        .select_from(_WITH_PARTNER)
        .where(_current_of(partner_ids, at), columns.key_id == key_id)
        # No index: what there is of one kind is sorted once for each answer.
        .order_by(columns.kind == Kind.OPERATOR.value, columns.valid_date, columns.url)
    )
    result = connection.execution_options(stream_results=True, max_row_buffer=_BLOCK_ROWS).execute(
        statement
    )
    for rows in result.partitions(_BLOCK_ROWS):
        yield cast(Sequence[StoredEndpoint], rows)


_WITH_PARTNER = service_endpoint.join(
    endpoint_token, endpoint_token.c.digest == service_endpoint.c.token_digest
)


def _current_of(partner_ids: Collection[int], at: datetime) -> sa.ColumnElement[bool]:
    # Served by ix_endpoint_token_partner_id and the endpoints' primary key.
    return sa.and_(endpoint_token.c.partner_id.in_(partner_ids), _endpoint_is_current(at))


def _claim(connection: sa.Connection, source: sa.FromClause, partner_id: int) -> None:
    own = sa.select(endpoint_token.c.digest).where(endpoint_token.c.partner_id == partner_id)
    new = (
        sa.select(source.c.token_digest, sa.literal(partner_id, sa.Integer))
        .where(source.c.token_digest.not_in(own))
        .distinct()
    )
    # Should another partner have one of them after all, the primary key refuses it.
    connection.execute(endpoint_token.insert().from_select(["digest", "partner_id"], new))


def _take_out(
    connection: sa.Connection, source: sa.FromClause, partner_id: int, retained: SizedIterable
) -> int:
    columns = service_endpoint.c
    own = sa.select(endpoint_token.c.digest).where(endpoint_token.c.partner_id == partner_id)
    sent_for = [source.c[name] == columns[name] for name in ("kind", "valid_date")]
    sent_again = [source.c[name] == columns[name] for name in ENDPOINTS.key]
    statement = service_endpoint.delete().where(
        columns.token_digest.in_(own),
        sa.exists().where(*sent_for),
        ~sa.exists().where(*sent_again),
    )
    kept = stage_retained(connection, ENDPOINTS, retained)
    if kept is not None:
        same = kept.c.token_digest == columns.token_digest
        statement = statement.where(~sa.exists().where(same))
    return connection.execute(statement).rowcount


def _drop_unused_tokens(connection: sa.Connection, whose: sa.ColumnElement[bool]) -> None:
    is_used = sa.exists().where(service_endpoint.c.token_digest == endpoint_token.c.digest)
    connection.execute(endpoint_token.delete().where(whose, ~is_used))
