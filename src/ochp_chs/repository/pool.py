"""A connection pool that tells how often, and for how long, a connection had to be waited for."""

import time
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool


@dataclass(frozen=True, slots=True)
class PoolUsage:
    """Connections of this process now, and its waits since it began."""

    size: int = 0
    in_use: int = 0
    idle: int = 0
    waits: int = 0
    wait_s: float = 0.0
    timeouts: int = 0

    def __add__(self, other: "PoolUsage") -> "PoolUsage":
        return PoolUsage(
            self.size + other.size,
            self.in_use + other.in_use,
            self.idle + other.idle,
            self.waits + other.waits,
            self.wait_s + other.wait_s,
            self.timeouts + other.timeouts,
        )


class WatchedPool(QueuePool):
    """SQLAlchemy's pool; only where all connections are in use, more is done than it does."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._waits = 0
        self._wait_s = 0.0
        self._timeouts = 0

    def _do_get(self) -> ConnectionPoolEntry:
        if self._overflow < self._max_overflow or self._pool.qsize():
            return super()._do_get()
        began = time.monotonic()
        try:
            return super()._do_get()
        except sa.exc.TimeoutError:
            self._timeouts += 1
            raise
        finally:
            self._waits += 1
            self._wait_s += time.monotonic() - began

    def usage(self) -> PoolUsage:
        """How the pool is used."""
        return PoolUsage(
            size=self.size() + self._max_overflow,
            in_use=self.checkedout(),
            idle=self.checkedin(),
            waits=self._waits,
            wait_s=self._wait_s,
            timeouts=self._timeouts,
        )
