"""All there is about metrics in one process, put together."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from prometheus_client import CollectorRegistry

from ochp_chs.metrics.database import DatabaseMetrics
from ochp_chs.metrics.exposition import Exposition
from ochp_chs.metrics.instruments import Instruments
from ochp_chs.metrics.polls import Polls
from ochp_chs.metrics.process import ProcessMetrics
from ochp_chs.metrics.requests import RequestMetrics
from ochp_chs.metrics.workers import files_of_master
from ochp_chs.repository.engine import Database

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Metrics:
    """What counts, and what tells."""

    requests: RequestMetrics
    polls: Polls
    process: ProcessMetrics
    database: DatabaseMetrics
    exposition: Exposition


def build_metrics(
    database: Database,
    url: str,
    read_url: str | None,
    resident_bytes: Callable[[], int],
    *,
    with_other_workers: bool,
) -> Metrics:
    """The metrics of this process; `with_other_workers` of the same master, those of all.

    Only once in a process that counts with others.
    """
    files = files_of_master() if with_other_workers else None
    if files is not None:
        files.count_here()
    elif with_other_workers:
        # Serving goes on: each process tells of itself.
        log.warning("metrics are not shared between processes")
    instruments = Instruments(CollectorRegistry())
    polls = Polls()
    asked = DatabaseMetrics(url, read_url)
    return Metrics(
        RequestMetrics(instruments, polls),
        polls,
        ProcessMetrics(instruments, database, resident_bytes),
        asked,
        Exposition(instruments.registry, files, asked),
    )
