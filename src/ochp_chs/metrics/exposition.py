"""The metrics of all processes as text, as Prometheus reads it."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.samples import Sample

from ochp_chs.metrics.workers import WorkerFiles

CONTENT_TYPE = CONTENT_TYPE_LATEST


class Collector(Protocol):
    """Gives metrics when it is asked for them."""

    def collect(self) -> Iterable[Metric]:
        """All of them, as they are now."""


class Exposition:
    """What /metrics answers: what is counted, of all workers where they share it, and the rest."""

    def __init__(
        self, registry: CollectorRegistry, files: WorkerFiles | None, *others: Collector
    ) -> None:
        self._counted: Collector = registry if files is None else _OfAllWorkers(files)
        self._others = others

    def text(self) -> bytes:
        """The text, in the format 1.0.0 of Prometheus."""
        return generate_latest(self)

    def collect(self) -> Iterator[Metric]:
        """Everything."""
        yield from self._counted.collect()
        for other in self._others:
            yield from other.collect()


class _OfAllWorkers:
    """The sums over the workers that live, and of what those counted that do not."""

    def __init__(self, files: WorkerFiles) -> None:
        self._files = files

    def collect(self) -> Iterator[Metric]:
        merged = MultiProcessCollector.merge(  # type: ignore[no-untyped-call]
            self._files.readable(), accumulate=True
        )
        for metric in sorted(merged, key=lambda each: str(each.name)):
            metric.samples = [_named(sample) for sample in metric.samples]
            yield metric


def _named(sample: Sample) -> Sample:
    """The label of what each process has for itself, under the name that it is here."""
    if "pid" not in sample.labels:
        return sample
    labels = {"worker" if name == "pid" else name: each for name, each in sample.labels.items()}
    return sample._replace(labels=labels)
