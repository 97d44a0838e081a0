"""Connections to PostgreSQL: one transaction per block, one engine per process.

Nothing here that outlives a transaction on the server side is relied on (no session settings, and
of prepared statements see questions.py), so that a pooler in transaction mode can stand between.
"""

import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg2
import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from ochp_chs.masking import described
from ochp_chs.repository import replica
from ochp_chs.repository.pool import PoolUsage, WatchedPool
from ochp_chs.repository.query import Query
from ochp_chs.repository.questions import Questions

log = structlog.get_logger(__name__)

#: What transactions are done on; other rooms name it without knowing SQLAlchemy.
Connection = sa.Connection

_CONNECT_ARGUMENTS: dict[str, object] = {
    "connect_timeout": 10,
    "client_encoding": "utf8",
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    # A peer that vanished without a word is noticed within a minute, in milliseconds.
    "tcp_user_timeout": 60_000,
}

_SNAPSHOT: dict[str, object] = {
    "isolation_level": "REPEATABLE READ",
    "postgresql_readonly": True,
}
_ORDINARY: dict[str, object] = {}

#: How long a replica that failed or lagged is left alone: not every download waits for it in vain.
_REPLICA_RESTS_S = 5.0


class DatabaseUnavailable(Exception):
    """The database cannot be reached or does not answer; the text says why in one line."""


