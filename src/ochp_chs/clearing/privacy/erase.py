"""Erasing a person: token and contract go, sums and audit stay (docs/retention.md)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from ochp_chs.clearing.errors import RetentionBusy
from ochp_chs.clearing.privacy import archived
from ochp_chs.clearing.privacy.cleaning import erase_cdrs, erase_from_log
from ochp_chs.clearing.privacy.report import Asker, Stored, look_up
from ochp_chs.clearing.privacy.subject import Subject
from ochp_chs.clearing.retention.leftovers import clear_leftovers
from ochp_chs.clearing.vault import Vault
from ochp_chs.repository import archives, changes, erasures, personal
from ochp_chs.repository.engine import Connection, Database
from ochp_chs.repository.erasures import Action
from ochp_chs.repository.merge import lock_uploads
from ochp_chs.repository.personal import StoredToken
from ochp_chs.repository.tokens import TOKENS

#: Second key of the uploads' lock where a provider is nobody's.
_NOBODY = 0


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased, and what has to wait."""

    tokens: int
    #: Withdrawn, and erased when those who follow have had the time to hear of it.
    tokens_waiting: int
    cdrs: int
    #: Not final: each is erased when it is.
    cdrs_waiting: int
    log_texts: int
    archive_files: int
    archived_records: int
    archive_files_unreadable: Sequence[str]

    @property
    def counts(self) -> dict[str, int]:
        """For the log."""
        return {
            "tokens": self.tokens,
            "tokens_waiting": self.tokens_waiting,
            "cdrs": self.cdrs,
            "cdrs_waiting": self.cdrs_waiting,
            "log_texts": self.log_texts,
            "archive_files": self.archive_files,
            "archived_records": self.archived_records,
            "archive_files_unreadable": len(self.archive_files_unreadable),
        }


@dataclass(frozen=True, slots=True)
class Erasure:
    """All that erasing works with; tokens are kept for `delivery` after they were withdrawn."""

    database: Database
    archive_dir: Path | None
    vault: Vault
    clock: Callable[[], datetime]
    delivery: timedelta

    def erase(self, contract_id: str, asker: Asker) -> Erased:
        """Erase all that may be erased now; ContractIdInvalid, RetentionBusy, ArchiveUnavailable.

        To be repeated after any failure: what was done stays done, and nothing is done by halves.
        """
        subject = Subject.of(contract_id)
        with self.database.begin() as guard:
            if not archives.try_lock(guard):
                raise RetentionBusy
            with self.database.begin() as connection:
                stored = look_up(connection, subject)
            # The archive before the database: by what the database has, its records are found.
            search = archived.search(self.database, self.archive_dir, stored.subject)
            records = self._erase_from_archive(search)
            with self.database.begin() as connection:
                return self._erase(connection, search, records, asker)

    def _erase_from_archive(self, search: archived.Search) -> int:
        if self.archive_dir is None:
            return 0
        clear_leftovers(self.database, self.archive_dir)
        records = sum(
            archived.rewrite(self.database, self.archive_dir, found, search.subject, self.clock)
            for found in search.found
        )
        clear_leftovers(self.database, self.archive_dir)
        return records

    def _erase(
        self, connection: Connection, search: archived.Search, records: int, asker: Asker
    ) -> Erased:
        """All of the database's part at once."""
        subject = search.subject
        # Its provider's uploads wait: none brings back a token in the middle of this.
        owner = erasures.find_owner(connection, subject.provider)
        change_id = lock_uploads(connection, TOKENS, _NOBODY if owner is None else owner)
        stored = look_up(connection, subject)
        now = self.clock()
        active, waiting, gone = self._sorted(stored, now)
        ids = [identifier for identifier, _ in personal.list_cdrs(connection, subject.contract)]
        final = personal.lock_final(connection, ids)
        left = sorted(set(ids) - set(final))
        erased = Erased(
            tokens=len(gone),
            tokens_waiting=len(active) + len(waiting),
            cdrs=erase_cdrs(connection, self.vault, stored.subject, final),
            cdrs_waiting=len(left),
            log_texts=erase_from_log(connection, stored.subject, stored.cdr_ids),
            archive_files=len(search.found),
            archived_records=records,
            archive_files_unreadable=search.unreadable,
        )
        action = erasures.insert_action(
            connection,
            Action(now, "erase", asker.by, asker.reason, erased.counts),
            subject.digest(self.vault),
        )
        if left:
            erasures.erase_cdrs_later(connection, left, action)
        if gone:
            erasures.delete_tokens(connection, gone)
        if active:
            erasures.withdraw_tokens(connection, active, change_id, now)
            erasures.delete_later(connection, active, action, now + self.delivery)
        for token in waiting:
            due_at = (token.changed_at or now) + self.delivery
            erasures.delete_later(connection, [token], action, due_at)
        if active or waiting:
            erasures.drop_printed_numbers(connection, [*active, *waiting])
        if active:
            changes.publish(connection, TOKENS, change_id)
        return erased

    def _sorted(
        self, stored: Stored, now: datetime
    ) -> tuple[list[StoredToken], list[StoredToken], list[StoredToken]]:
        """Tokens that let somebody in; those that lately ceased to; those that long have."""
        active: list[StoredToken] = []
        waiting: list[StoredToken] = []
        gone: list[StoredToken] = []
        for token in stored.tokens:
            if token.withdrawn_at is None and token.expires_at > now:
                active.append(token)
            elif token.changed_at is not None and token.changed_at + self.delivery > now:
                waiting.append(token)
            else:
                gone.append(token)
        return active, waiting, gone
