"""Records on their way into their feed's table: staged whole, without repeats."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import NamedTuple, Protocol, cast

import sqlalchemy as sa

from ochp_chs.repository.feeds import Feed
from ochp_chs.repository.rows import INLINE_ROWS_MAX, Shape, inline_rows, stage_rows

#: Positions of repeated records that are named; more are counted.
_REPEATS_NAMED_MAX = 100

PositionedRow = tuple[int, Sequence[object]]


class RowBlock(NamedTuple):
    """Rows that travel together, column by column, and their places in the message."""

    positions: Sequence[int]
    columns: Sequence[Sequence[object]]

    @classmethod
    def of(cls, rows: Sequence[PositionedRow]) -> "RowBlock":
        """These rows."""
        if not rows:
            return cls((), ())
        positions, values = zip(*rows, strict=True)
        return cls(positions, list(zip(*values, strict=True)))

    @classmethod
    def numbered(cls, first: int, columns: Sequence[Sequence[object]]) -> "RowBlock":
        """Rows that follow each other, from this place on."""
        return cls(range(first, first + len(columns[0])), columns)

    def rows(self) -> Iterator[PositionedRow]:
        """One by one."""
        return zip(self.positions, zip(*self.columns, strict=True), strict=True)


#: Staged rows, as something to select from.
Source = sa.FromClause


@dataclass(frozen=True, slots=True)
class Repeats:
    """Positions of records that a later one in the same message replaces: the first few."""

    positions: Sequence[int] = ()
    count: int = 0

    @classmethod
    def of(cls, positions: Sequence[int]) -> "Repeats":
        """All of these, whose number is known."""
        return cls(positions[:_REPEATS_NAMED_MAX], len(positions))


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
    repeats: Repeats

    def drop(self, connection: sa.Connection, positions: Collection[int]) -> None:
        """Take rows out again that are refused after all."""
        if isinstance(self.source, sa.Table):
            unwanted = inline_rows(_UNWANTED, [(position,) for position in positions])
            connection.execute(
                self.source.delete().where(self.source.c.position == unwanted.c.position)
            )
        else:
            source = self.source
            kept = sa.select(source).where(source.c.position.not_in(list(positions)))
            self.source = kept.subquery("kept")


_UNWANTED = Shape("unwanted", {"position": sa.Integer()})


def stage(
    connection: sa.Connection, feed: Feed, columns: Sequence[str], rows: Iterable[PositionedRow]
) -> Staged:
    """Take all rows in; what iterating over them raises is raised here, and nothing is kept."""
    shape = Shape(
        f"incoming_{feed.table.name}",
        {"position": sa.Integer(), **{name: feed.type_of(name) for name in columns}},
    )
    iterator = iter(rows)
    first = list(islice(iterator, INLINE_ROWS_MAX + 1))
    if len(first) <= INLINE_ROWS_MAX:
        latest, repeated = _latest(feed, columns, first)
        return Staged(inline_rows(shape, latest), Repeats.of(repeated))
    source = stage_rows(
        connection, shape, ((position, *row) for position, row in chain(first, iterator))
    )
    repeats = find_repeats(connection, source, feed.key)
    if repeats.count:
        _drop_repeats(connection, source, feed.key)
    return Staged(source, repeats)


def stage_retained(
    connection: sa.Connection, feed: Feed, keys: SizedIterable
) -> sa.FromClause | None:
    """Keys of refused records as something to select from, in the feed's `retained` column.

    Binary keys come as hexadecimal text. None if there are none.
    """
    if not len(keys):
        return None
    kind = feed.table.c[feed.retained].type
    decode = bytes.fromhex if isinstance(kind, sa.LargeBinary) else str
    shape = Shape(f"retained_{feed.table.name}", {feed.retained: kind})
    return stage_rows(connection, shape, ((decode(key),) for key in keys))


def _latest(
    feed: Feed, columns: Sequence[str], rows: Sequence[PositionedRow]
) -> tuple[Sequence[Sequence[object]], Sequence[int]]:
    """Of records with the same key the one that came last, and the places of the others."""
    places = [columns.index(name) for name in feed.key]
    latest: dict[tuple[object, ...], Sequence[object]] = {}
    repeated: list[int] = []
    for position, row in rows:
        key = tuple(row[place] for place in places)
        earlier = latest.get(key)
        if earlier is not None:
            repeated.append(int(str(earlier[0])))
        latest[key] = (position, *row)
    return list(latest.values()), repeated


def find_repeats(connection: sa.Connection, source: sa.FromClause, key: Sequence[str]) -> Repeats:
    """Which rows have a key that a later one has, too."""
    keys = [source.c[name] for name in key]
    distinct = sa.select(*keys).distinct().subquery("distinct_keys")
    counts = sa.select(
        sa.select(sa.func.count()).select_from(source).scalar_subquery(),
        sa.select(sa.func.count()).select_from(distinct).scalar_subquery(),
    )
    rows, distinct_rows = connection.execute(counts).one()
    if rows == distinct_rows:
        return Repeats()
    replaced = _replaced(source, key)
    named = sa.select(replaced.c.position).order_by(replaced.c.position).limit(_REPEATS_NAMED_MAX)
    return Repeats(connection.execute(named).scalars().all(), rows - distinct_rows)


def _drop_repeats(connection: sa.Connection, source: sa.FromClause, key: Sequence[str]) -> None:
    """Of records with the same key, keep the one that came last."""
    table = cast(sa.Table, source)
    replaced = _replaced(source, key)
    connection.execute(table.delete().where(table.c.position == replaced.c.position))


def _replaced(source: sa.FromClause, key: Sequence[str]) -> sa.Subquery:
    """The positions of all but the last of each key."""
    later = sa.func.lead(source.c.position).over(
        partition_by=[source.c[name] for name in key], order_by=source.c.position
    )
    numbered = sa.select(source.c.position, later.label("later")).subquery("numbered")
    return sa.select(numbered.c.position).where(numbered.c.later.is_not(None)).subquery("replaced")
