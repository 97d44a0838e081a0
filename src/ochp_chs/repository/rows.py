"""Rows on their way into a statement: a handful as arrays, hundreds of thousands by COPY."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import sqlalchemy as sa

from ochp_chs.repository.copy_text import LineEncoder, together

#: Up to this many rows travel inside the statement; creating a table for them would cost more.
INLINE_ROWS_MAX = 200

#: COPY is fed in pieces of about this many bytes.
_COPY_BYTES = 1 << 17
#: So many rows are encoded at once.
_ENCODED_ROWS = 256

Types = Mapping[str, sa.types.TypeEngine[Any]]


@dataclass(frozen=True, slots=True)
class Shape:
    """Name and columns of rows that are staged."""

    name: str
    columns: Types


def stage_rows(
    connection: sa.Connection, shape: Shape, rows: Iterable[Sequence[object]]
) -> sa.FromClause:
    """Take all rows in, as something to select from; a `Table` if they are many.

    What iterating over them raises is raised here. Times may come as ISO text.
    """
    iterator = iter(rows)
    first = list(islice(iterator, INLINE_ROWS_MAX + 1))
    if len(first) <= INLINE_ROWS_MAX:
        return inline_rows(shape, first)
    return _copied(connection, shape, chain(first, iterator))


def inline_rows(shape: Shape, rows: Sequence[Sequence[object]]) -> sa.FromClause:
    """A few rows, inside the statement."""
    columns = list(zip(*rows, strict=True)) or [()] * len(shape.columns)
    return rows_source(
        shape.name,
        {
            name: (kind, values)
            for (name, kind), values in zip(shape.columns.items(), columns, strict=True)
        },
    )


def rows_source(
    name: str, columns: Mapping[str, tuple[sa.types.TypeEngine[Any], Sequence[object]]]
) -> sa.FromClause:
    """Columns of values, each with its type, as something to select from.

    Values of an array type come as PostgreSQL writes them, `{A,B}`.
    """
    arrays = [_array(values, _unnested(kind)) for kind, values in columns.values()]
    described = [sa.column(column, _unnested(kind)) for column, (kind, _) in columns.items()]
    rows = sa.func.unnest(*arrays).table_valued(*described, name=name).render_derived()
    if not any(isinstance(kind, sa.ARRAY) for kind, _ in columns.values()):
        return rows
    return sa.select(
        *[
            sa.cast(rows.c[column], kind).label(column)
            if isinstance(kind, sa.ARRAY)
            else rows.c[column]
            for column, (kind, _) in columns.items()
        ]
    ).subquery(f"{name}_rows")


def _unnested(kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    # An array of arrays would be one array of two dimensions, which unnest() takes apart whole.
    return sa.Text() if isinstance(kind, sa.ARRAY) else kind


def _array(values: Sequence[object], kind: sa.types.TypeEngine[Any]) -> sa.ColumnElement[Any]:
    # Times travel as text and are cast by the database, as they are by COPY.
    sent = kind if isinstance(kind, sa.LargeBinary | sa.Integer) else sa.Text()
    return sa.cast(sa.literal(list(values), sa.ARRAY(sent)), sa.ARRAY(kind))


def _copied(connection: sa.Connection, shape: Shape, rows: Iterator[Sequence[object]]) -> sa.Table:
    table = sa.Table(
        shape.name,
        sa.MetaData(),
        *[sa.Column(name, kind) for name, kind in shape.columns.items()],
        prefixes=["TEMPORARY"],
        postgresql_on_commit="DROP",
    )
    table.create(connection)
    reader = _CopyReader(rows, LineEncoder(table.c))
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
    # Without statistics the planner takes the new table for tiny.
    connection.execute(sa.text(f'ANALYZE "{table.name}"'))
    return table


class _CopyReader:
    """What psycopg2 reads COPY data from: lines, joined to pieces of a useful size."""

    def __init__(self, rows: Iterator[Sequence[object]], encoder: LineEncoder) -> None:
        self._rows = rows
        self._encoder = encoder
        self.failure: BaseException | None = None

    def read(self, size: int) -> bytes:
        """The next piece, a little over `size` bytes; empty at the end."""
        parts: list[bytes] = []
        length = 0
        try:
            while length < size and (block := list(islice(self._rows, _ENCODED_ROWS))):
                part = together(self._encoder.lines(list(zip(*block, strict=True))))
                parts.append(part)
                length += len(part)
        except BaseException as error:
            self.failure = error
            raise
        return b"".join(parts)
