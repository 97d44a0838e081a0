"""How retention stands: what would be done, what was done, and whether the archive is whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from ochp_chs.clearing.retention import files
from ochp_chs.clearing.retention.files import ArchiveDamaged
from ochp_chs.clearing.retention.policy import KINDS, Policy
from ochp_chs.repository import archives, erasures
from ochp_chs.repository.archives import ArchiveFile, Run
from ochp_chs.repository.engine import Database


@dataclass(frozen=True, slots=True)
class KindStatus:
    """One kind of records: how long it is kept, what is old by now, and what is archived."""

    kind: str
    #: 0: for ever.
    days: int
    old: int
    oldest: date | None
    archived: int
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Status:
    """All kinds, the last run, and what is not as it should be."""

    kinds: Sequence[KindStatus]
    last_run: Run | None
    #: CDRs and tokens of erased contracts that have to wait.
    cdrs_to_erase: int
    tokens_to_erase: int
    #: Files that are missing or not what was written, each as a sentence.
    damaged: Sequence[str]
    #: Files that the database does not know of; their records may be in it, too.
    unknown: Sequence[str]


def status_of(database: Database, policy: Policy, now: datetime, *, verify: bool) -> Status:
    """How retention stands; with `verify`, every archive file is read."""
    with database.begin() as connection:
        last_run = archives.find_last_run(connection)
        known = archives.list_files(connection)
        leftovers = archives.list_leftovers(connection)
        cdrs, tokens = erasures.count_left(connection)
    return Status(
        old_records(database, policy, now, known),
        last_run,
        cdrs,
        tokens,
        _damaged(policy, known, verify=verify),
        _unknown(policy, {*leftovers, *(file.name for file in known)}),
    )


def old_records(
    database: Database, policy: Policy, now: datetime, known: Sequence[ArchiveFile] = ()
) -> Sequence[KindStatus]:
    """What a run would archive now, by kind, and what is archived in these files."""
    found = []
    for kind in KINDS:
        before = policy.horizon(kind, now)
        old, oldest = 0, None
        if before is not None:
            with database.begin() as connection:
                old, oldest = kind.count(connection, before)
        own = [file for file in known if file.kind == kind.name]
        found.append(
            KindStatus(
                kind.name,
                policy.days_of(kind),
                old,
                oldest,
                sum(file.records for file in own),
                len(own),
                sum(file.bytes for file in own),
            )
        )
    return found


def _damaged(policy: Policy, known: Sequence[ArchiveFile], *, verify: bool) -> list[str]:
    if policy.archive_dir is None:
        return []
    damaged = []
    for file in known:
        try:
            if verify:
                files.check(policy.archive_dir, file.name, file.sha256)
            elif not (policy.archive_dir / file.name).is_file():
                damaged.append(f"The archive file {policy.archive_dir / file.name} is missing.")
        except ArchiveDamaged as error:
            damaged.append(str(error))
    return damaged


def _unknown(policy: Policy, known: set[str]) -> list[str]:
    if policy.archive_dir is None:
        return []
    return [name for name in files.names_on_disk(policy.archive_dir) if name not in known]
