"""What a process tells of itself from time to time: connections, memory, processor time."""

import time
from collections.abc import Callable

from ochp_chs.metrics.instruments import Instruments
from ochp_chs.repository.engine import Database
from ochp_chs.repository.pool import PoolUsage


class ProcessMetrics:
    """Brings the gauges of one process up to date whenever `sample` is called."""

    def __init__(
        self, instruments: Instruments, database: Database, resident_bytes: Callable[[], int]
    ) -> None:
        self._instruments = instruments
        self._database = database
        self._resident_bytes = resident_bytes
        self._pool = PoolUsage()
        self._cpu_s = 0.0
        self._fallbacks: dict[str, int] = {}
        instruments.workers.set(1)
        self.sample()

    def sample(self) -> None:
        """Take the gauges anew, and count what came since the last time."""
        instruments = self._instruments
        instruments.resident_bytes.set(self._resident_bytes())
        cpu_s = time.process_time()
        instruments.cpu_seconds.inc(cpu_s - self._cpu_s)
        self._cpu_s = cpu_s
        self._sample_pool(self._database.usage())
        for reason, count in self._database.replica_fallbacks.items():
            instruments.replica_fallbacks.labels(reason).inc(count - self._fallbacks.get(reason, 0))
            self._fallbacks[reason] = count

    def _sample_pool(self, now: PoolUsage) -> None:
        instruments, before = self._instruments, self._pool
        instruments.pool_size.set(now.size)
        instruments.pool_in_use.set(now.in_use)
        instruments.pool_idle.set(now.idle)
        # Below the last one where connections were all closed and the pool is a new one.
        instruments.pool_waits.inc(max(now.waits - before.waits, 0))
        instruments.pool_timeouts.inc(max(now.timeouts - before.timeouts, 0))
        instruments.pool_wait_seconds.inc(max(now.wait_s - before.wait_s, 0))
        self._pool = now

    def chore_done(self, chore: str, succeeded: bool) -> None:
        """Note how a chore ended."""
        if succeeded:
            self._instruments.chore_success.labels(chore).set(time.time())
        else:
            self._instruments.chore_failures.labels(chore).inc()