class Database:
    """The clearing house's PostgreSQL.

    ``url`` takes all writes; ``read_url`` may name a replica for snapshots, one server and not
    several behind one address: they lag differently. ``pool_size`` is connections per process and
    URL; twice as many are opened under pressure. ``lock_timeout_ms`` bounds the wait for any lock,
    ``idle_timeout_s`` the time a transaction may sit idle, ``statement_timeout_s`` that of one
    statement (0: without end), ``replica_wait_ms`` the wait for a replica that lags.
    """

    def __init__(
        self,
        url: str,
        *,
        read_url: str | None = None,
        pool_size: int = 8,
        application_name: str = "ochp-chs",
        lock_timeout_ms: int = 60_000,
        idle_timeout_s: int = 900,
        statement_timeout_s: int = 0,
        replica_wait_ms: int = 2_000,
    ) -> None:
        self._urls = {"write": url, "read": read_url or url}
        self._pool_size = pool_size
        self._application_name = application_name
        # LOCAL: the settings end with the transaction and never leak through a pooler.
        self._preamble = (
            "SET LOCAL TIME ZONE 'UTC';"
            f" SET LOCAL lock_timeout = {int(lock_timeout_ms)};"
            f" SET LOCAL idle_in_transaction_session_timeout = {int(idle_timeout_s) * 1000};"
            # PostgreSQL takes a disk for one that turns: it would rather read all of a large table
            # than look up ten thousand of its rows, which takes a third of the time.
            " SET LOCAL random_page_cost = 1.1"
        )
        if statement_timeout_s:
            self._preamble += f"; SET LOCAL statement_timeout = {int(statement_timeout_s) * 1000}"
        self._replica_wait_s = replica_wait_ms / 1000
        self._replica_rests_until = 0.0
        #: How often the primary was read from instead of the replica, and why.
        self.replica_fallbacks: Counter[str] = Counter()
        self._engines: dict[str, sa.Engine] = {}
        self._questions: Questions | None = None
        self._pid = os.getpid()

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """One transaction: committed on leaving the block, rolled back by an exception."""
        with self._open("write") as connection:
            yield connection
            connection.commit()

    def ask(self, query: Query, parameters: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """All rows of one statement that only reads, in a transaction of its own: one round trip.

        For look-ups by an index, not for lists. See repository/questions.py.
        """
        return self._own_questions().ask(query, parameters)

    @contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """One read-only view of one moment (REPEATABLE READ), on the replica if there is one.

        The moment is the first statement in the block, not the opening of the block. Use
        ``execution_options(stream_results=True)`` to stream. All that was committed before the
        block was opened is in the view: where the replica does not show it in time, or fails, the
        view is the primary's.
        """
        connection = self._replica() or self._checked_out("write", _SNAPSHOT)
        try:
            yield connection
        finally:
            connection.close()

    def ping(self) -> None:
        """Raise DatabaseUnavailable unless the database answers."""
        try:
            with self._open("write") as connection:
                connection.execute(sa.text("SELECT 1"))
        except (SQLAlchemyError, UnicodeError) as error:
            cause = getattr(error, "orig", None) or error
            reason = " ".join(str(cause).split()) or type(cause).__name__
            raise DatabaseUnavailable(f"the database does not answer: {reason}") from error

    def usage(self) -> PoolUsage:
        """How this process uses its connections, to the replica too."""
        pools = [engine.pool for engine in self._own_engines().values()]
        held = PoolUsage(idle=self._questions.idle if self._questions is not None else 0)
        return sum((p.usage() for p in pools if isinstance(p, WatchedPool)), held)

    def dispose(self) -> None:
        """Close all idle connections of this process; the next use opens new ones."""
        for engine in self._own_engines().values():
            engine.dispose()
        self._engines = {}
        if self._questions is not None:
            self._questions.close()

    @contextmanager
    def _open(self, which: str) -> Iterator[sa.Connection]:
        """Yield a connection inside a transaction that has its settings; roll back at the end."""
        connection = self._checked_out(which, _ORDINARY)
        try:
            yield connection
        finally:
            # Without a commit before, this rolls back.
            connection.close()

    def _replica(self) -> sa.Connection | None:
        """A connection to the replica that shows all that the primary shows; None: there is none.

        See repository/replica.py.
        """
        if self._urls["read"] == self._urls["write"]:
            return None
        if time.monotonic() < self._replica_rests_until:
            return None
        with self._open("write") as primary:
            position = replica.current_position(primary)
        try:
            connection = self._caught_up(position)
        except DBAPIError as error:
            log.warning("replica fails; reading from the primary", error=described(error))
            self.replica_fallbacks["failed"] += 1
            connection = None
        if connection is None:
            self._replica_rests_until = time.monotonic() + _REPLICA_RESTS_S
        return connection

    def _caught_up(self, position: replica.Position) -> sa.Connection | None:
        connection = self._checked_out("read", _SNAPSHOT)
        try:
            if replica.catches_up(connection, position, self._replica_wait_s):
                connection.exec_driver_sql(self._preamble)
                return connection
        except BaseException:
            connection.close()
            raise
        connection.close()
        log.warning("replica lags too far; reading from the primary", position=position.lsn)
        self.replica_fallbacks["lagging"] += 1
        return None

    def _checked_out(self, which: str, options: dict[str, object]) -> sa.Connection:
        # The settings are the liveness check too: a pooled connection that died while idle (a
        # restart of PostgreSQL) fails here, before anything was done, and one try on a new
        # connection is safe. It costs one round trip, as a separate ping would.
        try:
            return self._prepared(which, options)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        return self._prepared(which, options)

    def _prepared(self, which: str, options: dict[str, object]) -> sa.Connection:
        connection = self._engine(which).connect()
        try:
            if options:
                connection = connection.execution_options(**options)
            connection.exec_driver_sql(self._preamble)
        except BaseException:
            connection.close()
            raise
        return connection

    def _engine(self, which: str) -> sa.Engine:
        url = self._urls[which]
        engines = self._own_engines()
        # Two threads may both create one: only the first is kept, the other never connected.
        return engines.get(url) or engines.setdefault(url, self._create(url))

    def _own_engines(self) -> dict[str, sa.Engine]:
        # A connection shared with the parent over a fork would mix two conversations on one
        # socket, so a child forgets the parent's engines (without closing the parent's sockets).
        if self._pid != os.getpid():
            for engine in self._engines.values():
                engine.dispose(close=False)
            self._engines = {}
            # Its connections are closed by nobody here: psycopg2 knows whose they are.
            self._questions = None
            self._pid = os.getpid()
        return self._engines

    def _own_questions(self) -> Questions:
        self._own_engines()
        questions = self._questions
        if questions is None:
            self._questions = questions = Questions(self._connect, self._preamble)
        return questions

    def _connect(self) -> Any:
        """A new connection, of no pool, in autocommit mode."""
        url = sa.make_url(self._urls["write"]).set(drivername="postgresql+psycopg2")
        arguments, named = url.get_dialect()().create_connect_args(url)
        connection = psycopg2.connect(*arguments, **{**named, **self._connect_arguments()})
        connection.autocommit = True
        return connection

    def _connect_arguments(self) -> dict[str, Any]:
        return {**_CONNECT_ARGUMENTS, "application_name": self._application_name}

    def _create(self, url: str) -> sa.Engine:
        return sa.create_engine(
            # SQLAlchemy's default driver for "postgresql" is not psycopg2 in every release.
            sa.make_url(url).set(drivername="postgresql+psycopg2"),
            pool_size=self._pool_size,
            max_overflow=self._pool_size,
            pool_timeout=30,
            pool_recycle=3600,
            # The connection that was used last: its PostgreSQL process has all it needs at hand.
            pool_use_lifo=True,
            use_native_hstore=False,
            poolclass=WatchedPool,
            # Errors would repeat them, and with them what partners sent.
            hide_parameters=True,
            connect_args=self._connect_arguments(),
        )


def asked(
    at: Connection | Database, query: Query, parameters: Mapping[str, object]
) -> Sequence[Sequence[Any]]:
    """All rows of a query, within a transaction or in one of its own."""
    if isinstance(at, Database):
        return at.ask(query, parameters)
    return at.execute(query.statement, parameters).all()
