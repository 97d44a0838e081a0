"""A list of short texts that may grow long: on disk beyond a megabyte, never all in memory."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from itertools import islice

from ochp_chs.ochp.results import Note
from ochp_chs.ochp.violations import Reason, Violation

_MEMORY_BYTES_MAX = 1 << 20
_BLOCK_TEXTS = 500


class Spool:
    """Texts without line feeds, appended one by one and read back in order any number of times."""

    def __init__(self) -> None:
        self._file: tempfile.SpooledTemporaryFile[str] | None = None
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def append(self, text: str) -> None:
        """Add one text at the end."""
        if self._file is None:
            # Most uploads refuse nothing and need no file.
            self._file = tempfile.SpooledTemporaryFile(  # noqa: SIM115 - until close()
                _MEMORY_BYTES_MAX, "w+", encoding="utf-8", newline="\n"
            )
        self._file.write(f"{text}\n")
        self._length += 1

    def __iter__(self) -> Iterator[str]:
        if self._file is not None:
            self._file.seek(0)
            for line in self._file:
                yield line[:-1]

    def blocks(self) -> Iterator[Sequence[str]]:
        """The texts in blocks; closes the spool after the last."""
        texts = iter(self)
        try:
            while block := list(islice(texts, _BLOCK_TEXTS)):
                yield block
        finally:
            self.close()

    def close(self) -> None:
        """Give the disk space back."""
        if self._file is not None:
            self._file.close()


class NoteSpool:
    """Notes on any number of records, for the message log."""

    def __init__(self) -> None:
        self._texts = Spool()

    def append(self, position: int, record_id: str, violations: Sequence[Violation]) -> None:
        """Add what there is to say of one record."""
        for v in violations:
            values = (position, record_id, v.rule, v.field, v.value, v.text, v.reason.value)
            self._texts.append(json.dumps(values))

    def __iter__(self) -> Iterator[Note]:
        for text in self._texts:
            position, record_id, rule, field, value, sentence, reason = json.loads(text)
            violation = Violation(rule, field, value, sentence, Reason(reason))
            yield Note(position, record_id, violation)

    def close(self) -> None:
        """Give the disk space back."""
        self._texts.close()
