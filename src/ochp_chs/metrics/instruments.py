"""Every metric that is counted while the server works, by name; see docs/monitoring.md.

Labels are bounded: operations, roles, results and rules by the contract and the code, partners by
who was added. What a stranger sends never becomes a label.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

# Series that tell when a series began: nobody asks for them, and there are as many again.
disable_created_metrics()  # type: ignore[no-untyped-call]

#: From an answer out of the cache to a list of a million tokens, in seconds.
SECONDS = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0),
)


class Instruments:
    """The metrics of one process. Where processes share them, there is one of these in each."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._requests()
        self._records()
        self._process()
        self._database()

    def _requests(self) -> None:
        self.requests = self._counter(
            "requests", "SOAP requests answered.", "operation", "role", "result"
        )
        self.seconds = Histogram(
            "ochp_chs_request_seconds",
            "From the first byte read to the last byte sent.",
            ["operation"],
            registry=self.registry,
            buckets=SECONDS,
        )
        self.in_flight = self._gauge("requests_in_flight", "SOAP requests being served.")
        self.partner_requests = self._counter(
            "partner_requests", "SOAP requests of a partner.", "partner"
        )
        self.bytes_in = self._counter(
            "request_bytes", "Bytes of messages as they were sent.", "operation"
        )
        self.bytes_out = self._counter(
            "response_bytes", "Bytes of answers as they were sent.", "operation"
        )
        self.incomplete = self._counter(
            "responses_incomplete", "Answers that broke off.", "operation"
        )
        self.faults = self._counter("faults", "SOAP faults.", "kind", "status")
        self.authentication_failures = self._counter(
            "authentication_failures", "Log-ins refused.", "reason"
        )

    def _records(self) -> None:
        self.records_in = self._counter("records_received", "Records read.", "operation")
        self.records_refused = self._counter("records_refused", "Records refused.", "operation")
        self.refusal_reasons = self._counter(
            "refusal_reasons", "Broken rules of refused records.", "operation", "rule"
        )
        self.records_out = self._counter("records_sent", "Records given out.", "operation")

    def _process(self) -> None:
        self.workers = self._gauge("workers", "Server processes that live.")
        self.resident_bytes = Gauge(
            "ochp_chs_worker_resident_bytes",
            "Memory of a server process.",
            registry=self.registry,
            multiprocess_mode="liveall",
        )
        self.cpu_seconds = self._counter("worker_cpu_seconds", "Processor time of the server.")
        self.chore_success = Gauge(
            "ochp_chs_chore_last_success_timestamp_seconds",
            "When a chore was last done.",
            ["chore"],
            registry=self.registry,
            multiprocess_mode="max",
        )
        self.chore_failures = self._counter("chore_failures", "Chores that failed.", "chore")

    def _database(self) -> None:
        self.pool_size = self._gauge(
            "database_pool_size", "Connections that the server may open at most."
        )
        self.pool_in_use = self._gauge("database_pool_in_use", "Connections in use.")
        self.pool_idle = self._gauge("database_pool_idle", "Connections open and not in use.")
        self.pool_waits = self._counter(
            "database_pool_waits", "Times that a connection had to be waited for."
        )
        self.pool_timeouts = self._counter(
            "database_pool_timeouts", "Times that no connection came free in time."
        )
        self.pool_wait_seconds = self._counter(
            "database_pool_wait_seconds", "Time waited for connections."
        )
        self.replica_fallbacks = self._counter(
            "replica_fallbacks", "Reads taken from the primary instead.", "reason"
        )

    def _counter(self, name: str, says: str, *labels: str) -> Counter:
        return Counter(f"ochp_chs_{name}", says, labels, registry=self.registry)

    def _gauge(self, name: str, says: str) -> Gauge:
        """The sum over the processes that live."""
        return Gauge(f"ochp_chs_{name}", says, registry=self.registry, multiprocess_mode="livesum")
