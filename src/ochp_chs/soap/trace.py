"""One log line for each request: who called what, how it ended, how much and how long."""

import secrets
import time
from dataclasses import dataclass, field

import structlog

from ochp_chs.clearing.slots import Slot

log = structlog.get_logger(__name__)


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
    operation: str | None = None
    partner: str | None = None
    result: str | None = None
    fault: str | None = None
    status: int | None = None
    records_read: int = 0
    records_refused: int = 0
    bytes_out: int = 0
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
        self.write()

    def write(self) -> None:
        """Write the line."""
        log.info(
            "request",
            method=self.method,
            path=self.path,
            address=self.address,
            reference=self.reference,
            operation=self.operation,
            partner=self.partner,
            result=self.result,
            fault=self.fault,
            status=self.status,
            records_read=self.records_read,
            records_refused=self.records_refused,
            bytes_out=self.bytes_out,
            complete=self.complete,
            seconds=round(time.monotonic() - self.started, 4),
        )
