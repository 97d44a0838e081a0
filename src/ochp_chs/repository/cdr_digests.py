"""What is kept of CDRs whose content is not here as it was sent: enough to know a repeat for one.

Without it, a CDR that is sent again after it was archived and erased would be taken in as new, and
paid twice.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ochp_chs.ochp.records.cdr import CdrStatus
from ochp_chs.repository.rows import rows_source
from ochp_chs.repository.tables import archive_file, cdr_digest


class CdrDigest(NamedTuple):
    """A final CDR, with keyed digests of its first payload and of the one that counted."""

    key: str
    cdr_id: str
    evse_key: str
    provider: str
    status: str
    first_digest: bytes
    digest: bytes


@dataclass(frozen=True, slots=True)
class ArchivedCdr:
    """Where the record of a CDR is that the database has no more; None: in no file either."""

    cdr_id: str
    evse_key: str
    status: CdrStatus
    file: str | None


def find_digests(connection: sa.Connection, keys: Collection[str]) -> dict[str, CdrDigest]:
    """What is kept of the CDRs of these keys. Served by pk_cdr_digest."""
    statement = sa.select(*[cdr_digest.c[name] for name in CdrDigest._fields]).where(
        cdr_digest.c.key == sa.any_(sa.literal(list(keys), sa.ARRAY(sa.Text)))
    )
    found: dict[str, CdrDigest] = {}
    for row in connection.execute(statement):
        kept = CdrDigest._make(row)
        found[kept.key] = kept._replace(
            first_digest=bytes(kept.first_digest), digest=bytes(kept.digest)
        )
    return found


def upsert_digests(
    connection: sa.Connection, digests: Sequence[CdrDigest], archive: int | None
) -> None:
    """Keep these; of one that is kept already, the digests are those of what was sent."""
    text, binary = sa.Text(), sa.LargeBinary()
    types = dict.fromkeys(CdrDigest._fields, text) | {"first_digest": binary, "digest": binary}
    columns = list(zip(*digests, strict=True))
    rows = rows_source(
        "kept",
        {name: (types[name], columns[at]) for at, name in enumerate(CdrDigest._fields)},
    )
    names = [*CdrDigest._fields, "archive"]
    statement = insert(cdr_digest).from_select(
        names,
        sa.select(*rows.c, sa.literal(archive, sa.BigInteger)),
    )
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["key"],
            set_={"status": statement.excluded.status, "archive": statement.excluded.archive},
        )
    )


def list_archived(connection: sa.Connection, cdr_id: str) -> Sequence[ArchivedCdr]:
    """The archived CDRs with this ID. Served by ix_cdr_digest_cdr_id."""
    columns = cdr_digest.c
    statement = (
        sa.select(
            columns.cdr_id,
            columns.evse_key,
            columns.status,
            sa.case((archive_file.c.state == "done", archive_file.c.name)),
        )
        .join_from(cdr_digest, archive_file, archive_file.c.id == columns.archive)
        .where(columns.cdr_id == cdr_id)
        .order_by(columns.key)
    )
    return [
        ArchivedCdr(found, evse_key, CdrStatus(status), name)
        for found, evse_key, status, name in connection.execute(statement)
    ]
