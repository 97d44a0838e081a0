"""CDRs: where each stands, every version of its content, every step it took, and why."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from ochp_chs.repository.tables.base import TIME, metadata

cdr = sa.Table(
    "cdr",
    metadata,
    # Ids go up in the order of arrival: downloads are ordered by them, the oldest first.
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    # What makes a CDR the same CDR: see clearing/cdrs/submission.py.
    sa.Column("key", sa.Text, nullable=False, unique=True),
    sa.Column("cdr_id", sa.Text, nullable=False),
    sa.Column("evse_key", sa.Text, nullable=False),
    sa.Column("operator", sa.Text, nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("contract_key", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    # Of the version that counts.
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("starts_at", TIME, nullable=False),
    sa.Column("ends_at", TIME, nullable=False),
    sa.Column("accepted_at", TIME, nullable=False),
    sa.Column("status_at", TIME, nullable=False),
    sa.CheckConstraint(
        "status IN ('accepted', 'revised', 'approved', 'declined', 'rejected')", name="status"
    ),
    # Serves GetCDRs, oldest first.
    sa.Index("ix_cdr_provider_status_id", "provider", "status", "id"),
    # Serves CheckCDRs, oldest first.
    sa.Index("ix_cdr_operator_status_id", "operator", "status", "id"),
    # Serves ConfirmCDRs, and the CDR-ID that an operator asks for.
    sa.Index("ix_cdr_cdr_id", "cdr_id"),
    # Serves the search for other sessions on the same EVSE.
    sa.Index("ix_cdr_evse_key_starts_at", "evse_key", "starts_at"),
)

cdr_version = sa.Table(
    "cdr_version",
    metadata,
    sa.Column("cdr", sa.ForeignKey("cdr.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    # The record without its status, which is the clearing house's to set.
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("received_at", TIME, nullable=False),
    # Not foreign keys: this outlives partners and the message log.
    sa.Column("partner", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
)

cdr_step = sa.Table(
    "cdr_step",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("cdr", sa.ForeignKey("cdr.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("from_status", sa.Text),
    sa.Column("to_status", sa.Text, nullable=False),
    sa.Column("at", TIME, nullable=False),
    sa.Column("partner", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.CheckConstraint(
        "event IN ('submit', 'revise', 'reject', 'approve', 'decline')", name="event"
    ),
)

cdr_warning = sa.Table(
    "cdr_warning",
    metadata,
    # What the rules said of a version that was taken all the same.
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("cdr", sa.ForeignKey("cdr.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
)

rule_override = sa.Table(
    "rule_override",
    metadata,
    sa.Column("id", sa.Integer, sa.Identity(always=True), primary_key=True),
    # The roaming connection it is for; both NULL: for everybody.
    sa.Column("low_partner_id", sa.Integer),
    sa.Column("high_partner_id", sa.Integer),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("severity", sa.Text),
    # Numbers as text, so that a decimal stays what it is.
    sa.Column("parameters", JSONB, nullable=False, server_default="{}"),
    sa.ForeignKeyConstraint(
        ["low_partner_id", "high_partner_id"],
        ["roaming_connection.low_partner_id", "roaming_connection.high_partner_id"],
        name="fk_rule_override_roaming_connection",
        ondelete="CASCADE",
    ),
    sa.UniqueConstraint(
        "low_partner_id",
        "high_partner_id",
        "rule",
        name="uq_rule_override_scope",
        postgresql_nulls_not_distinct=True,
    ),
    sa.CheckConstraint("severity IN ('reject', 'warn', 'off')", name="severity"),
    sa.CheckConstraint("(low_partner_id IS NULL) = (high_partner_id IS NULL)", name="scope"),
)
