"""Deltas across the death of PostgreSQL: what was committed comes, what was not never does."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ochp_chs.repository import changes, migrate
from ochp_chs.repository.engine import Database
from ochp_chs.serving.cluster import reap
from ochp_chs.serving.embedded_postgres import EmbeddedPostgres
from tests.support import delta
from tests.support.delta import CHAPTERS, Follower, Gate, Sender
from tests.support.edge import Edge

# Commits are flushed here: they have to survive.
_SMALL = {"shared_buffers": "16MB"}


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """Where a PostgreSQL of this test's own runs, migrated."""
    with EmbeddedPostgres(tmp_path, settings=_SMALL) as server:
        migrate.upgrade(server.url)
        yield tmp_path


def servers_on(data_dir: Path) -> tuple[EmbeddedPostgres, Database, Edge]:
    """A user of the cluster, which starts it where it does not run."""
    postgres = EmbeddedPostgres(data_dir, settings=_SMALL)
    postgres.start()
    database = Database(postgres.url)
    return postgres, database, delta.server_on(database)


def kill_postgres(data_dir: Path) -> None:
    """SIGQUIT: PostgreSQL ends at once, without a checkpoint, and recovers when it starts again.

    Returns when it has ended, so that nothing is committed any more.
    """
    pid = int((data_dir / "postgres" / "postmaster.pid").read_text(encoding="utf-8").split()[0])
    os.kill(pid, signal.SIGQUIT)
    while Path(f"/proc/{pid}/stat").exists():
        reap(pid)
        time.sleep(0.01)


def test_crash_between_an_uploads_time_and_its_commit(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chapter = CHAPTERS[0]
    postgres, database, server = servers_on(data_dir)
    delta.add_market(server, chapter, senders=1)
    follower, sender = Follower(chapter), Sender(chapter, 0)
    sender.update(server, {1: 1})
    follower.poll(server)
    gate = Gate(changes.publish, after=True)
    monkeypatch.setattr(changes, "publish", gate)

    def interrupted_upload() -> None:
        content = sender.content({1: 2, 2: 2})
        reply = server.call(delta.sender_name(0), chapter.update, content, valid=False)
        assert reply.result != "ok"

    with delta.held_upload(gate, interrupted_upload) as finish:
        kill_postgres(data_dir)
        finish()
    database.dispose()

    again, database, server = servers_on(data_dir)
    assert set(follower.poll(server).values()) <= {1}
    sender.update(server, {3: 3})
    follower.poll(server)
    assert follower.known == sender.committed
    database.dispose()
    again.stop()
    postgres.stop()
