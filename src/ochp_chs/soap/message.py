"""The request as the operations read it: each record judged by the XSD, repaired where allowed."""

from collections.abc import Iterator, Sequence

from lxml import etree

from ochp_chs.clearing.errors import FrameRefused
from ochp_chs.clearing.exchange import IncomingBlock, IncomingRecord, IncomingRows, PlainReading
from ochp_chs.ochp.operations import NAMESPACE, Operation
from ochp_chs.ochp.reading import Reading
from ochp_chs.ochp.repair import RECORD_NAME_REPAIRS, Repair, repair
from ochp_chs.ochp.schema import message_schema, record_schema
from ochp_chs.ochp.violations import Violation
from ochp_chs.ochp.xml import local_name
from ochp_chs.soap.envelope import Envelope
from ochp_chs.soap.xsd_errors import xsd_violations

_OCHP = f"{{{NAMESPACE}}}"


class SoapMessage:
    """One request to one operation; `clearing.exchange.Message` as SOAP brings it."""

    def __init__(self, envelope: Envelope, operation: Operation) -> None:
        self._envelope = envelope
        self._operation = operation
        self._types = dict(operation.records)

    @property
    def is_long(self) -> bool:
        """Whether it is read in pieces; see `clearing.exchange.Message`."""
        return not self._envelope.is_whole

    def collect(self) -> None:
        """Take in what the sender has not sent yet; see `clearing.exchange.Message`."""
        self._envelope.collect()

    def records(self, reading: Reading) -> Iterator[IncomingRecord]:
        """The request's repeated elements; see `clearing.exchange.Message`."""
        for block in self.blocks(reading):
            if isinstance(block, IncomingBlock):
                yield from block.records

    def blocks(
        self, reading: Reading, plain: PlainReading | None = None
    ) -> Iterator[IncomingBlock | IncomingRows]:
        """The request's repeated elements as they arrive; see `clearing.exchange.Message`."""
        renamed = {
            wrong: right for wrong, right in RECORD_NAME_REPAIRS.items() if right in self._types
        }
        tags = [f"{_OCHP}{name}" for name in (*self._types, *renamed)]
        position = 1
        for block in self._envelope.blocks(tags, plain):
            if isinstance(block, etree._Element):
                count = len(block)
                yield IncomingBlock(position, self._judged(block, position, renamed, reading))
            else:
                count = len(block[0])
                yield IncomingRows(position, block)
            position += count
        self._refuse_leftovers(reading)

    def _judged(
        self,
        holder: etree._Element,
        position: int,
        renamed: dict[str, str],
        reading: Reading,
    ) -> Iterator[IncomingRecord]:
        schema, shape, strip = record_schema(), self._envelope.shape, len(_OCHP)
        # Judging many at once costs half as much; only where one is wrong, each is looked at.
        all_valid = schema.validate(holder) and shape.text_is_short(holder)
        for place, element in enumerate(list(holder), position):
            name = str(element.tag)[strip:]
            if all_valid or (
                name in self._types and schema.validate(element) and shape.text_is_short(element)
            ):
                yield IncomingRecord(place, name, element, (), ())
            else:
                yield self._mended(place, name, element, renamed, reading)

    def parameters(self, reading: Reading) -> etree._Element:
        """The request element without its records, valid; raises `FrameRefused`."""
        if self._is_valid():
            return self._envelope.request
        request = self._envelope.request
        excess = self._envelope.shape.excess(request)
        if excess is not None:
            raise FrameRefused(
                f"{self._operation.request} is not valid: {excess.field}: {excess.text}."
            )
        if reading is Reading.TOLERANT:
            repair(request, self._operation.request)
        violations = xsd_violations(message_schema(), request)
        if violations:
            raise FrameRefused(
                f"{self._operation.request} is not valid: "
                + "; ".join(f"{v.field or 'request'}: {v.text}" for v in violations)
            )
        return request

    def valid_parameters(self) -> etree._Element | None:
        """The same without waiting for any of it; see `clearing.exchange.Message`."""
        if self._envelope.has_arrived and self._is_valid():
            return self._envelope.request
        return None

    def _is_valid(self) -> bool:
        request = self._envelope.request
        request.tag = f"{_OCHP}{self._operation.request}"
        return message_schema().validate(request) and self._envelope.shape.text_is_short(request)

    def _mended(
        self,
        position: int,
        name: str,
        element: etree._Element,
        renamed: dict[str, str],
        reading: Reading,
    ) -> IncomingRecord:
        """The record after tolerant reading, with what is still wrong with it."""
        repairs: list[Violation] = []
        right_name = renamed.get(name, name)
        excess = self._envelope.shape.excess(element)
        if excess is not None:
            return IncomingRecord(position, right_name, element, (excess,), ())
        if reading is Reading.TOLERANT:
            if right_name != name:
                element.tag = f"{_OCHP}{right_name}"
                repairs.append(
                    Violation("repair", name, name, f"the element was read as {right_name}")
                )
            repairs += [_noted(each) for each in repair(element, self._types[right_name])]
        violations: Sequence[Violation]
        if str(element.tag) != f"{_OCHP}{right_name}":
            violations = [
                Violation("schema", name, name, f"this element is not expected; it is {right_name}")
            ]
        else:
            violations = xsd_violations(record_schema(), element)
        # Of a record that is refused all the same, only the reasons matter.
        return IncomingRecord(
            position, right_name, element, violations, () if violations else repairs
        )

    def _refuse_leftovers(self, reading: Reading) -> None:
        """What is neither record nor parameter is a wrong frame, not something to pass over."""
        request = self._envelope.request
        if not self._operation.records_required:
            self.parameters(reading)
        elif len(request):
            expected = ", ".join(self._types)
            raise FrameRefused(
                f"{self._operation.request} holds an element {local_name(request[0])[:100]!r};"
                f" expected is {expected}. Nothing was changed."
            )


def _noted(made: Repair) -> Violation:
    return Violation("repair", made.field, made.was, made.text)
