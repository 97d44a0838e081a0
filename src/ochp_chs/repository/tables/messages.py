"""The message log: what became of every upload."""

import sqlalchemy as sa

from ochp_chs.repository.tables.base import TIME, metadata

message = sa.Table(
    "message",
    metadata,
    # What became of every upload: the auditor's log, and the partner's.
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("reference", sa.Text, nullable=False, unique=True),
    sa.Column("partner_id", sa.ForeignKey("partner.id", ondelete="CASCADE"), nullable=False),
    sa.Column("operation", sa.Text, nullable=False),
    sa.Column("received_at", TIME, nullable=False),
    sa.Column("result", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("records_read", sa.Integer, nullable=False),
    sa.Column("records_refused", sa.Integer, nullable=False),
    sa.Column("records_repaired", sa.Integer, nullable=False),
    sa.Column("records_warned", sa.Integer, nullable=False),
    sa.Column("records_changed", sa.Integer, nullable=False),
    sa.Column("records_withdrawn", sa.Integer, nullable=False),
    sa.Index(None, "partner_id", "received_at"),
)

message_note = sa.Table(
    "message_note",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column(
        "message_id",
        sa.ForeignKey("message.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    # Serves the question what became of a record.
    sa.Column("record_id", sa.Text, nullable=False, index=True),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.CheckConstraint("kind IN ('refused', 'repaired', 'warning')", name="kind"),
)
