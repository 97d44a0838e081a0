"""What is old enough to be archived: found in pages by id, written as JSON lines, erased.

Ids go up in the order of arrival, so the oldest are found at the beginning of the primary key: no
index on a time is needed, and none has to be kept up by every upload.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by

from ochp_chs.ochp.records.cdr import CdrStatus
from ochp_chs.repository.tables import (
    cdr,
    cdr_step,
    cdr_version,
    cdr_warning,
    erasure_cdr,
    message,
    message_note,
    partner,
    tariff,
)

FINAL = (CdrStatus.APPROVED.value, CdrStatus.REJECTED.value)

#: Records in one page, which is also the most that one archive file holds.
PAGE_CDRS = 5_000
PAGE_MESSAGES = 10_000
PAGE_TARIFFS = 10_000
#: Notes that go with the messages of one file, unless a single message has more.
_PAGE_NOTES = 50_000
_BLOCK_ROWS = 500


@dataclass(frozen=True, slots=True)
class Page:
    """The next records by id: those that are old, by day, and where the following page begins."""

    old: Sequence[tuple[date, Sequence[int]]]
    last_id: int


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an archive, and for CDRs what is kept of them (see repository/cdr_digests.py)."""

    text: str
    kept: Any = None


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of records that are archived."""

    name: str
    #: The page after an id, given the moment before which records are old; None: there is no more.
    find_page: Callable[[sa.Connection, int, datetime], Page | None]
    #: The lines of the records of these ids, as they are read.
    lines: Callable[[sa.Connection, Sequence[int]], Iterator[Line]]
    #: Erase the records of these ids; returns how many that were.
    erase: Callable[[sa.Connection, Sequence[int]], int]
    #: How many are old, and the day of the oldest.
    count: Callable[[sa.Connection, datetime], tuple[int, date | None]]


def day_of(moment: sa.ColumnElement[Any]) -> sa.ColumnElement[date]:
    """The UTC day of a moment."""
    return sa.cast(moment.op("AT TIME ZONE")("UTC"), sa.Date)


def _any_of(column: sa.ColumnElement[int], ids: Sequence[int]) -> sa.ColumnElement[bool]:
    return column == sa.any_(sa.literal(list(ids), sa.ARRAY(sa.BigInteger)))


def _by_day(rows: Sequence[tuple[int, date]]) -> list[tuple[date, list[int]]]:
    ordered = sorted(rows, key=lambda row: (row[1], row[0]))
    return [(day, [row[0] for row in group]) for day, group in groupby(ordered, lambda row: row[1])]


def _json(table: sa.Table, *without: str) -> sa.ColumnElement[Any]:
    """A row of the table as a JSON object."""
    # With the asterisk: a table's name alone might as well be that of a column.
    row: sa.ColumnElement[Any] = sa.literal_column(f'"{table.name}".*')
    value: sa.ColumnElement[Any] = sa.func.to_jsonb(row, type_=JSONB)
    for name in without:
        value = value.op("-", return_type=JSONB())(sa.literal(name, sa.Text))
    return value


def _object(*pairs: object) -> sa.ColumnElement[Any]:
    """A JSON object of names and values, one after the other."""
    return sa.func.jsonb_build_object(*pairs, type_=JSONB)


def _text(*parts: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """JSON objects joined to one, as text."""
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.op("||", return_type=JSONB())(part)
    return sa.cast(whole, sa.Text)


def _texts(connection: sa.Connection, statement: sa.Select[Any]) -> Iterator[Sequence[sa.Row[Any]]]:
    # For this statement alone: the connection goes on to erase what it has read.
    options = {"stream_results": True, "max_row_buffer": _BLOCK_ROWS}
    result = connection.execute(statement, execution_options=options)
    yield from result.partitions(_BLOCK_ROWS)


# CDRs: final ones, by when they became so. A file has those that were taken in on one day, which
# is how ids go up; that way, few files are begun for each page.


def _cdr_page(connection: sa.Connection, after: int, before: datetime) -> Page | None:
    columns = cdr.c
    is_old = sa.and_(columns.status.in_(FINAL), columns.status_at < before)
    # What its contract's erasure waits for is to be archived without personal data.
    waits = sa.exists().where(erasure_cdr.c.cdr == columns.id)
    statement = (
        sa.select(
            columns.id,
            day_of(columns.accepted_at),
            sa.and_(is_old, ~waits),
            columns.accepted_at < before,
        )
        .where(columns.id > after)
        .order_by(columns.id)
        .limit(PAGE_CDRS)
    )
    rows = connection.execute(statement).all()
    # No CDR is final before it is taken in: behind a page of young ones, all are young.
    if not any(was_there for *_, was_there in rows):
        return None
    return Page(_by_day([(row[0], row[1]) for row in rows if row[2]]), rows[-1][0])


def _parts(table: sa.Table, *order: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The rows of a table that are a CDR's, as a JSON array."""
    without = ("cdr", "id") if "id" in table.c else ("cdr",)
    array = sa.func.jsonb_agg(aggregate_order_by(_json(table, *without), *order), type_=JSONB)
    return (
        sa.select(sa.func.coalesce(array, sa.literal_column("'[]'::jsonb"), type_=JSONB))
        .where(table.c.cdr == cdr.c.id)
        .correlate(cdr)
        .scalar_subquery()
    )


