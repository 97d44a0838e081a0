"""What can be wrong with a record, said so that the partner who sent it can act on it."""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a record was refused; decides the result code when all are (PROTOCOL, "Results")."""

    IDENTIFIER = "invalid-id"
    CONNECTION = "roaming"
    FORMAT = "format"


class Severity(StrEnum):
    """What a broken rule does: refuse the record, only say so, or nothing."""

    REJECT = "reject"
    WARN = "warn"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule: which, in which field, the offending value, and one sentence."""

    rule: str
    field: str
    value: str
    text: str
    reason: Reason = Reason.FORMAT
