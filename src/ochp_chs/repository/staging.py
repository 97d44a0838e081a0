"""Rows on their way into a table: a handful as a list, hundreds of thousands by COPY."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Protocol

import sqlalchemy as sa

from ochp_chs.repository.feeds import Feed

#: Up to this many rows travel inside the statement; creating a table for them would cost more.
INLINE_ROWS_MAX = 200

#: COPY is fed in pieces of about this many bytes.
_COPY_BYTES = 1 << 17

#: Positions of repeated records that are named; more are counted.
_REPEATS_NAMED_MAX = 100

PositionedRow = tuple[int, Sequence[object]]


class SizedIterable(Protocol):
    """Texts that can be counted and gone through, wherever they are kept."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[str]: ...


@dataclass(slots=True)
class Staged:
    """Rows ready to be merged: something to select from, without repeated keys.

    Beside the row's columns it has `position`, the record's place in the message from 1.
    """

    source: sa.FromClause
    #: Positions of records that a later one in the same message replaces; the first few.
    repeated: Sequence[int]
    repeated_count: int

    def drop(self, connection: sa.Connection, positions: Collection[int]) -> None:
        """Take rows out again that are refused after all."""
        if isinstance(self.source, sa.Table):
            unwanted = _inline_positions(positions)
            connection.execute(
                self.source.delete().where(self.source.c.position == unwanted.c.position)
            )
        else:
            source = self.source
            kept = sa.select(source).where(source.c.position.not_in(list(positions)))
            self.source = kept.subquery("kept")


def stage(
    connection: sa.Connection, feed: Feed, columns: Sequence[str], rows: Iterable[PositionedRow]
) -> Staged:
    """Take all rows in; what iterating over them raises is raised here, and nothing is kept."""
    iterator = iter(rows)
    first = list(islice(iterator, INLINE_ROWS_MAX + 1))
    if len(first) <= INLINE_ROWS_MAX:
        return _stage_inline(feed, columns, first)
    return _stage_by_copy(connection, feed, columns, chain(first, iterator))


def stage_retained(
    connection: sa.Connection, feed: Feed, keys: SizedIterable
) -> sa.FromClause | None:
    """Keys of refused records as something to select from, in the feed's `retained` column.

    Binary keys come as hexadecimal text. None if there are none.
    """
    if not keys:
        return None
    column = feed.table.c[feed.retained]
    decode = bytes.fromhex if isinstance(column.type, sa.LargeBinary) else str
    if len(keys) <= INLINE_ROWS_MAX:
        return _inline(feed, [feed.retained], [[decode(key) for key in keys]])
    table = sa.Table(
        f"retained_{feed.table.name}",
        sa.MetaData(),
        sa.Column(feed.retained, column.type),
        prefixes=["TEMPORARY"],
        postgresql_on_commit="DROP",
    )
    table.create(connection)
    encode = _encoder(column)
    _copy(connection, table, (f"{encode(decode(key))}\n".encode() for key in keys))
    return table


def _stage_inline(feed: Feed, columns: Sequence[str], rows: Sequence[PositionedRow]) -> Staged:
    places = [columns.index(name) for name in feed.key]
    latest: dict[tuple[object, ...], PositionedRow] = {}
    repeated = []
    for positioned in rows:
        key = tuple(positioned[1][place] for place in places)
        earlier = latest.get(key)
        if earlier is not None:
            repeated.append(earlier[0])
        latest[key] = positioned
    kept = [(position, *row) for position, row in latest.values()]
    values = list(zip(*kept, strict=True)) or [()] * (len(columns) + 1)
    return Staged(_inline(feed, ["position", *columns], values), repeated, len(repeated))


def _inline(
    feed: Feed, columns: Sequence[str], values: Sequence[Sequence[object]]
) -> sa.FromClause:
    """Columns of values as rows to select from."""
    types = [_type(feed, name) for name in columns]
    arrays = [_array(list(column), kind) for column, kind in zip(values, types, strict=True)]
    rows = sa.func.unnest(*arrays).table_valued(
        *[sa.column(name, kind) for name, kind in zip(columns, types, strict=True)],
        name="incoming",
    )
    return rows.render_derived()


def _type(feed: Feed, name: str) -> sa.types.TypeEngine[Any]:
    return sa.Integer() if name == "position" else feed.table.c[name].type


