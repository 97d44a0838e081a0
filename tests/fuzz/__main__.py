"""`make fuzz`: bytes into the SOAP edge for FUZZ_S seconds, guided by coverage.

What was found stays in .fuzz/findings, and the inputs that led to new places in .fuzz/corpus: the
next run goes on from there. The exit status says whether anything was found.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ochp_chs.repository import migrate
from ochp_chs.serving.embedded_postgres import EmbeddedPostgres
from tests.fuzz.target import seeds
from tests.fuzz.words import dictionary

CHECKOUT = Path(__file__).parents[2]
FOLDER = CHECKOUT / ".fuzz"

_INPUT_BYTES_MAX = 16_384
_INPUT_S_MAX = 30
_MEMORY_MIB_MAX = 2048
_PROCESS_S_MAX = 90
_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def main() -> int:
    """Fuzz; 0 if nothing was found."""
    seconds = int(os.environ.get("FUZZ_S") or 60)
    corpus, found = FOLDER / "corpus", FOLDER / "findings"
    for folder in (corpus, found):
        folder.mkdir(parents=True, exist_ok=True)
    for name, seed in seeds().items():
        (corpus / f"seed-{name}").write_bytes(seed)
    words = FOLDER / "words.dict"
    words.write_text(dictionary(), encoding="ascii")
    with (
        tempfile.TemporaryDirectory() as data_dir,
        EmbeddedPostgres(Path(data_dir), settings=_FAST) as postgres,
    ):
        migrate.upgrade(postgres.url)
        statuses = [
            _fuzz(postgres.url, corpus, found, words, slice_s) for slice_s in _slices(seconds)
        ]
    findings = sorted(path for path in found.iterdir() if path.suffix != ".txt")
    for finding in findings:
        print(f"found: {finding}")
        report = finding.with_suffix(".txt")
        if report.exists():
            print(report.read_text(encoding="utf-8")[:4000])
    print(f"{seconds} s of fuzzing: {len(findings)} findings, exit statuses {set(statuses)}")
    return 1 if findings or any(statuses) else 0


def _slices(seconds: int) -> Iterator[int]:
    """The time in parts: the fuzzer's own memory grows with what it has tried."""
    while seconds > 0:
        yield min(seconds, _PROCESS_S_MAX)
        seconds -= _PROCESS_S_MAX


def _fuzz(url: str, corpus: Path, found: Path, words: Path, seconds: int) -> int:
    """One process of the fuzzer; its exit status."""
    arguments = [
        str(corpus),
        f"-dict={words}",
        f"-max_total_time={seconds}",
        f"-max_len={_INPUT_BYTES_MAX}",
        f"-timeout={_INPUT_S_MAX}",
        f"-rss_limit_mb={_MEMORY_MIB_MAX}",
        f"-artifact_prefix={found}/ended-by-",
        "-print_final_stats=1",
        # Not a line for each input that leads to a new place, nor a dictionary at the end.
        "-verbosity=0",
    ]
    return subprocess.run(
        [sys.executable, "-m", "tests.fuzz.guided", url, str(found), *arguments],
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
