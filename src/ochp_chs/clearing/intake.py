"""Reading an upload: which records are taken, and what is said of them and of the others."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

from ochp_chs.clearing.exchange import IncomingBlock, IncomingRecord, IncomingRows
from ochp_chs.clearing.spool import Spool
from ochp_chs.ochp.records.codec import Codec, Judgement, RecordRefused
from ochp_chs.ochp.results import Tally
from ochp_chs.ochp.violations import Violation
from ochp_chs.ochp.xml import inner_xml
from ochp_chs.repository.staging import PositionedRow, RowBlock

Row = tuple[object, ...]

#: Says what is wrong with a row, None for nothing: ownership and the record type's rules.
Judge = Callable[[Row], Judgement | None]


@dataclass(frozen=True, slots=True)
class Intake:
    """How the records of one upload are read and judged, and what reading them leaves behind."""

    codec: Codec
    judge: Judge
    #: The response has a place for refused records. Without one they are written nowhere.
    echoes: bool
    #: What identifies refused records is kept: a Set leaves their earlier versions alone.
    retains: bool
    #: Refused records that validate, to be echoed.
    echo: Spool = field(default_factory=Spool)
    retained: Spool = field(default_factory=Spool)
    tally: Tally = field(default_factory=Tally)

    def rows(self, blocks: Iterator[IncomingBlock | IncomingRows]) -> Iterator[RowBlock]:
        """The rows of the records that are taken; the others are counted, named, and echoed."""
        for block in blocks:
            if isinstance(block, IncomingRows):
                rows = RowBlock.numbered(block.position, block.columns)
                self.tally.read += len(rows.positions)
                yield rows
            else:
                yield RowBlock.of(list(self._one_by_one(block.records)))

    def _one_by_one(self, records: Iterator[IncomingRecord]) -> Iterator[PositionedRow]:
        for record in records:
            self.tally.read += 1
            if record.repairs:
                name = self.codec.identify(record.element)
                self.tally.repair(record.position, name, record.repairs)
            if record.violations:
                self._refuse(record, record.violations, echo=False)
                continue
            try:
                row = self.codec.decode(record.element)
            except RecordRefused as refusal:
                self._refuse(record, refusal.violations, echo=True)
                continue
            judgement = self.judge(row)
            if judgement is None or self._accepts(record, judgement):
                yield record.position, row

    def _accepts(self, record: IncomingRecord, judgement: Judgement) -> bool:
        if judgement.warnings:
            name = self.codec.identify(record.element)
            self.tally.warn(record.position, name, judgement.warnings)
        if judgement.refusals:
            self._refuse(record, judgement.refusals, echo=True)
        return not judgement.refusals

    def _refuse(
        self, record: IncomingRecord, violations: Collection[Violation], *, echo: bool
    ) -> None:
        codec = self.codec
        self.tally.refuse(record.position, codec.identify(record.element), list(violations))
        if echo and self.echoes:
            self.echo.append(inner_xml(record.element))
        if self.retains:
            key = codec.retained_key(record.element)
            if key is not None:
                self.retained.append(key.hex() if isinstance(key, bytes) else key)
