"""A primary of one's own with a streaming replica, both embedded."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from ochp_chs.serving.cluster import DATABASE, PORT, USER, Cluster, binaries, reap
from ochp_chs.serving.identity import identity_for

_START_TIMEOUT_S = 60


class Standby:
    """A server that replays what its primary writes. Replaying can be paused."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._pid = 0
        host = cluster.socket_dir()
        self.url = f"postgresql+psycopg2://{USER}@/{DATABASE}?host={host}&port={PORT}"

    def start(self, settings: Mapping[str, str]) -> None:
        """Start it, and wait until it answers."""
        self._pid = self._cluster.spawn(self._cluster.socket_dir(), settings)
        deadline = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline:
            try:
                self.execute("SELECT 1")
            except sa.exc.OperationalError:
                assert not reap(self._pid), self._cluster.last_words()
                time.sleep(0.05)
            else:
                return
        raise AssertionError(f"no standby: {self._cluster.last_words()}")

    def stop(self) -> None:
        """Stop it in order."""
        self._cluster.stop()
        self._cluster.remove_socket_dir()

    def kill(self) -> None:
        """SIGKILL; nothing of it is written any more."""
        server = self._cluster.postmaster()
        assert server is not None
        os.kill(server.pid, signal.SIGKILL)
        while not reap(server.pid):
            time.sleep(0.005)

    def pause(self) -> None:
        """Replay nothing more for now, however much arrives."""
        self.execute("SELECT pg_wal_replay_pause()")
        while self.execute("SELECT pg_get_wal_replay_pause_state()") != "paused":
            time.sleep(0.005)

    def resume(self) -> None:
        """Go on replaying."""
        self.execute("SELECT pg_wal_replay_resume()")

    def execute(self, statement: str) -> object:
        """Run one statement on a connection of its own; its first value."""
        engine = sa.create_engine(self.url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            return connection.exec_driver_sql(statement).scalar()


@contextmanager
def standby_of(primary_url: str, data_dir: Path, settings: Mapping[str, str]) -> Iterator[Standby]:
    """Copy a running server, and let the copy follow it."""
    data_dir.mkdir(parents=True)
    directory = data_dir / "postgres"
    directory.mkdir(mode=0o700)
    identity = identity_for(directory, (binaries(), directory))
    identity.own(directory)
    socket_dir = sa.make_url(primary_url).query["host"]
    subprocess.run(
        [
            *identity.prefix,
            str(binaries() / "pg_basebackup"),
            f"--dbname=host={socket_dir} port={PORT} user={USER}",
            f"--pgdata={directory}",
            "--write-recovery-conf",
            "--wal-method=stream",
            "--checkpoint=fast",
        ],
        check=True,
        capture_output=True,
        cwd="/",
        env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
    )
    # The primary's socket lies in its directory, and its lock was copied.
    for copied in directory.glob(".s.PGSQL.*"):
        copied.unlink()
    standby = Standby(Cluster(data_dir, binaries(), identity))
    standby.start(settings)
    try:
        yield standby
    finally:
        standby.stop()
