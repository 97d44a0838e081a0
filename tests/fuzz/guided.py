"""The process that fuzzes: coverage-guided by atheris, for `python -m tests.fuzz`.

    python -m tests.fuzz.guided DATABASE_URL FINDINGS_DIR [libFuzzer's arguments]

A finding is kept and fuzzing goes on: a night should not end at the first one.
"""

import hashlib
import sys
import traceback
from pathlib import Path
from random import Random

import atheris

with atheris.instrument_imports(include=["ochp_chs", "spyne.application", "spyne.server"]):
    from ochp_chs.repository.engine import Database
    from ochp_chs.soap import application  # noqa: F401 - all that it imports is instrumented
    from tests.fuzz.mutations import mutated
    from tests.fuzz.target import Target

#: How often a message that is XML is mutated as such.
_BY_STRUCTURE = 0.7

#: Of one kind of finding, so many inputs are kept.
_KEPT_OF_A_KIND = 3


class Findings:
    """Keeps inputs that must not do what they did, with what they did beside them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kinds: dict[str, int] = {}

    def keep(self, data: bytes, error: BaseException) -> None:
        """Keep one, unless there are enough of its kind."""
        text = f"{error}\n{''.join(traceback.format_exception(error))}"
        where = [line for line in text.splitlines() if line.startswith('  File "')]
        kind = hashlib.sha256("\n".join([type(error).__name__, *where]).encode()).hexdigest()[:12]
        count = self._kinds[kind] = self._kinds.get(kind, 0) + 1
        if count <= _KEPT_OF_A_KIND:
            name = f"{kind}-{count}"
            (self._folder / f"{name}.input").write_bytes(data)
            (self._folder / f"{name}.txt").write_text(text, encoding="utf-8", errors="replace")


def _mutate(data: bytes, size_max: int, seed: int) -> bytes:
    """By structure or by bytes: the first gets past the parser, the second at it."""
    random = Random(seed)
    if len(data) > 1 and random.random() < _BY_STRUCTURE:
        changed = mutated(data[1:], random)
        if changed is not None and len(changed) < size_max:
            return data[:1] + changed
    return bytes(atheris.Mutate(data, size_max))


def main() -> None:
    """Fuzz until libFuzzer ends the process."""
    url, folder, *arguments = sys.argv[1:]
    findings = Findings(Path(folder))
    target = Target(Database(url))

    def one(data: bytes) -> None:
        try:
            target(data)
        except Exception as error:
            findings.keep(data, error)

    atheris.Setup([sys.argv[0], *arguments], one, custom_mutator=_mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
