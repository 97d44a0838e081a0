"""Archive files: gzipped JSON lines, written so that they are there whole or not at all.

The first line says what is in the file, the last one how many records that are. Beside each file
is its SHA-256, in the form that `sha256sum --check` reads.
"""

import gzip
import hashlib
import json
import os
import secrets
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO

from ochp_chs.clearing.errors import DomainError

FORMAT = "ochp-chs archive 1"

_UNFINISHED = ".unfinished"
_CHECKSUM = ".sha256"
_READ_BYTES = 1 << 20


class ArchiveUnavailable(DomainError):
    """The archive's directory cannot be written or read; the text says why."""


class ArchiveDamaged(DomainError):
    """An archive file is missing, or is not what was written."""


@dataclass(frozen=True, slots=True)
class Written:
    """A file as it was read back after it was written."""

    records: int
    bytes: int
    sha256: str


def new_name(kind: str, day: date) -> str:
    """A name that no file has, also after the database was set back to an earlier state."""
    return f"{kind}/{day:%Y}/{kind}-{day}-{secrets.token_hex(6)}.jsonl.gz"


def head_of(kind: str, day: date) -> Mapping[str, str]:
    """What the first line of a file says."""
    return {"archive": FORMAT, "kind": kind, "day": day.isoformat()}


def write(
    directory: Path, name: str, head: Mapping[str, object], records: Iterable[str]
) -> Written:
    """Write a file of JSON texts and read it back; ArchiveUnavailable, ArchiveDamaged.

    When this returns, the file is on the disk and bears its name. Whatever it raises, something
    may be left that `remove` takes away.
    """
    path = directory / name
    unfinished = path.with_name(path.name + _UNFINISHED)
    with _explained(directory):
        _make_folders(directory, path.parent)
        with _created(unfinished) as file:
            count = _write_lines(file, head, records)
        written = _read_back(unfinished, count)
        with _created(path.with_name(path.name + _CHECKSUM)) as file:
            file.write(f"{written.sha256}  {path.name}\n".encode())
        unfinished.rename(path)
        _sync_folder(path.parent)
    return written


def read(directory: Path, name: str) -> Iterator[str]:
    """The records of a file, one text each; ArchiveDamaged if it is missing or broken off."""
    path = directory / name
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
            yield from _records(file, name)
    except (OSError, EOFError, zlib.error, UnicodeError) as error:
        raise ArchiveDamaged(f"The archive file {path} cannot be read: {error}") from error


def check(directory: Path, name: str, sha256: str) -> None:
    """Raise ArchiveDamaged unless the file is there and is what was written."""
    path = directory / name
    try:
        found = _digest(path)
    except OSError as error:
        raise ArchiveDamaged(f"The archive file {path} cannot be read: {error}") from error
    if found != sha256:
        raise ArchiveDamaged(
            f"The archive file {path} is not what was written: its SHA-256 is {found}, and was"
            f" {sha256}. Restore it from a copy."
        )


def remove(directory: Path, name: str) -> None:
    """Remove whatever there is of a file; ArchiveUnavailable."""
    path = directory / name
    with _explained(directory):
        for suffix in (_UNFINISHED, "", _CHECKSUM):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        if path.parent.is_dir():
            _sync_folder(path.parent)


def names_on_disk(directory: Path) -> Iterator[str]:
    """The names of all archive files that are there, known or not."""
    for path in sorted(directory.glob("*/*/*.jsonl.gz")):
        yield path.relative_to(directory).as_posix()


def _write_lines(file: IO[bytes], head: Mapping[str, object], records: Iterable[str]) -> int:
    count = 0
    # Without name and time in it, the same records make the same file.
    with gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
        packed.write(f"{json.dumps(head)}\n".encode())
        for record in records:
            packed.write(f"{record}\n".encode())
            count += 1
        packed.write(f'{{"records": {count}}}\n'.encode())
    return count


def _records(lines: Iterable[str], name: str) -> Iterator[str]:
    earlier: str | None = None
    count = -1
    for line in lines:
        # The one before the last is known for a record only when there is another line.
        if count > 0 and earlier is not None:
            yield earlier
        earlier = line.rstrip("\n")
        count += 1
    if count < 1 or earlier != f'{{"records": {count - 1}}}':
        raise ArchiveDamaged(f"The archive file {name} breaks off after {max(count, 0)} lines.")


def _read_back(path: Path, count: int) -> Written:
    """Read the file as an auditor will: every record, and the digest of every byte."""
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
        found = sum(1 for _ in _records(file, path.name))
    if found != count:
        raise ArchiveDamaged(f"{path} has {found} records, {count} were written.")
    return Written(count, path.stat().st_size, _digest(path))


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_READ_BYTES):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def _created(path: Path) -> Iterator[IO[bytes]]:
    """A file of its owner's, that is on the disk when the block ends; never one that was there."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _make_folders(directory: Path, folder: Path) -> None:
    for path in (directory, *reversed(folder.relative_to(directory).parents), folder):
        whole = directory / path
        if not whole.is_dir():
            whole.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sync_folder(whole.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _explained(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ArchiveUnavailable(
            f"The archive in {directory} (OCHP_CHS_ARCHIVE_DIR) cannot be written: {error}"
        ) from error
