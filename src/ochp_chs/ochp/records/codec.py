"""What every record codec offers to the road that all record types travel."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from lxml import etree

from ochp_chs.ochp.violations import Violation


class RecordRefused(Exception):
    """The record cannot be taken as it is; carries every reason."""

    def __init__(self, *violations: Violation) -> None:
        super().__init__("; ".join(violation.text for violation in violations))
        self.violations = violations


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a record type's rules say of one record."""

    refusals: Sequence[Violation] = field(default=())
    warnings: Sequence[Violation] = field(default=())


class Codec(Protocol):
    """One record type, XML to row. `columns` names the row's values in order."""

    @property
    def columns(self) -> Sequence[str]:
        """Names of the row's values."""

    def decode(self, record: etree._Element) -> tuple[object, ...]:
        """The row of a record that is valid against its XSD type; raises `RecordRefused`."""

    def identify(self, record: etree._Element) -> str:
        """How a person would name this record, however broken it is; empty if by nothing."""

    def retained_key(self, record: etree._Element) -> bytes | str | None:
        """What of the record's key can be read from a refused record, None if not enough.

        A refused record in a Set leaves the earlier version as it was; this finds it.
        """
