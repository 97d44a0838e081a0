"""What retention and erasure leave behind: archives, digests, runs, and who had what erased."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from ochp_chs.repository.tables.base import TIME, metadata

archive_file = sa.Table(
    "archive_file",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    # The UTC day that the records in it are of.
    sa.Column("day", sa.Date, nullable=False),
    # Below the archive's directory.
    sa.Column("name", sa.Text, nullable=False, unique=True),
    # While it is being written, its records are still in the database, and it counts for nothing.
    # Of one that is discarded, the row stays: CDRs were in it.
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("records", sa.Integer),
    sa.Column("bytes", sa.BigInteger),
    sa.Column("sha256", sa.Text),
    sa.Column("begun_at", TIME, nullable=False),
    sa.Column("done_at", TIME),
    # The file that this one stands in for, or a discarded one itself, until it is removed.
    sa.Column("replaces", sa.Text),
    sa.CheckConstraint("kind IN ('cdrs', 'messages', 'tariffs')", name="kind"),
    sa.CheckConstraint("state IN ('writing', 'done', 'discarded')", name="state"),
    sa.CheckConstraint(
        "state = 'writing' OR num_nulls(records, bytes, sha256, done_at) = 0", name="done"
    ),
)

cdr_digest = sa.Table(
    "cdr_digest",
    metadata,
    # CDRs whose content is not here as it was sent: archived and erased, or without personal
    # data. By this, a late repeat is known for one, and is not taken for a new CDR.
    sa.Column("key", sa.Text, primary_key=True),
    # Serves ConfirmCDRs, and the CDR-ID that an operator asks for.
    sa.Column("cdr_id", sa.Text, nullable=False, index=True),
    sa.Column("evse_key", sa.Text, nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    # Keyed digests of the payload that was sent first, and of the one that counted.
    sa.Column("first_digest", sa.LargeBinary, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    # NULL: the CDR is still in the database, without personal data.
    sa.Column("archive", sa.ForeignKey("archive_file.id")),
    sa.CheckConstraint("status IN ('approved', 'rejected')", name="status"),
)

retention_run = sa.Table(
    "retention_run",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("started_at", TIME, nullable=False),
    sa.Column("finished_at", TIME, nullable=False),
    sa.Column("node", sa.Text, nullable=False),
    # How many of what were archived, erased and pruned.
    sa.Column("counts", JSONB, nullable=False),
)

privacy_action = sa.Table(
    "privacy_action",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("at", TIME, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    # A keyed digest of the contract ID: tells whether it is a given one, and not which it is.
    sa.Column("subject", sa.LargeBinary, nullable=False, index=True),
    sa.Column("counts", JSONB, nullable=False),
    sa.CheckConstraint("action IN ('report', 'erase', 'erase-rest')", name="action"),
)

erasure_cdr = sa.Table(
    "erasure_cdr",
    metadata,
    # CDRs that were not final when their contract was erased; they follow when they are. Not a
    # foreign key: it would cost each archived CDR a look-up, and its migration a lock.
    sa.Column("cdr", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("action", sa.ForeignKey("privacy_action.id"), nullable=False),
)

erasure_token = sa.Table(
    "erasure_token",
    metadata,
    # Tokens of erased contracts that are withdrawn and still have to reach those who follow.
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("provider", sa.Text, primary_key=True),
    sa.Column("token_type", sa.Text, primary_key=True),
    sa.Column("representation", sa.Text, primary_key=True),
    sa.Column("action", sa.ForeignKey("privacy_action.id"), nullable=False),
    # The token's own: if it has another by then, its provider has sent it again.
    sa.Column("change_id", sa.BigInteger, nullable=False),
    sa.Column("due_at", TIME, nullable=False),
)
