"""What only the database knows, for whoever reads the metrics: asked seldom, waited for shortly."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import structlog
from prometheus_client.core import GaugeMetricFamily, Metric

import ochp_chs
from ochp_chs.masking import described
from ochp_chs.repository import migrate, monitoring
from ochp_chs.repository.engine import Database

log = structlog.get_logger(__name__)

#: What was found is told again for so long: many who read cost the database no more than one.
_FRESH_S = 5.0
#: A reader waits for the database no longer than this; what it misses, the next one gets.
_PATIENCE_S = 2.5


@dataclass(frozen=True, slots=True)
class Reading:
    """What was found, and when on the monotonic clock; no findings: the database failed."""

    findings: monitoring.Findings | None
    at: float
    #: None: there is no replica, or it does not answer.
    replica_lag_s: float | None = None


class DatabaseMetrics:
    """Gauges from the database. It has connections of its own: a full pool hides nothing.

    The database is asked by a thread that nobody waits for longer than `_PATIENCE_S`.
    """

    def __init__(
        self, url: str, read_url: str | None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._primary = _database(url)
        self._replica = _database(read_url) if read_url not in (None, url) else None
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._reading: Reading | None = None
        self._asking: threading.Thread | None = None

    def collect(self) -> Iterator[Metric]:
        """All gauges of this moment; of a database that is away, that it is."""
        reading = self._current()
        findings = reading.findings if reading is not None else None
        yield _gauge("database_up", "1: the database answers.", findings is not None)
        yield _build_info()
        if findings is not None:
            yield from _found(findings)
        if self._replica is not None:
            lag = reading.replica_lag_s if reading is not None else None
            yield _gauge("replica_up", "1: the replica answers.", lag is not None)
            if lag is not None:
                yield _gauge("replica_lag_seconds", "How far the replica is behind.", lag)

    def dispose(self) -> None:
        """Close the connections, once whoever asks has an answer, which takes seconds at most."""
        with self._lock:
            asking = self._asking
        if asking is not None:
            asking.join(10 * _PATIENCE_S)
        self._primary.dispose()
        if self._replica is not None:
            self._replica.dispose()

    def _current(self) -> Reading | None:
        """What is fresh, found anew if need be; None if the database takes too long."""
        with self._lock:
            if self._is_fresh():
                return self._reading
            if self._asking is None or not self._asking.is_alive():
                self._asking = threading.Thread(target=self._ask, name="metrics", daemon=True)
                self._asking.start()
            asking = self._asking
        asking.join(_PATIENCE_S)
        with self._lock:
            return self._reading if self._is_fresh() else None

    def _is_fresh(self) -> bool:
        return self._reading is not None and self._monotonic() - self._reading.at < _FRESH_S

    def _ask(self) -> None:
        findings, lag = None, None
        try:
            findings = monitoring.find_all(self._primary)
        except Exception as error:
            log.warning("metrics cannot be read from the database", error=described(error))
        if self._replica is not None:
            try:
                lag = monitoring.replica_lag_s(self._replica)
            except Exception as error:
                log.warning("metrics cannot be read from the replica", error=described(error))
        reading = Reading(findings, self._monotonic(), lag)
        with self._lock:
            self._reading = reading


def _database(url: str | None) -> Database:
    return Database(
        url or "",
        pool_size=1,
        application_name="ochp-chs metrics",
        lock_timeout_ms=1_000,
        statement_timeout_s=2,
    )


def _found(findings: monitoring.Findings) -> Iterator[Metric]:
    at_head = findings.revision == migrate.head_revision()
    yield _gauge("schema_current", "1: the schema is this release's.", at_head)
    ages = GaugeMetricFamily(
        "ochp_chs_poll_age_seconds",
        "Since a partner was last given a feed that it follows.",
        labels=["partner", "feed"],
    )
    for key, age in findings.poll_age_s.items():
        ages.add_metric(key, age)
    yield ages
    cdrs = GaugeMetricFamily(
        "ochp_chs_cdrs", "CDRs by status; large numbers are estimates.", labels=["status"]
    )
    for status, count in findings.cdrs.items():
        cdrs.add_metric([status], count)
    yield cdrs
    yield _gauge(
        "oldest_unconfirmed_cdr_age_seconds",
        "Since the CDR came that waits for its owner longest; 0: none waits.",
        findings.oldest_unconfirmed_age_s,
    )


def _build_info() -> Metric:
    info = GaugeMetricFamily(
        "ochp_chs_build_info",
        "Always 1; what runs is in the labels.",
        labels=["version", "python", "schema"],
    )
    python = ".".join(map(str, sys.version_info[:3]))
    info.add_metric([ochp_chs.__version__, python, migrate.head_revision()], 1)
    return info


def _gauge(name: str, says: str, value: float) -> Metric:
    return GaugeMetricFamily(f"ochp_chs_{name}", says, value=float(value))
