"""What an operator asks about CDRs: lists, and the whole history of one."""

from collections.abc import Sequence
from dataclasses import dataclass

from ochp_chs.clearing.errors import DomainError, PartnerUnknown
from ochp_chs.ochp.identifiers import evse_key, is_evse_id
from ochp_chs.ochp.records.cdr import CdrStatus
from ochp_chs.ochp.roles import Role
from ochp_chs.repository import cdr_history
from ochp_chs.repository.cdr_digests import ArchivedCdr, list_archived
from ochp_chs.repository.cdr_history import CdrHistory, ListedCdr, LoggedNote, Wanted
from ochp_chs.repository.engine import Connection, Database
from ochp_chs.repository.partners import find_partner


class CdrUnknown(DomainError):
    """No message was ever about this CDR."""

    def __init__(self, cdr_id: str, evse_id: str | None) -> None:
        where = "" if evse_id is None else f" on the EVSE {evse_id}"
        super().__init__(f"There is no CDR with the ID {cdr_id!r}{where}.")


class CdrIsArchived(DomainError):
    """The CDR is not in the database any more, but in a file."""

    def __init__(self, archived: ArchivedCdr) -> None:
        where = (
            "the archive file it was in has been discarded"
            if archived.file is None
            else f"is archived in {archived.file}, below OCHP_CHS_ARCHIVE_DIR"
        )
        super().__init__(
            f"The CDR {archived.cdr_id} on the EVSE {archived.evse_key} was {archived.status} and"
            f" {where}."
        )


class EvseIdInvalid(DomainError):
    """The text is no EVSE-ID."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is not an EVSE-ID, such as DE*ABC*E1234*1.")


@dataclass(frozen=True, slots=True)
class Accounts:
    """All that is known of a CDR-ID: the CDRs that have it, and what was said of others."""

    cdrs: tuple[CdrHistory, ...]
    notes: Sequence[LoggedNote]


def wanted_cdrs(
    connection: Connection, status: CdrStatus | None = None, partner: str | None = None
) -> Wanted:
    """The CDRs in a status, and those that a partner sent or owns; PartnerUnknown."""
    if partner is None:
        return Wanted(status)
    found = find_partner(connection, partner)
    if found is None:
        raise PartnerUnknown(partner)
    return Wanted(status, found.party_ids(Role.CPO), found.party_ids(Role.EMP))


def list_cdrs(
    database: Database, status: CdrStatus | None, partner: str | None, rows_max: int
) -> Sequence[ListedCdr]:
    """The latest CDRs, the newest first; PartnerUnknown."""
    with database.begin() as connection:
        wanted = wanted_cdrs(connection, status, partner)
        return cdr_history.list_cdrs(connection, wanted, rows_max)


def get_accounts(database: Database, cdr_id: str, evse_id: str | None = None) -> Accounts:
    """Everything that happened to a CDR, refusals included.

    CdrUnknown, CdrIsArchived, EvseIdInvalid.

    With `evse_id`, CDRs on that EVSE alone; the log of refusals knows CDR-IDs only.
    """
    if evse_id is not None and not is_evse_id(evse_id):
        raise EvseIdInvalid(evse_id)
    key = None if evse_id is None else evse_key(evse_id)
    with database.snapshot() as connection:
        cdrs = cdr_history.find_histories(connection, cdr_id, key)
        notes = cdr_history.list_notes(connection, cdr_id)
        archived = [
            each
            for each in list_archived(connection, cdr_id)
            if key is None or each.evse_key == key
        ]
    if not cdrs and archived:
        raise CdrIsArchived(archived[0])
    if not cdrs and (evse_id is not None or not notes):
        raise CdrUnknown(cdr_id, evse_id)
    return Accounts(cdrs, notes)