def _cdr_lines(connection: sa.Connection, ids: Sequence[int]) -> Iterator[Line]:
    current, first = cdr_version.alias("current"), cdr_version.alias("first")
    added = _object(
        "versions",
        _parts(cdr_version, cdr_version.c.version),
        "steps",
        _parts(cdr_step, cdr_step.c.id),
        "warnings",
        _parts(cdr_warning, cdr_warning.c.id),
    )
    columns = cdr.c
    statement = (
        sa.select(
            _text(_json(cdr, "id"), added),
            columns.key,
            columns.cdr_id,
            columns.evse_key,
            columns.provider,
            columns.status,
            first.c.payload,
            current.c.payload,
        )
        .join(first, sa.and_(first.c.cdr == columns.id, first.c.version == 1))
        .join(current, sa.and_(current.c.cdr == columns.id, current.c.version == columns.version))
        .where(_any_of(columns.id, ids))
        .order_by(columns.id)
    )
    for rows in _texts(connection, statement):
        for row in rows:
            yield Line(row[0], tuple(row[1:]))


def _erase_cdrs(connection: sa.Connection, ids: Sequence[int]) -> int:
    # Versions, steps and warnings go with them.
    statement = cdr.delete().where(_any_of(cdr.c.id, ids), cdr.c.status.in_(FINAL))
    return connection.execute(statement).rowcount


def _count_cdrs(connection: sa.Connection, before: datetime) -> tuple[int, date | None]:
    statement = sa.select(sa.func.count(), sa.func.min(day_of(cdr.c.accepted_at))).where(
        cdr.c.status.in_(FINAL), cdr.c.status_at < before
    )
    return tuple(connection.execute(statement).one())  # type: ignore[return-value]


# Messages, each with its notes, by when they were received.


def _message_page(connection: sa.Connection, after: int, before: datetime) -> Page | None:
    columns = message.c
    notes = columns.records_refused + columns.records_repaired + columns.records_warned
    statement = (
        sa.select(
            columns.id,
            day_of(columns.received_at),
            columns.received_at < before,
            sa.func.sum(notes).over(order_by=columns.id) - notes,
        )
        .where(columns.id > after)
        .order_by(columns.id)
        .limit(PAGE_MESSAGES)
    )
    rows = connection.execute(statement).all()
    taken = [row for row in rows if row[3] <= _PAGE_NOTES]
    if not any(is_old for _, _, is_old, _ in taken):
        return None
    return Page(_by_day([(row[0], row[1]) for row in taken if row[2]]), taken[-1][0])


def _message_lines(connection: sa.Connection, ids: Sequence[int]) -> Iterator[Line]:
    whole = (
        sa.select(_text(_json(message, "id", "partner_id"), _object("partner", partner.c.name)))
        .join_from(message, partner, partner.c.id == message.c.partner_id)
        .where(_any_of(message.c.id, ids))
        .order_by(message.c.id)
    )
    notes = (
        sa.select(
            _text(_object("note_on", message.c.reference), _json(message_note, "id", "message_id"))
        )
        .join_from(message_note, message, message.c.id == message_note.c.message_id)
        .where(_any_of(message_note.c.message_id, ids))
        .order_by(message_note.c.message_id, message_note.c.id)
    )
    # One message may have a hundred thousand notes: each is a line of its own.
    for statement in (whole, notes):
        for rows in _texts(connection, statement):
            for (text,) in rows:
                yield Line(text)


def _erase_messages(connection: sa.Connection, ids: Sequence[int]) -> int:
    connection.execute(message_note.delete().where(_any_of(message_note.c.message_id, ids)))
    return connection.execute(message.delete().where(_any_of(message.c.id, ids))).rowcount


def _count_messages(connection: sa.Connection, before: datetime) -> tuple[int, date | None]:
    statement = sa.select(sa.func.count(), sa.func.min(day_of(message.c.received_at))).where(
        message.c.received_at < before
    )
    return tuple(connection.execute(statement).one())  # type: ignore[return-value]


# Tariffs that are over, but for the last one of each recipient: that is what a delta tells of a
# tariff that is given to nobody any more (repository/tariff_views.py).


def _superseded(before: datetime) -> sa.ColumnElement[bool]:
    later = tariff.alias("later")
    follows = sa.exists().where(
        later.c.tariff_key == tariff.c.tariff_key,
        later.c.recipient == tariff.c.recipient,
        later.c.given_from >= tariff.c.given_until,
        later.c.id > tariff.c.id,
    )
    return sa.and_(tariff.c.given_until < before, follows)


def _tariff_page(connection: sa.Connection, after: int, before: datetime) -> Page | None:
    statement = (
        sa.select(tariff.c.id, day_of(tariff.c.given_until))
        .where(tariff.c.id > after, _superseded(before))
        .order_by(tariff.c.id)
        .limit(PAGE_TARIFFS)
    )
    rows = [(row[0], row[1]) for row in connection.execute(statement)]
    return Page(_by_day(rows), rows[-1][0]) if rows else None


def _tariff_lines(connection: sa.Connection, ids: Sequence[int]) -> Iterator[Line]:
    statement = (
        sa.select(_text(_json(tariff, "id", "change_id")))
        .where(_any_of(tariff.c.id, ids))
        .order_by(tariff.c.id)
    )
    for rows in _texts(connection, statement):
        for (text,) in rows:
            yield Line(text)


def _erase_tariffs(connection: sa.Connection, ids: Sequence[int]) -> int:
    return connection.execute(tariff.delete().where(_any_of(tariff.c.id, ids))).rowcount


def _count_tariffs(connection: sa.Connection, before: datetime) -> tuple[int, date | None]:
    statement = sa.select(sa.func.count(), sa.func.min(day_of(tariff.c.given_until))).where(
        _superseded(before)
    )
    return tuple(connection.execute(statement).one())  # type: ignore[return-value]


CDRS = Kind("cdrs", _cdr_page, _cdr_lines, _erase_cdrs, _count_cdrs)
MESSAGES = Kind("messages", _message_page, _message_lines, _erase_messages, _count_messages)
TARIFFS = Kind("tariffs", _tariff_page, _tariff_lines, _erase_tariffs, _count_tariffs)
