"""Archives, digests of CDRs that are gone, runs of retention, and erasures.

Only new tables: the previous release runs on while this is applied and after it, and no table that
is there already is locked, scanned or indexed. The large ones need no index for retention, which
goes through them in the order of their ids, or for privacy, which looks up a provider's records.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

# The file's name is the revision: four digits and a word or two.
revision = "0002_retention"
down_revision = "0001_initial"

_TIME = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Create what retention and erasure leave behind."""
    op.create_table(
        "archive_file",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("records", sa.Integer(), nullable=True),
        sa.Column("bytes", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("begun_at", _TIME, nullable=False),
        sa.Column("done_at", _TIME, nullable=True),
        sa.Column("replaces", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('cdrs', 'messages', 'tariffs')", name=op.f("ck_archive_file_kind")
        ),
        sa.CheckConstraint(
            "state IN ('writing', 'done', 'discarded')", name=op.f("ck_archive_file_state")
        ),
        sa.CheckConstraint(
            "state = 'writing' OR num_nulls(records, bytes, sha256, done_at) = 0",
            name=op.f("ck_archive_file_done"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_file")),
        sa.UniqueConstraint("name", name=op.f("uq_archive_file_name")),
    )
    op.create_table(
        "cdr_digest",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("cdr_id", sa.Text(), nullable=False),
        sa.Column("evse_key", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("first_digest", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("archive", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("status IN ('approved', 'rejected')", name=op.f("ck_cdr_digest_status")),
        sa.ForeignKeyConstraint(
            ["archive"], ["archive_file.id"], name=op.f("fk_cdr_digest_archive")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_cdr_digest")),
    )
    op.create_index(op.f("ix_cdr_digest_cdr_id"), "cdr_digest", ["cdr_id"], unique=False)
    op.create_table(
        "retention_run",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("started_at", _TIME, nullable=False),
        sa.Column("finished_at", _TIME, nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retention_run")),
    )
    op.create_table(
        "privacy_action",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint(
            "action IN ('report', 'erase', 'erase-rest')", name=op.f("ck_privacy_action_action")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_privacy_action")),
    )
    op.create_index(op.f("ix_privacy_action_subject"), "privacy_action", ["subject"], unique=False)
    op.create_table(
        "erasure_cdr",
        sa.Column("cdr", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("action", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["action"], ["privacy_action.id"], name=op.f("fk_erasure_cdr_action")
        ),
        sa.PrimaryKeyConstraint("cdr", name=op.f("pk_erasure_cdr")),
    )
    op.create_table(
        "erasure_token",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("token_type", sa.Text(), nullable=False),
        sa.Column("representation", sa.Text(), nullable=False),
        sa.Column("action", sa.BigInteger(), nullable=False),
        sa.Column("change_id", sa.BigInteger(), nullable=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["action"], ["privacy_action.id"], name=op.f("fk_erasure_token_action")
        ),
        sa.PrimaryKeyConstraint(
            "digest", "provider", "token_type", "representation", name=op.f("pk_erasure_token")
        ),
    )
