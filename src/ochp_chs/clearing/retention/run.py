"""One run of retention: finish erasures, archive, prune; step by step, each a short transaction."""

import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

import structlog

from ochp_chs.clearing.errors import DomainError, RetentionBusy
from ochp_chs.clearing.privacy.rest import erase_rest
from ochp_chs.clearing.retention import files
from ochp_chs.clearing.retention.files import ArchiveUnavailable
from ochp_chs.clearing.retention.leftovers import clear_leftovers
from ochp_chs.clearing.retention.policy import KINDS, Policy
from ochp_chs.clearing.vault import Vault
from ochp_chs.repository import archives, pruning
from ochp_chs.repository.archives import Run
from ochp_chs.repository.cdr_digests import CdrDigest, upsert_digests
from ochp_chs.repository.engine import Connection, Database
from ochp_chs.repository.outdated import CDRS, Kind

log = structlog.get_logger(__name__)

#: After a step, others have the database for this share of the time that the step took.
_PAUSE_SHARE = 0.5
_PAUSE_S_MAX = 2.0
#: Runs are logged for so long.
_RUNS_KEPT = timedelta(days=400)

#: What was done, and how often: the steps of a run, each after its commit.
Steps = Iterator[tuple[str, int]]


class RunInterrupted(DomainError):
    """Somebody else has cleared away what this run was writing; nothing is lost."""


@dataclass(frozen=True, slots=True)
class Retention:
    """All that a run works with."""

    database: Database
    policy: Policy
    vault: Vault
    clock: Callable[[], datetime]

    def run_if_due(self) -> Mapping[str, int] | None:
        """Run unless somebody does, or did a short while ago; what was done, None: nothing."""
        try:
            counts = self._run(only_if_due=True)
        except RetentionBusy:
            return None
        if counts:
            log.info("retention done", **counts)
        return counts

    def run(self) -> Mapping[str, int]:
        """Run now; RetentionBusy, ArchiveUnavailable, ArchiveDamaged."""
        return self._run(only_if_due=False) or {}

    def discard(self, kind: str, before: date) -> tuple[int, int]:
        """Remove archive files of days before this one; how many, and records in them.

        RetentionBusy, ArchiveUnavailable.
        """
        if self.policy.archive_dir is None:
            raise ArchiveUnavailable("There is no archive: OCHP_CHS_ARCHIVE_DIR is not set.")
        with self.database.begin() as guard:
            if not archives.try_lock(guard):
                raise RetentionBusy
            started = self.clock()
            with self.database.begin() as connection:
                discarded = archives.discard_files(connection, kind, before)
                counts = {f"discarded_{kind}": discarded[1]}
                run = Run(started, self.clock(), socket.gethostname(), counts)
                archives.insert_run(connection, run, _RUNS_KEPT)
            # What is committed is removed by the next run, should this process die here.
            clear_leftovers(self.database, self.policy.archive_dir)
        return discarded

    def _run(self, *, only_if_due: bool) -> Mapping[str, int] | None:
        with self.database.begin() as guard:
            # PostgreSQL lets go of the lock when this transaction ends, however that happens.
            if not archives.try_lock(guard):
                raise RetentionBusy
            started = self.clock()
            if only_if_due and not self._is_due(started):
                return None
            done: Counter[str] = Counter()
            began = time.monotonic()
            for what, count in self._steps(started):
                done[what] += count
                archives.keep_lock(guard)
                took = time.monotonic() - began
                time.sleep(min(took * _PAUSE_SHARE, _PAUSE_S_MAX))
                began = time.monotonic()
            counts = {what: count for what, count in done.items() if count}
            run = Run(started, self.clock(), socket.gethostname(), counts)
            with self.database.begin() as connection:
                archives.insert_run(connection, run, _RUNS_KEPT)
        return counts

    def _is_due(self, now: datetime) -> bool:
        with self.database.begin() as connection:
            last = archives.find_last_run(connection)
        return last is None or abs(now - last.started_at) >= timedelta(
            seconds=self.policy.interval_s
        )

    def _steps(self, now: datetime) -> Steps:
        yield from erase_rest(self.database, self.vault, now)
        if self.policy.archive_dir is not None:
            clear_leftovers(self.database, self.policy.archive_dir)
            for kind in KINDS:
                before = self.policy.horizon(kind, now)
                if before is not None:
                    yield from self._archive(self.policy.archive_dir, kind, before)
        yield from self._prune(now)

    def _archive(self, directory: Path, kind: Kind, before: datetime) -> Steps:
        last_id = 0
        while True:
            with self.database.begin() as connection:
                page = kind.find_page(connection, last_id, before)
            if page is None:
                return
            for day, ids in page.old:
                part = _Part(self.database, directory, kind, self.vault)
                yield kind.name, part.archive(day, ids, self.clock)
            last_id = page.last_id

    def _prune(self, now: datetime) -> Steps:
        for feed in pruning.FOLLOWED:
            prune = partial(pruning.prune_changes, feed=feed)
            yield from self._repeat("changes", prune)
        before = self.policy.live_status_horizon(now)
        if before is not None:
            prune = partial(pruning.prune_live_status, before=before)
            yield from self._repeat("live_states", prune)

    def _repeat(self, what: str, prune: Callable[[Connection], int]) -> Steps:
        while True:
            with self.database.begin() as connection:
                count = prune(connection)
            yield what, count
            if count < pruning.BATCH_ROWS:
                return


@dataclass(frozen=True, slots=True)
class _Part:
    """Some records of one day, on their way into one file."""

    database: Database
    directory: Path
    kind: Kind
    vault: Vault

    def archive(self, day: date, ids: Sequence[int], clock: Callable[[], datetime]) -> int:
        """Write the file and erase its records; returns how many that were."""
        name = files.new_name(self.kind.name, day)
        # Announced before it is begun: what a crash leaves behind is known by its name.
        with self.database.begin() as connection:
            identifier = archives.begin_file(connection, self.kind.name, day, name, clock())
        with self.database.begin() as connection:
            if not archives.lock_begun(connection, identifier):
                raise RunInterrupted(f"The archive file {name} is not to be written any more.")
            digests: list[CdrDigest] = []
            head = files.head_of(self.kind.name, day)
            written = files.write(self.directory, name, head, self._lines(connection, ids, digests))
            erased = self.kind.erase(connection, ids)
            if erased != len(ids) or (self.kind is CDRS and len(digests) != len(ids)):
                raise RunInterrupted(
                    f"{len(ids)} {self.kind.name} of {day} were to be archived in {name}, and"
                    f" {erased} were there to be erased: nothing was."
                )
            if digests:
                upsert_digests(connection, digests, identifier)
            archives.finish_file(
                connection,
                identifier,
                records=written.records,
                size=written.bytes,
                sha256=written.sha256,
                at=clock(),
            )
        return erased

    def _lines(
        self, connection: Connection, ids: Sequence[int], digests: list[CdrDigest]
    ) -> Iterator[str]:
        digest = self.vault.digest
        for line in self.kind.lines(connection, ids):
            if line.kept is not None:
                first, last = line.kept[-2:]
                digests.append(CdrDigest._make((*line.kept[:-2], digest(first), digest(last))))
            yield line.text
