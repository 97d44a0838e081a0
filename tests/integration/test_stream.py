"""Long lists come from the database in blocks, whole and in order."""

import pytest
import sqlalchemy as sa

from ochp_chs.repository.delta import BLOCK_ROWS, stream
from ochp_chs.repository.engine import Database


@pytest.mark.parametrize(
    "rows", [0, 1, BLOCK_ROWS - 1, BLOCK_ROWS, BLOCK_ROWS + 1, 2 * BLOCK_ROWS, 5 * BLOCK_ROWS + 7]
)
def test_every_text_once_in_order(database: Database, rows: int) -> None:
    numbers = sa.func.generate_series(1, rows).table_valued("n").render_derived()
    statement = sa.select(sa.cast(numbers.c.n, sa.Text))
    with database.snapshot() as connection:
        blocks = list(stream(connection, statement))
    assert [text for block in blocks for text in block] == [str(n + 1) for n in range(rows)]
    assert all(0 < len(block) <= BLOCK_ROWS for block in blocks)


def test_who_stops_early_leaves_nothing_behind(database: Database) -> None:
    numbers = sa.func.generate_series(1, 10 * BLOCK_ROWS).table_valued("n").render_derived()
    with database.snapshot() as connection:
        blocks = stream(connection, sa.select(sa.cast(numbers.c.n, sa.Text)))
        assert next(blocks)
        assert next(blocks)
        blocks.close()  # type: ignore[attr-defined]
    with database.begin() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM pg_cursors")).scalar() == 0
