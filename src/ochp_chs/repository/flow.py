"""Merging a long list while it is still being read: part by part, in one transaction.

Each part is staged, merged and forgotten but for its keys, so that the database works while the
next part is read, and nothing is left to do at the end but to withdraw what a Set left out. Where
nothing was stored before, a part goes straight into the table, which takes half the time. Nobody
sees any of it before the transaction is committed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO

import sqlalchemy as sa
from psycopg2.errors import UniqueViolation

from ochp_chs.repository.copy_text import LineEncoder, together
from ochp_chs.repository.feeds import Feed
from ochp_chs.repository.merge import merge_statement
from ochp_chs.repository.rows import Types
from ochp_chs.repository.staging import Repeats, RowBlock, find_repeats

#: Rows in one part: long enough that what a part costs by itself does not count, short enough that
#: three of them (one being read, one ready, one being merged) are a few megabytes.
_PART_ROWS = 8192


@dataclass(frozen=True, slots=True)
class Part:
    """Rows on their way, as COPY reads them, each key once and in order of the keys."""

    content: bytes
    #: The places of its first and its last record in the message, from 1.
    first: int
    last: int
    repeats: Repeats


@dataclass(frozen=True)
class Flow:
    """One upload's rows into their table; `cut` may run in another thread than the rest."""

    feed: Feed
    columns: Sequence[str]
    change_id: int
    #: There is nothing stored yet that the rows could be compared with.
    into_nothing: bool

    def cut(self, blocks: Iterable[RowBlock]) -> Iterator[Part]:
        """Many small blocks as a few large parts; raises what iterating over them raises."""
        encoder = LineEncoder(self._incoming.c)
        waiting = _Waiting(self._key_columns)
        for block in blocks:
            positions, columns = block
            if not positions:
                continue
            last = [self.change_id] * len(positions) if self.into_nothing else positions
            waiting.lines += encoder.lines([*columns, last])
            waiting.first_keys += columns[0]
            waiting.positions += positions
            if len(waiting.lines) >= _PART_ROWS:
                yield waiting.part()
                waiting = _Waiting(self._key_columns)
        if waiting.lines:
            yield waiting.part()

    def merge(self, connection: sa.Connection, parts: Iterable[Part]) -> "Merged":
        """Merge all parts, the later ones over the earlier ones."""
        for table in (self._incoming, self._seen):
            table.create(connection)
        merged = Merged(self._seen)
        for part in parts:
            merged.repeats.append(part.repeats)
            if not self.into_nothing:
                merged.changed += self._compared(connection, part)
            elif not self._copied(connection, part):
                # Some of it was in this message before.
                merged.changed += self._compared(connection, part)
                merged.again.append(part)
            else:
                merged.changed += part.content.count(b"\n")
        if not self.into_nothing:
            connection.execute(sa.text(f'ANALYZE "{self._seen.name}"'))
            merged.repeats.append(find_repeats(connection, self._seen, self.feed.key))
        return merged

    def _copied(self, connection: sa.Connection, part: Part) -> bool:
        """Whether the part could be put into the table as it is."""
        columns = [*self.columns, "change_id"]
        try:
            with connection.begin_nested():
                _copy(connection, self.feed.table, columns, part.content)
        except UniqueViolation:
            return False
        return True

    def _compared(self, connection: sa.Connection, part: Part) -> int:
        """How many rows of the part are new or differ from what is stored."""
        _copy(
            connection, self._incoming, [column.name for column in self._incoming.c], part.content
        )
        changed = connection.execute(self._merge).rowcount
        connection.exec_driver_sql(self._forget)
        return changed

    @cached_property
    def _merge(self) -> sa.Insert:
        return merge_statement(self.feed, self.columns, self._incoming, self.change_id)

    @cached_property
    def _forget(self) -> str:
        """Forget a part but for its keys, in one round trip."""
        truncate = f'TRUNCATE "{self._incoming.name}"'
        if self.into_nothing:
            return truncate
        names = [column.name for column in self._seen.c]
        keys = sa.select(*[self._incoming.c[name] for name in names])
        return f"{self._seen.insert().from_select(names, keys)}; {truncate}"

    @cached_property
    def _key_columns(self) -> int:
        count = len(self.feed.key)
        if tuple(self.columns[:count]) != self.feed.key:
            raise ValueError(f"rows of {self.feed.name} do not begin with their key")
        return count

    @cached_property
    def _incoming(self) -> sa.Table:
        kinds = {name: self.feed.type_of(name) for name in self.columns}
        # The place in the message; the change where the rows go straight into the table.
        return _temporary(
            f"incoming_{self.feed.table.name}", {**kinds, "position": sa.BigInteger()}
        )

    @cached_property
    def _seen(self) -> sa.Table:
        kinds = {name: self.feed.type_of(name) for name in self.feed.key}
        return _temporary(f"seen_{self.feed.table.name}", {**kinds, "position": sa.BigInteger()})


@dataclass(slots=True)
class Merged:
    """What became of the parts."""

    #: The keys of all records, if they had to be compared.
    seen: sa.Table
    changed: int = 0
    repeats: list[Repeats] = field(default_factory=list)
    #: Parts in which there was a record that an earlier part had, too.
    again: list[Part] = field(default_factory=list)


def _copy(
    connection: sa.Connection, table: sa.Table, columns: Sequence[str], content: bytes
) -> None:
    cursor = connection.connection.cursor()
    try:
        names = ", ".join(f'"{name}"' for name in columns)
        # In one piece: each read() would have to wait for the thread that reads ahead.
        cursor.copy_expert(
            f'COPY "{table.name}" ({names}) FROM STDIN', BytesIO(content), len(content)
        )
    finally:
        cursor.close()


class _Waiting:
    """Rows that are not enough for a part yet."""

    def __init__(self, key_columns: int) -> None:
        self._key_columns = key_columns
        self.lines: list[str] = []
        #: The values of the key's first column.
        self.first_keys: list[object] = []
        self.positions: list[int] = []

    def part(self) -> Part:
        lines, repeated = self.lines, []
        if len(set(self.first_keys)) < len(lines):
            kept = sorted({self._key(line): place for place, line in enumerate(lines)}.values())
            repeated = [self.positions[place] for place in set(range(len(lines))) - set(kept)]
            lines = [lines[place] for place in kept]
        # Lines begin with the key: an index is gone through in its own order, which takes half the
        # time.
        lines.sort()
        return Part(
            together(lines),
            self.positions[0],
            self.positions[-1],
            Repeats.of(sorted(repeated)),
        )

    def _key(self, line: str) -> Sequence[str]:
        return tuple(line.split("\t", self._key_columns)[: self._key_columns])


def _temporary(name: str, columns: Types) -> sa.Table:
    return sa.Table(
        name,
        sa.MetaData(),
        *[sa.Column(column, kind) for column, kind in columns.items()],
        prefixes=["TEMPORARY"],
        postgresql_on_commit="DROP",
    )
