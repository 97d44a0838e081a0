"""Result codes, and the one text that tells a partner what became of a message."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from ochp_chs.ochp.violations import Reason, Violation

DESCRIPTION_CHARACTERS_MAX = 1000

#: A value is quoted in a description up to this many characters.
_VALUE_CHARACTERS_MAX = 60

#: A value or an ID is kept up to this many; a record may be megabytes of one value.
_KEPT_CHARACTERS_MAX = 200


class ResultCode(StrEnum):
    """ResultCodeType of the contract."""

    OK = "ok"
    PARTLY = "partly"
    NOT_AUTHORIZED = "not-authorized"
    INVALID_ID = "invalid-id"
    SERVER = "server"
    FORMAT = "format"
    ROAMING = "roaming"


@dataclass(frozen=True, slots=True)
class Result:
    """What the response's result element says."""

    code: ResultCode
    description: str

    def __post_init__(self) -> None:
        if len(self.description) > DESCRIPTION_CHARACTERS_MAX:
            shortened = self.description[: DESCRIPTION_CHARACTERS_MAX - 1] + "…"
            object.__setattr__(self, "description", shortened)


@dataclass(frozen=True, slots=True)
class Note:
    """One thing to say about one record: where it stood (from 1), its ID, and what."""

    position: int
    record_id: str
    violation: Violation

    def sentence(self) -> str:
        """`#17 DE-ABC-C00000001 contractId 'x' (rule): reason`."""
        value = shorten(self.violation.value, _VALUE_CHARACTERS_MAX)
        where = f"#{self.position} {self.record_id}".rstrip()
        what = f"{self.violation.field} '{value}'" if value else self.violation.field
        reason = self.violation.text.rstrip(".")
        return f"{where}: {what} ({self.violation.rule}): {reason}"


def shorten(text: str, characters_max: int) -> str:
    """`text`, cut with an ellipsis when it is longer than `characters_max`."""
    return text if len(text) <= characters_max else text[: characters_max - 1] + "…"


@dataclass(slots=True)
class Tally:
    """Counts of an upload, with the first few notes of each kind; bounded however long it is."""

    notes_max: int = 100
    read: int = 0
    refused: int = 0
    repaired: int = 0
    warned: int = 0
    reasons: set[Reason] = field(default_factory=set)
    #: How many of the refused records broke which rule.
    rules: Counter[str] = field(default_factory=Counter)
    refusals: list[Note] = field(default_factory=list)
    repairs: list[Note] = field(default_factory=list)
    warnings: list[Note] = field(default_factory=list)

    @property
    def accepted(self) -> int:
        """Records that were read and not refused."""
        return self.read - self.refused

    def refuse(self, position: int, record_id: str, violations: Sequence[Violation]) -> None:
        """Count one refused record and keep its reasons."""
        self.refused += 1
        self.reasons.update(violation.reason for violation in violations)
        self.rules.update({violation.rule for violation in violations})
        self._keep(self.refusals, position, record_id, violations)

    def repair(self, position: int, record_id: str, violations: Sequence[Violation]) -> None:
        """Count one record that was read tolerantly, with each repair."""
        self.repaired += 1
        self._keep(self.repairs, position, record_id, violations)

    def warn(self, position: int, record_id: str, violations: Sequence[Violation]) -> None:
        """Count one accepted record about which something is to be said."""
        self.warned += 1
        self._keep(self.warnings, position, record_id, violations)

    def _keep(
        self, notes: list[Note], position: int, record_id: str, violations: Sequence[Violation]
    ) -> None:
        room = self.notes_max - len(notes)
        if room > 0:
            name = shorten(record_id, _KEPT_CHARACTERS_MAX)
            notes.extend(Note(position, name, _bounded(v)) for v in violations[:room])

    def result(self) -> Result:
        """The result of the whole upload (PROTOCOL, "Results")."""
        return Result(self._code(), self._description())

    def _code(self) -> ResultCode:
        if not self.refused:
            return ResultCode.OK
        if self.accepted:
            return ResultCode.PARTLY
        if self.reasons == {Reason.IDENTIFIER}:
            return ResultCode.INVALID_ID
        if self.reasons == {Reason.CONNECTION}:
            return ResultCode.ROAMING
        return ResultCode.FORMAT

    def _description(self) -> str:
        if not self.refused:
            head = f"{self.accepted} records accepted."
        else:
            head = f"{self.accepted} of {self.read} records accepted, {self.refused} refused."
        sentences = [head]
        room = DESCRIPTION_CHARACTERS_MAX - len(head)
        for label, count, notes in (
            ("Refused", self.refused, self.refusals),
            ("Repaired", self.repaired, self.repairs),
            ("Warning", self.warned, self.warnings),
        ):
            if count and room > _MORE_CHARACTERS:
                text = _listing(label, count, notes, room)
                sentences.append(text)
                room -= len(text) + 1
        return " ".join(sentences)


def _bounded(violation: Violation) -> Violation:
    """The violation without more of the offending value than a person would read."""
    if max(len(violation.value), len(violation.text)) <= _KEPT_CHARACTERS_MAX:
        return violation
    return replace(
        violation,
        value=shorten(violation.value, _KEPT_CHARACTERS_MAX),
        text=shorten(violation.text, 2 * _KEPT_CHARACTERS_MAX),
    )


#: What " and 123456789 more records." and its label need at most.
_MORE_CHARACTERS = 60


def _listing(label: str, count: int, notes: Sequence[Note], room: int) -> str:
    """As many of the notes as fit into `room` characters, and how many more records there are."""
    text = f"{label}:"
    named: set[int] = set()
    for note in notes:
        sentence = f" {note.sentence()};"
        if len(text) + len(sentence) + _MORE_CHARACTERS > room:
            break
        text += sentence
        named.add(note.position)
    text = text.rstrip(";")
    rest = count - len(named)
    if not named:
        return f"{label}: {count} records."
    return f"{text}; and {rest} more records." if rest else f"{text}."
