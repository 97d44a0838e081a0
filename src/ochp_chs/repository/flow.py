"""Merging a long list while it is still being read: part by part, in one transaction.

Each part is staged, merged and forgotten but for its keys, so that the database works while the
next part is read, and nothing is left to do at the end but to withdraw what a Set left out. Nobody
sees any of it before the transaction is committed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from operator import itemgetter

import sqlalchemy as sa

from ochp_chs.repository.copy_text import LineEncoder
from ochp_chs.repository.feeds import Feed
from ochp_chs.repository.merge import merge
from ochp_chs.repository.rows import Types
from ochp_chs.repository.staging import PositionedRow, Repeats, find_repeats

#: Rows in one part: long enough that what a part costs by itself does not count, short enough that
#: three of them (one being read, one ready, one being merged) are a few megabytes.
_PART_ROWS = 8192


@dataclass(frozen=True, slots=True)
class Part:
    """Rows on their way, as COPY reads them, each key once and in order of the keys."""

    content: bytes
    repeats: Repeats


class Flow:
    """One upload's rows into their table; `cut` may run in another thread than the rest."""

    def __init__(self, feed: Feed, columns: Sequence[str]) -> None:
        self._feed = feed
        self._columns = columns
        kinds = {name: feed.type_of(name) for name in columns}
        self._incoming = _temporary(
            f"incoming_{feed.table.name}", {**kinds, "position": sa.Integer()}
        )
        self._seen = _temporary(
            f"seen_{feed.table.name}",
            {**{name: kinds[name] for name in feed.key}, "position": sa.Integer()},
        )

    def cut(self, blocks: Iterable[Sequence[PositionedRow]]) -> Iterator[Part]:
        """Many small blocks as a few large parts; raises what iterating over them raises."""
        encoder = LineEncoder(self._incoming.c)
        key_of = itemgetter(*[self._columns.index(name) for name in self._feed.key])
        waiting = _Waiting()
        for block in blocks:
            waiting.lines += encoder.lines([(*row, position) for position, row in block])
            waiting.keys += [key_of(row) for _, row in block]
            waiting.positions += [position for position, _ in block]
            if len(waiting.lines) >= _PART_ROWS:
                yield waiting.part()
                waiting = _Waiting()
        if waiting.lines:
            yield waiting.part()

    def merge(self, connection: sa.Connection, parts: Iterable[Part], change_id: int) -> int:
        """Merge all parts, the later ones over the earlier ones; how many rows changed."""
        self._incoming.create(connection)
        self._seen.create(connection)
        changed = 0
        for number, part in enumerate(parts):
            if number:
                connection.execute(sa.text(f'TRUNCATE "{self._incoming.name}"'))
            self._copy(connection, part)
            changed += merge(connection, self._feed, self._columns, self._incoming, change_id)
            connection.execute(self._remember)
        return changed

    def seen(self, connection: sa.Connection) -> tuple[sa.FromClause, Repeats]:
        """The keys of all that was merged, and what came in more than one part."""
        connection.execute(sa.text(f'ANALYZE "{self._seen.name}"'))
        return self._seen, find_repeats(connection, self._seen, self._feed.key)

    def _copy(self, connection: sa.Connection, part: Part) -> None:
        cursor = connection.connection.cursor()
        try:
            # In one piece: each read() would have to wait for the thread that reads ahead.
            cursor.copy_expert(
                f'COPY "{self._incoming.name}" FROM STDIN',
                BytesIO(part.content),
                len(part.content),
            )
        finally:
            cursor.close()

    @property
    def _remember(self) -> sa.Insert:
        names = [column.name for column in self._seen.c]
        incoming = sa.select(*[self._incoming.c[name] for name in names])
        return self._seen.insert().from_select(names, incoming)


class _Waiting:
    """Rows that are not enough for a part yet."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.keys: list[object] = []
        self.positions: list[int] = []

    def part(self) -> Part:
        lines, repeated = self.lines, []
        if len(set(self.keys)) < len(lines):
            last = {key: place for place, key in enumerate(self.keys)}
            kept = sorted(last.values())
            lines = [self.lines[place] for place in kept]
            repeated = [self.positions[place] for place in set(range(len(self.keys))) - set(kept)]
        # Where the lines begin with the key, an index is gone through in its own order, which takes
        # half the time.
        lines.sort()
        return Part("".join(lines).encode(), Repeats.of(sorted(repeated)))


def _temporary(name: str, columns: Types) -> sa.Table:
    return sa.Table(
        name,
        sa.MetaData(),
        *[sa.Column(column, kind) for column, kind in columns.items()],
        prefixes=["TEMPORARY"],
        postgresql_on_commit="DROP",
    )
