"""Two server processes on one database archive every record once, and one of them may die."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from ochp_chs.clearing.retention import files
from ochp_chs.serving.embedded_postgres import EmbeddedPostgres
from tests.acceptance.harness import Server, wait_until

#: Enough for several files for each of the days.
_MESSAGES = 24_000
_DAYS = 3

_OLD_MESSAGES = """
INSERT INTO message (reference, partner_id, operation, received_at, result, description,
                     records_read, records_refused, records_repaired, records_warned,
                     records_changed, records_withdrawn)
SELECT 'old' || n, p.id, 'UpdateStatus', now() - interval '100 days' + n % :days * interval '1 day',
       'ok', 'Complete.', 1, 0, 0, 0, 1, 0
  FROM generate_series(1, :messages) n, partner p WHERE p.name = 'cpo'
"""


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    """Two servers, the second on the first one's database."""
    settings = {
        "OCHP_CHS_ARCHIVE_DIR": str(tmp_path / "archive"),
        "OCHP_CHS_RETENTION_INTERVAL_S": "1",
        "OCHP_CHS_SECRET_KEY": "s" * 32,
    }
    with EmbeddedPostgres(tmp_path / "one") as postgres:
        settings["OCHP_CHS_DATABASE_URL"] = postgres.url
        first, second = (Server(tmp_path / name, settings) for name in ("one", "two"))
        try:
            first.start()
            second.start()
            yield first, second
        finally:
            first.kill()
            second.kill()


def test_every_record_is_archived_once(nodes: tuple[Server, Server], tmp_path: Path) -> None:
    first, _ = nodes
    archive = tmp_path / "archive"
    first.partner("cpo", "cpo", "DE*CPO")
    with first.database() as database:
        with database.begin() as connection:
            connection.execute(sa.text(_OLD_MESSAGES), {"days": _DAYS, "messages": _MESSAGES})
        wait_until(lambda: any(files.names_on_disk(archive)), 30)
        first.kill()

        def count(rows: str) -> int:
            with database.begin() as connection:
                return int(connection.execute(sa.text(f"SELECT count(*) FROM {rows}")).scalar_one())

        # What the dead one left behind is cleared away by the next run of the other.
        wait_until(lambda: not count("message"), 60)
        wait_until(lambda: not count("archive_file WHERE state = 'writing'"), 60)
        with database.begin() as connection:
            known = connection.execute(
                sa.text("SELECT name, records FROM archive_file WHERE state = 'done'")
            ).all()

    archived = [
        json.loads(line)["reference"]
        for name in files.names_on_disk(archive)
        for line in files.read(archive, name)
    ]
    assert len(archived) == len(set(archived)) == _MESSAGES
    assert sum(row.records for row in known) == _MESSAGES
    assert {row.name for row in known} == set(files.names_on_disk(archive))
