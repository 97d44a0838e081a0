"""A person in archive files: found by reading them, taken out by writing them anew."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ochp_chs.clearing.privacy.cleaning import clean_line
from ochp_chs.clearing.privacy.subject import Subject
from ochp_chs.clearing.retention import files
from ochp_chs.clearing.retention.files import ArchiveDamaged
from ochp_chs.ochp.erasure import persons_in_line
from ochp_chs.repository import archives
from ochp_chs.repository.archives import ArchiveFile
from ochp_chs.repository.engine import Database

#: Tariffs are nobody's.
_PERSONAL = ("cdrs", "messages")


@dataclass(frozen=True, slots=True)
class FoundFile:
    """An archive file that names the person, and the records that do."""

    file: ArchiveFile
    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class Search:
    """What a look through the archive brought, and the files that could not be read."""

    subject: Subject
    found: Sequence[FoundFile]
    unreadable: Sequence[str]


def search(database: Database, directory: Path | None, subject: Subject) -> Search:
    """Look through all archive files: CDRs first, whose tokens the messages may name alone.

    Nothing is kept that would tell in which of them a person is, but the files themselves.
    """
    with database.begin() as connection:
        known = archives.list_files(connection)
    found: list[FoundFile] = []
    unreadable: list[str] = []
    for file in (file for kind in _PERSONAL for file in known if file.kind == kind):
        if directory is None:
            unreadable.append(file.name)
            continue
        try:
            files.check(directory, file.name, file.sha256)
            lines = [line for line in files.read(directory, file.name) if subject.is_in(line)]
        except ArchiveDamaged:
            unreadable.append(file.name)
            continue
        if lines:
            found.append(FoundFile(file, lines))
            subject = subject.with_persons(
                person for line in lines for person in persons_in_line(line)
            )
    return Search(subject, found, unreadable)


def rewrite(
    database: Database,
    directory: Path,
    found: FoundFile,
    subject: Subject,
    clock: Callable[[], datetime],
) -> int:
    """Put a file without the person in the place of this one; returns how many records changed.

    The old one is removed by `clear_leftovers`, at once or by the next run. The caller has the
    lock of retention.
    """
    old = found.file
    name = files.new_name(old.kind, old.day)
    with database.begin() as connection:
        begun = archives.begin_file(connection, old.kind, old.day, name, clock())
    changed = 0

    def lines() -> Iterator[str]:
        nonlocal changed
        for line in files.read(directory, old.name):
            cleaned = clean_line(line, subject)
            changed += cleaned is not None
            yield line if cleaned is None else cleaned

    with database.begin() as connection:
        written = files.write(directory, name, files.head_of(old.kind, old.day), lines())
        if written.records != old.records:
            raise ArchiveDamaged(
                f"The archive file {old.name} has {written.records} records and had {old.records}."
            )
        archives.supersede_file(connection, begun, old, size=written.bytes, sha256=written.sha256)
    return changed
