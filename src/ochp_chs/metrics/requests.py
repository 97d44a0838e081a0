"""What one finished request adds to the metrics: for every request, so it has to be quick."""

from collections.abc import Callable, Mapping
from typing import Protocol

from ochp_chs.metrics.instruments import Instruments
from ochp_chs.metrics.polls import FEEDS, Polls
from ochp_chs.ochp.operations import BY_NAME
from ochp_chs.ochp.roles import Role

#: The operation of a request that names none that there is.
NO_OPERATION = "none"
_NO_ROLE = "none"
_FAULT = "fault"
_ANSWERED = frozenset({"ok", "partly"})

Add = Callable[[float], None]


class FinishedRequest(Protocol):
    """What is known of a request when its answer went out; see soap/trace.py."""

    @property
    def operation(self) -> str | None: ...  # noqa: D102
    @property
    def partner(self) -> str | None: ...  # noqa: D102
    @property
    def partner_id(self) -> int | None: ...  # noqa: D102
    @property
    def roles(self) -> frozenset[Role]: ...  # noqa: D102
    @property
    def result(self) -> str | None: ...  # noqa: D102
    @property
    def fault_kind(self) -> str | None: ...  # noqa: D102
    @property
    def status(self) -> int | None: ...  # noqa: D102
    @property
    def authentication_failure(self) -> str | None: ...  # noqa: D102
    @property
    def records_read(self) -> int: ...  # noqa: D102
    @property
    def records_refused(self) -> int: ...  # noqa: D102
    @property
    def refusal_reasons(self) -> Mapping[str, int]: ...  # noqa: D102
    @property
    def records_sent(self) -> int: ...  # noqa: D102
    @property
    def bytes_in(self) -> int: ...  # noqa: D102
    @property
    def bytes_out(self) -> int: ...  # noqa: D102
    @property
    def complete(self) -> bool: ...  # noqa: D102
    @property
    def seconds(self) -> float: ...  # noqa: D102


class _OfOperation:
    """The series of one operation."""

    def __init__(self, instruments: Instruments, operation: str) -> None:
        self.seconds: Add = instruments.seconds.labels(operation).observe
        self.bytes_in: Add = instruments.bytes_in.labels(operation).inc
        self.bytes_out: Add = instruments.bytes_out.labels(operation).inc
        self.records_in: Add = instruments.records_in.labels(operation).inc
        self.records_refused: Add = instruments.records_refused.labels(operation).inc
        self.records_out: Add = instruments.records_out.labels(operation).inc


class RequestMetrics:
    """Counts requests; to be shared by the threads of a process."""

    def __init__(self, instruments: Instruments, polls: Polls) -> None:
        self._instruments = instruments
        self._polls = polls
        self.begin: Callable[[], None] = instruments.in_flight.inc
        # Looking up a series by its labels costs as much as adding to it.
        self._operations: dict[str, _OfOperation] = {}
        self._requests: dict[tuple[str, frozenset[Role], str], Add] = {}
        self._partners: dict[str, Add] = {}

    def end(self, request: FinishedRequest) -> None:
        """Count one request that `begin` was called for."""
        instruments = self._instruments
        instruments.in_flight.dec()
        operation = request.operation or NO_OPERATION
        result = _FAULT if request.fault_kind else request.result or _FAULT
        self._request(operation, request.roles, result)(1)
        series = self._operations.get(operation) or self._operation(operation)
        series.seconds(request.seconds)
        series.bytes_out(request.bytes_out)
        if request.bytes_in:
            series.bytes_in(request.bytes_in)
        if request.records_read:
            series.records_in(request.records_read)
        if request.records_sent:
            series.records_out(request.records_sent)
        if request.records_refused:
            series.records_refused(request.records_refused)
            for rule, count in request.refusal_reasons.items():
                instruments.refusal_reasons.labels(operation, rule).inc(count)
        if request.partner is not None:
            self._partner(request.partner)(1)
        if request.fault_kind:
            instruments.faults.labels(request.fault_kind, str(request.status)).inc()
        reason = request.authentication_failure
        if reason is None and request.fault_kind == "FailedAuthentication":
            reason = "password digest"
        if reason is not None:
            instruments.authentication_failures.labels(reason).inc()
        if not request.complete:
            instruments.incomplete.labels(operation).inc()
        elif request.partner_id is not None and operation in FEEDS and result in _ANSWERED:
            self._polls.note(request.partner_id, FEEDS[operation])

    def _operation(self, operation: str) -> _OfOperation:
        return self._operations.setdefault(operation, _OfOperation(self._instruments, operation))

    def _request(self, operation: str, roles: frozenset[Role], result: str) -> Add:
        key = operation, roles, result
        add = self._requests.get(key)
        if add is None:
            role = _role(operation, roles)
            add = self._instruments.requests.labels(operation, role, result).inc
            self._requests[key] = add
        return add

    def _partner(self, name: str) -> Add:
        add = self._partners.get(name)
        if add is None:
            add = self._partners[name] = self._instruments.partner_requests.labels(name).inc
        return add


def _role(operation: str, roles: frozenset[Role]) -> str:
    """In which roles the partner may call the operation, else which it has: `cpo+emp`."""
    wanted = BY_NAME[operation].roles if operation in BY_NAME else frozenset()
    return "+".join(sorted(wanted & roles or roles)) or _NO_ROLE