def _inline_positions(positions: Collection[int]) -> sa.FromClause:
    array = sa.cast(sa.literal(list(positions), sa.ARRAY(sa.Integer)), sa.ARRAY(sa.Integer))
    rows = sa.func.unnest(array).table_valued(sa.column("position", sa.Integer), name="unwanted")
    return rows.render_derived()


def _array(values: list[object], element: sa.types.TypeEngine[Any]) -> sa.ColumnElement[Any]:
    # Times travel as text and are cast by the database, as they are by COPY.
    sent = element if isinstance(element, sa.LargeBinary) else sa.Text()
    return sa.cast(sa.literal(values, sa.ARRAY(sent)), sa.ARRAY(element))


def _stage_by_copy(
    connection: sa.Connection, feed: Feed, columns: Sequence[str], rows: Iterator[PositionedRow]
) -> Staged:
    table = sa.Table(
        f"incoming_{feed.table.name}",
        sa.MetaData(),
        sa.Column("position", sa.Integer),
        *[sa.Column(name, feed.table.c[name].type) for name in columns],
        prefixes=["TEMPORARY"],
        postgresql_on_commit="DROP",
    )
    table.create(connection)
    encoders = [_encoder(feed.table.c[name]) for name in columns]
    _copy(connection, table, _copy_lines(rows, encoders))
    # Without statistics the planner takes the new table for tiny.
    connection.execute(sa.text(f'ANALYZE "{table.name}"'))
    repeated, count = _drop_repeats(connection, table, feed.key)
    return Staged(table, repeated, count)


def _copy(connection: sa.Connection, table: sa.Table, lines: Iterator[bytes]) -> None:
    reader = _CopyReader(lines)
    cursor = connection.connection.cursor()
    try:
        cursor.copy_expert(f'COPY "{table.name}" FROM STDIN', reader, _COPY_BYTES)
    except Exception:
        # psycopg2 reports what read() raised as a database error; the cause is what matters.
        if reader.failure is not None:
            raise reader.failure from None
        raise
    finally:
        cursor.close()


def _drop_repeats(
    connection: sa.Connection, table: sa.Table, key: Sequence[str]
) -> tuple[Sequence[int], int]:
    """Of records with the same key, keep the one that came last."""
    keys = [table.c[name] for name in key]
    last = (
        sa.select(*keys, sa.func.max(table.c.position).label("last"))
        .group_by(*keys)
        .having(sa.func.count() > 1)
        .subquery("repeats")
    )
    statement = (
        table.delete()
        .where(*[table.c[name] == last.c[name] for name in key], table.c.position < last.c.last)
        .returning(table.c.position)
    )
    result = connection.execute(statement)
    named = [row.position for row in result.fetchmany(_REPEATS_NAMED_MAX)]
    count = result.rowcount
    result.close()
    return named, count


class _CopyReader:
    """What psycopg2 reads COPY data from: lines, joined to pieces of a useful size."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self.failure: BaseException | None = None

    def read(self, size: int) -> bytes:
        """The next piece, a little over `size` bytes; empty at the end."""
        parts: list[bytes] = []
        length = 0
        try:
            for line in self._lines:
                parts.append(line)
                length += len(line)
                if length >= size:
                    break
        except BaseException as error:
            self.failure = error
            raise
        return b"".join(parts)


def _copy_lines(
    rows: Iterable[PositionedRow], encoders: Sequence[Callable[[object], str]]
) -> Iterator[bytes]:
    for position, row in rows:
        fields = [encode(value) for encode, value in zip(encoders, row, strict=True)]
        line = "\t".join(fields)
        yield f"{position}\t{line}\n".encode()


_COPY_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def _encode_text(value: object) -> str:
    if value is None:
        return "\\N"
    text = str(value)
    return text if text.isalnum() else text.translate(_COPY_ESCAPES)


def _encode_payload(value: object) -> str:
    # Canonical XML has nothing that COPY would need escaped: see ochp/xml.py.
    return str(value)


def _encode_bytes(value: object) -> str:
    return "\\N" if value is None else f"\\\\x{value.hex()}"  # type: ignore[attr-defined]


def _encoder(column: sa.Column[object]) -> Callable[[object], str]:
    if column.name == "payload":
        return _encode_payload
    return _encode_bytes if isinstance(column.type, sa.LargeBinary) else _encode_text
