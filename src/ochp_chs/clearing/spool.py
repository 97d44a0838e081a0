"""A list of short texts that may grow long: on disk beyond a megabyte, never all in memory."""

import tempfile
from collections.abc import Iterator, Sequence
from itertools import islice

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
