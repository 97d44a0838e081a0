"""PostgreSQL kept in the data directory, shared by all ochp-chs processes that use it.

Whoever comes first starts it and the last one to leave stops it. Every user holds a shared lock
on ``users.lock``; starting and stopping happen under ``start.lock``. A process that was killed
leaves the server running; the next one adopts it.
"""

import fcntl
import os
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote
from weakref import WeakSet

from ochp_chs.serving.cluster import DATABASE, PORT, USER, Cluster, binaries
from ochp_chs.serving.errors import EmbeddedPostgresError
from ochp_chs.serving.identity import identity_for
from ochp_chs.serving.locks import exclusive, open_lock_file, try_lock

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError"]

_LOCK_TIMEOUT_S = 150
_READY_TIMEOUT_S = 120
_STARTS_MAX = 5
_PAUSE_S = 0.3


class EmbeddedPostgres:
    """The PostgreSQL of a data directory; a context manager, or ``start()`` and ``stop()``.

    ``settings`` are PostgreSQL settings for the server that is started here, over our own.
    """

    def __init__(self, data_dir: Path, *, settings: Mapping[str, str] | None = None) -> None:
        self._data_dir = data_dir.absolute()
        self._settings = dict(settings or {})
        self._users_lock: int | None = None
        self._url = ""

    @property
    def url(self) -> str:
        """The database as a SQLAlchemy URL over the Unix socket; known once started."""
        if not self._url:
            raise RuntimeError("the embedded PostgreSQL is not started")
        return self._url

    @property
    def log_file(self) -> Path:
        """Where PostgreSQL's messages go."""
        return self._data_dir / "postgres.log"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Join the users of the server and start it unless it runs.

        Raises EmbeddedPostgresError with one line that says why not.
        """
        try:
            self._data_dir.mkdir(parents=True, exist_ok=True)
            self._data_dir = self._data_dir.resolve()
            with self._start_lock():
                self._join()
                try:
                    self._start()
                except BaseException:
                    self._leave()
                    raise
        except (OSError, TimeoutError) as error:
            raise EmbeddedPostgresError(f"PostgreSQL in {self._data_dir}: {error}") from error

    def stop(self) -> None:
        """Leave; the last user stops the server. In a forked child this does nothing."""
        if self._users_lock is None:
            return
        with self._start_lock():
            self._leave()

    def ensure_running(self) -> bool:
        """Start the server again if it died; True if it had to be. Does not wait until it is ready.

        For a supervisor's loop: a failed start shows in the next round.
        """
        if self._cluster().postmaster() is not None:
            return False
        with self._start_lock():
            cluster = self._cluster()
            if cluster.postmaster() is not None:
                return False
            cluster.spawn(cluster.socket_dir(), self._settings)
        return True

    def _start_lock(self) -> AbstractContextManager[None]:
        return exclusive(self._data_dir / "start.lock", _LOCK_TIMEOUT_S)

    def _cluster(self) -> Cluster:
        programs = binaries()
        directory = self._data_dir / "postgres"
        return Cluster(self._data_dir, programs, identity_for(directory, (programs, directory)))

    def _join(self) -> None:
        self._users_lock = open_lock_file(self._data_dir / "users.lock")
        _joined.add(self)
        # Only a leaving user takes it exclusively, and only under the start lock, as here.
        fcntl.flock(self._users_lock, fcntl.LOCK_SH)

    def _start(self) -> None:
        cluster = self._cluster()
        cluster.initialise()
        for _ in range(_STARTS_MAX):
            spawned = None
            if cluster.postmaster() is None:
                spawned = cluster.spawn(cluster.socket_dir(), self._settings)
            if cluster.wait_until_ready(spawned, _READY_TIMEOUT_S):
                break
            # The children of a killed server need a moment to notice; a start before is refused.
            time.sleep(_PAUSE_S)
        else:
            raise EmbeddedPostgresError(f"PostgreSQL does not start: {cluster.last_words()}")
        cluster.create_database()
        host = quote(str(cluster.socket_dir()), safe="/")
        self._url = f"postgresql+psycopg2://{USER}@/{DATABASE}?host={host}&port={PORT}"

    def _leave(self) -> None:
        if self._users_lock is None:
            return
        try:
            if try_lock(self._users_lock, fcntl.LOCK_EX):
                cluster = self._cluster()
                cluster.stop()
                cluster.remove_socket_dir()
        finally:
            os.close(self._users_lock)
            self._users_lock = None


#: The users of this process.
_joined: WeakSet[EmbeddedPostgres] = WeakSet()


def _forget_parents() -> None:
    # A worker is no user: its parent is. Else a worker that outlives a killed parent by a second
    # would count as one, and whoever leaves in that second would leave the server running for
    # nobody. Closing the copy of the descriptor does not touch the parent's lock.
    for user in list(_joined):
        if user._users_lock is not None:
            os.close(user._users_lock)
            user._users_lock = None


os.register_at_fork(after_in_child=_forget_parents)
