"""Questions: single statements that only read, each in one round trip.

Most of what a small request costs is asking the database, and most of that is not the answer but
what stands around it: a pool, a transaction, its settings, a plan. Here connections are held ready
with all of that done. This rests on having a session for oneself, which a pooler in transaction
mode does not give: where one stands between, plain statements are sent, with their settings.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

import psycopg2
import psycopg2.errors

from ochp_chs.repository.query import Query

Row = tuple[Any, ...]

#: A connection is replaced after so long: what its PostgreSQL process remembers grows.
_LIFE_S = 3600.0

#: What a session says whose prepared statements are gone, or whose tables have become others.
_OUTDATED = (psycopg2.errors.InvalidSqlStatementName, psycopg2.errors.FeatureNotSupported)

#: A plan that was made while the tables were small is kept while they grow.
_BY_INDEX = "; SET LOCAL enable_seqscan = off"
#: One plan for all parameters: PostgreSQL would otherwise make five, and compare.
_ONE_PLAN = "; SET LOCAL plan_cache_mode = force_generic_plan"


class Questions:
    """Connections held for questions, shared by the threads of one process.

    ``connect`` opens one in autocommit mode; ``preamble`` are a transaction's `SET LOCAL`.
    """

    def __init__(self, connect: Callable[[], Any], preamble: str) -> None:
        self._connect = connect
        self._preamble = f"{preamble}{_BY_INDEX}"
        #: The one that was used last comes first: its PostgreSQL process has all it needs at hand.
        self._idle: list[_Session] = []

    def ask(self, query: Query, parameters: Mapping[str, object]) -> list[Row]:
        """All rows of a query. For look-ups by an index, not for lists."""
        session = self._taken()
        if session is not None:
            try:
                return self._asked(session, query, parameters)
            except psycopg2.Error as error:
                if not _is_useless(error):
                    raise
            # It died while idle, and so may have all others. Who only reads may try again.
            self.close()
        return self._asked(_Session(self._connect(), self._preamble), query, parameters)

    @property
    def idle(self) -> int:
        """How many connections nobody uses at the moment."""
        return len(self._idle)

    def close(self) -> None:
        """Close the connections that nobody uses at the moment."""
        while self._idle:
            self._pop().close()

    def _taken(self) -> "_Session | None":
        while self._idle:
            session = self._pop()
            if session.ends_at > time.monotonic():
                return session
            session.close()
        return None

    def _pop(self) -> "_Session":
        try:
            return self._idle.pop()
        except IndexError:  # another thread was faster
            return _Session(self._connect(), self._preamble)

    def _asked(self, session: "_Session", query: Query, values: Mapping[str, object]) -> list[Row]:
        try:
            rows = session.ask(query, values)
        except psycopg2.Error as error:
            if _is_useless(error):
                session.close()
            else:
                self._idle.append(session)
            raise
        except BaseException:
            session.close()
            raise
        self._idle.append(session)
        return rows


class _Session:
    """One connection, and what is known of the session behind it."""

    def __init__(self, connection: Any, preamble: str) -> None:
        self._connection = connection
        self._cursor = connection.cursor()
        self._preamble = preamble
        self._prepared: set[str] = set()
        self.ends_at = time.monotonic() + _LIFE_S
        self.is_own = self._has_own()
        if self.is_own:
            self._cursor.execute(f"{preamble}{_ONE_PLAN}".replace("SET LOCAL", "SET"))

    def ask(self, query: Query, values: Mapping[str, object]) -> list[Row]:
        """All rows of a query."""
        if not self.is_own:
            # Sent together, PostgreSQL runs them in one transaction, with which the settings end.
            self._cursor.execute(f"{self._preamble}; {query.plain}", values)
        else:
            if query.name not in self._prepared:
                self._cursor.execute(query.prepare)
                self._prepared.add(query.name)
            self._cursor.execute(query.execute, values)
        rows: list[Row] = self._cursor.fetchall()
        return rows

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _has_own(self) -> bool:
        # A pooler gives every client numbers of its own to cancel statements by, the process among
        # them, because behind it the processes change. PostgreSQL gives the process's own.
        self._cursor.execute("SELECT pg_backend_pid()")
        ((pid,),) = self._cursor.fetchall()
        return bool(pid == self._connection.info.backend_pid)


def _is_useless(error: psycopg2.Error) -> bool:
    """Whether the session it came from can be asked no more, but a new one can."""
    if isinstance(error, _OUTDATED) or error.pgcode is None:
        # A connection that broke says so without a code.
        return True
    # One that PostgreSQL ended says "operator intervention", unless it ended only the statement.
    return error.pgcode.startswith(("08", "57P"))
