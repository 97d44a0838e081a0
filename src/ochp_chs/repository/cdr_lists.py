"""CDRs on their way out, the oldest first."""

from collections.abc import Collection, Iterator, Sequence

import sqlalchemy as sa

from ochp_chs.ochp.records.cdr import CdrStatus
from ochp_chs.repository.tables import cdr, cdr_version

_BLOCK_ROWS = 200

_STATUS_XML = ("<status><CdrStatusType>", "</CdrStatusType></status>")
#: The element that follows the status; the text of a payload holds no bracket.
_AFTER_STATUS = "<startDateTime>"


def stream_for_owner(
    connection: sa.Connection,
    providers: Collection[str],
    operators: Collection[str],
    statuses: Collection[CdrStatus],
    rows_max: int | None,
) -> Iterator[Sequence[str]]:
    """The CDRs of an EMP's contracts by connected CPOs. Served by ix_cdr_provider_status_id."""
    return _stream(
        connection,
        cdr.c.provider.in_(providers),
        cdr.c.operator.in_(operators),
        _in(statuses),
        rows_max=rows_max,
    )


def stream_for_originator(
    connection: sa.Connection,
    operators: Collection[str],
    statuses: Collection[CdrStatus],
    rows_max: int | None,
) -> Iterator[Sequence[str]]:
    """The CDRs that a CPO sent. Served by ix_cdr_operator_status_id."""
    return _stream(connection, cdr.c.operator.in_(operators), _in(statuses), rows_max=rows_max)


def _in(statuses: Collection[CdrStatus]) -> sa.ColumnElement[bool]:
    return cdr.c.status.in_([status.value for status in statuses])


def _stream(
    connection: sa.Connection, *conditions: sa.ColumnElement[bool], rows_max: int | None
) -> Iterator[Sequence[str]]:
    statement = (
        sa.select(payload_with_status())
        .join(
            cdr_version,
            sa.and_(cdr_version.c.cdr == cdr.c.id, cdr_version.c.version == cdr.c.version),
        )
        .where(*conditions)
        .order_by(cdr.c.id)
        .limit(rows_max)
    )
    result = connection.execution_options(stream_results=True, max_row_buffer=_BLOCK_ROWS).execute(
        statement
    )
    yield from result.scalars().partitions(_BLOCK_ROWS)


def payload_with_status() -> sa.ColumnElement[str]:
    """The record as it leaves: with the status that it has now, at its place."""
    payload = cdr_version.c.payload
    place = sa.func.strpos(payload, _AFTER_STATUS)
    opening, closing = _STATUS_XML
    return (
        sa.func.left(payload, place - 1)
        + sa.literal(opening)
        + cdr.c.status
        + sa.literal(closing)
        + sa.func.substr(payload, place)
    )
