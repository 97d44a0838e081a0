"""One log line for each request: who called what, how it ended, how much and how long."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from ochp_chs.clearing.slots import Slot
from ochp_chs.masking import masked
from ochp_chs.metrics.requests import RequestMetrics
from ochp_chs.ochp.operations import Endpoint
from ochp_chs.ochp.roles import Role

log = structlog.get_logger(__name__)

_ENDPOINTS = frozenset(map(str, Endpoint))


def new_reference() -> str:
    """A name for one exchange, short enough to read out over the telephone."""
    return secrets.token_hex(8)


@dataclass(slots=True)
class Trace:
    """What becomes known of a request while it is served; never a credential or a token."""

    method: str
    path: str
    address: str
    reference: str = field(default_factory=new_reference)
    started: float = field(default_factory=time.monotonic)
    metrics: RequestMetrics | None = None
    operation: str | None = None
    partner: str | None = None
    partner_id: int | None = None
    roles: frozenset[Role] = frozenset()
    #: Why a log-in was refused: for the operator, never for the caller.
    authentication_failure: str | None = None
    result: str | None = None
    fault: str | None = None
    fault_kind: str | None = None
    status: int | None = None
    records_read: int = 0
    records_refused: int = 0
    #: How many of the refused records broke which rule.
    refusal_reasons: Mapping[str, int] = field(default_factory=dict)
    records_sent: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    #: Until the request was over.
    seconds: float = 0.0
    #: The response went out to its end.
    complete: bool = False
    #: What the partner's requests are counted by, while this is one of them.
    slot: Slot | None = None
    #: Told to the client of a request that there was no room for.
    retry_after_s: int | None = None

    def end(self) -> None:
        """The request is over, however it ended."""
        if self.slot is not None:
            self.slot.release()
        self.seconds = time.monotonic() - self.started
        self.write()
        if self.metrics is not None:
            self.metrics.end(self)

    def sent(self, records: int) -> None:
        """So many records more were given out."""
        self.records_sent += records

    def write(self) -> None:
        """Write the line."""
        log.info(
            "request",
            method=self.method,
            path=self.path if self.path in _ENDPOINTS else masked(self.path),
            address=self.address,
            reference=self.reference,
            operation=self.operation,
            partner=self.partner,
            result=self.result,
            fault=self.fault,
            status=self.status,
            records_read=self.records_read,
            records_refused=self.records_refused,
            records_sent=self.records_sent,
            bytes_in=self.bytes_in,
            bytes_out=self.bytes_out,
            complete=self.complete,
            seconds=round(self.seconds, 4),
        )


class CountedInput:
    """The body of a request on its way in, counted as it is read."""

    def __init__(self, stream: Any, trace: Trace) -> None:
        self._read = stream.read
        self._trace = trace

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most `size` of them."""
        data: bytes = self._read(size)
        self._trace.bytes_in += len(data)
        return data
