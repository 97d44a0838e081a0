"""The first schema."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

# The file's name is the revision: four digits and a word or two.
revision = "0001_initial"
down_revision = None


def upgrade() -> None:
    """Create everything."""
    op.execute(sa.schema.CreateSequence(sa.Sequence("change_id", data_type=sa.BigInteger)))
    op.create_table(
        "cdr",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("cdr_id", sa.Text(), nullable=False),
        sa.Column("evse_key", sa.Text(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("contract_key", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ends_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("status_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('accepted', 'revised', 'approved', 'declined', 'rejected')",
            name=op.f("ck_cdr_status"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cdr")),
        sa.UniqueConstraint("key", name=op.f("uq_cdr_key")),
    )
    op.create_index("ix_cdr_cdr_id", "cdr", ["cdr_id"], unique=False)
    op.create_index("ix_cdr_evse_key_starts_at", "cdr", ["evse_key", "starts_at"], unique=False)
    op.create_index("ix_cdr_operator_status_id", "cdr", ["operator", "status", "id"], unique=False)
    op.create_index("ix_cdr_provider_status_id", "cdr", ["provider", "status", "id"], unique=False)
    op.create_table(
        "change",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "feed IN ('tokens', 'charge-points', 'tariffs', 'live-status')",
            name=op.f("ck_change_feed"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change")),
    )
    op.create_index(
        op.f("ix_change_feed_changed_at"),
        "change",
        ["feed", "changed_at"],
        unique=False,
        postgresql_include=["id"],
    )
    op.create_table(
        "charge_point",
        sa.Column("evse_key", sa.Text(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("evse_id", sa.Text(), nullable=False),
        sa.Column("location_id", sa.Text(), nullable=False),
        sa.Column("timestamp", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("latitude", sa.Numeric(precision=8, scale=6), nullable=False),
        sa.Column("longitude", sa.Numeric(precision=9, scale=6), nullable=False),
        sa.Column("address_fingerprint", sa.BigInteger(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("status_schedule", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("parking_keys", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("connectors", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("charge_point_type", sa.Text(), nullable=False),
        sa.Column("maximum_power", sa.Numeric(), nullable=True),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("timestamp_from", sa.Integer(), nullable=False),
        sa.Column("timestamp_to", sa.Integer(), nullable=False),
        sa.Column("status_from", sa.Integer(), nullable=False),
        sa.Column("status_to", sa.Integer(), nullable=False),
        sa.Column("withdrawn_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("change_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "charge_point_type IN ('AC', 'DC')", name=op.f("ck_charge_point_charge_point_type")
        ),
        sa.CheckConstraint("latitude BETWEEN -90 AND 90", name=op.f("ck_charge_point_latitude")),
        sa.CheckConstraint(
            "longitude BETWEEN -180 AND 180", name=op.f("ck_charge_point_longitude")
        ),
        sa.PrimaryKeyConstraint("evse_key", name=op.f("pk_charge_point")),
    )
    op.create_index(
        "ix_charge_point_operator_change_id",
        "charge_point",
        ["operator", "change_id"],
        unique=False,
    )
    op.create_index(
        "ix_charge_point_operator_location_id",
        "charge_point",
        ["operator", "location_id"],
        unique=False,
    )
    op.create_index(
        "ix_charge_point_parking_keys",
        "charge_point",
        ["parking_keys"],
        unique=False,
        postgresql_using="gin",
        postgresql_where=sa.text("parking_keys IS NOT NULL"),
    )
    op.create_table(
        "live_status",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("major", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("change_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('evse', 'parking')", name=op.f("ck_live_status_kind")),
        sa.CheckConstraint(
            "major IN ('available', 'not-available', 'unknown')", name=op.f("ck_live_status_major")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_live_status")),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_index(
        "ix_live_status_operator_kind", "live_status", ["operator", "kind"], unique=False
    )
    op.create_table(
        "partner",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("reading", sa.Text(), server_default="tolerant", nullable=False),
        sa.Column(
            "empty_set_withdraws", sa.Boolean(), server_default=sa.text("false"), nullable=False
        ),
        sa.Column("cdrs_per_answer_max", sa.Integer(), nullable=True),
        sa.Column(
            "created_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("disabled_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("reading IN ('tolerant', 'strict')", name=op.f("ck_partner_reading")),
        sa.CheckConstraint("cdrs_per_answer_max > 0", name=op.f("ck_partner_cdrs_per_answer_max")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner")),
        sa.UniqueConstraint("name", name=op.f("uq_partner_name")),
    )
    op.create_table(
        "tariff",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("tariff_key", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("tariff_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("ends_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("given_from", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("given_until", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("change_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tariff")),
    )
    op.create_index(
        "uq_tariff_tariff_key_recipient",
        "tariff",
        ["tariff_key", "recipient"],
        unique=True,
        postgresql_where=sa.text("given_until IS NULL"),
    )
    op.create_index(
        "ix_tariff_tariff_key_recipient_given_from",
        "tariff",
        ["tariff_key", "recipient", "given_from"],
        unique=False,
    )
    op.create_index(
        "ix_tariff_operator",
        "tariff",
        ["operator"],
        unique=False,
        postgresql_where=sa.text("given_until IS NULL"),
    )
    op.create_index(
        "ix_tariff_operator_change_id", "tariff", ["operator", "change_id"], unique=False
    )
    op.create_table(
        "token",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("token_type", sa.Text(), nullable=False),
        sa.Column("representation", sa.Text(), nullable=False),
        sa.Column("digest_sha160", sa.LargeBinary(), nullable=True),
        sa.Column("contract_id", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("withdrawn_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("change_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "digest", "provider", "token_type", "representation", name=op.f("pk_token")
        ),
    )
    op.create_index(
        "ix_token_digest_sha160",
        "token",
        ["digest_sha160"],
        unique=False,
        postgresql_where=sa.text("digest_sha160 IS NOT NULL"),
    )
    op.create_index("ix_token_provider_change_id", "token", ["provider", "change_id"], unique=False)
    op.create_table(
        "cdr_step",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("cdr", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("from_status", sa.Text(), nullable=True),
        sa.Column("to_status", sa.Text(), nullable=False),
        sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "event IN ('submit', 'revise', 'reject', 'approve', 'decline')",
            name=op.f("ck_cdr_step_event"),
        ),
        sa.ForeignKeyConstraint(
            ["cdr"], ["cdr.id"], name=op.f("fk_cdr_step_cdr"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cdr_step")),
    )
    op.create_index(op.f("ix_cdr_step_cdr"), "cdr_step", ["cdr"], unique=False)
    op.create_table(
        "cdr_version",
        sa.Column("cdr", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("received_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cdr"], ["cdr.id"], name=op.f("fk_cdr_version_cdr"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("cdr", "version", name=op.f("pk_cdr_version")),
    )
    op.create_table(
        "cdr_warning",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("cdr", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cdr"], ["cdr.id"], name=op.f("fk_cdr_warning_cdr"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cdr_warning")),
    )
    op.create_index(op.f("ix_cdr_warning_cdr"), "cdr_warning", ["cdr"], unique=False)
    op.create_table(
        "message",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("partner_id", sa.Integer(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("received_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("records_read", sa.Integer(), nullable=False),
        sa.Column("records_refused", sa.Integer(), nullable=False),
        sa.Column("records_repaired", sa.Integer(), nullable=False),
        sa.Column("records_warned", sa.Integer(), nullable=False),
        sa.Column("records_changed", sa.Integer(), nullable=False),
        sa.Column("records_withdrawn", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partner.id"], name=op.f("fk_message_partner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("reference", name=op.f("uq_message_reference")),
    )
    op.create_index(
        op.f("ix_message_partner_id_received_at"),
        "message",
        ["partner_id", "received_at"],
        unique=False,
    )
    op.create_table(
        "partner_party",
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("partner_id", sa.Integer(), nullable=False),
        sa.Column("shown_as", sa.Text(), nullable=False),
        sa.Column(
            "granted_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "party_id ~ '^[A-Z]{2}[A-Z0-9]{3}$'", name=op.f("ck_partner_party_party_id")
        ),
        sa.CheckConstraint("role IN ('cpo', 'emp', 'pso')", name=op.f("ck_partner_party_role")),
        sa.ForeignKeyConstraint(
            ["partner_id"],
            ["partner.id"],
            name=op.f("fk_partner_party_partner_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("role", "party_id", name=op.f("pk_partner_party")),
    )
    op.create_index(
        op.f("ix_partner_party_partner_id"), "partner_party", ["partner_id"], unique=False
    )
    op.create_table(
        "partner_role",
        sa.Column("partner_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "role IN ('cpo', 'emp', 'nsp', 'pso')", name=op.f("ck_partner_role_role")
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"],
            ["partner.id"],
            name=op.f("fk_partner_role_partner_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("partner_id", "role", name=op.f("pk_partner_role")),
    )
    op.create_table(
        "roaming_connection",
        sa.Column("low_partner_id", sa.Integer(), nullable=False),
        sa.Column("high_partner_id", sa.Integer(), nullable=False),
        sa.Column("carries", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column(
            "connected_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "carries <@ ARRAY['tokens', 'token-lookup', 'cdrs', 'tariffs', 'charge-points', 'live-status', 'endpoints'] AND cardinality(carries) > 0",
            name=op.f("ck_roaming_connection_carries"),
        ),
        sa.CheckConstraint(
            "low_partner_id < high_partner_id", name=op.f("ck_roaming_connection_order")
        ),
        sa.ForeignKeyConstraint(
            ["high_partner_id"],
            ["partner.id"],
            name=op.f("fk_roaming_connection_high_partner_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["low_partner_id"],
            ["partner.id"],
            name=op.f("fk_roaming_connection_low_partner_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "low_partner_id", "high_partner_id", name=op.f("pk_roaming_connection")
        ),
    )
    op.create_index(
        op.f("ix_roaming_connection_high_partner_id"),
        "roaming_connection",
        ["high_partner_id"],
        unique=False,
    )
    op.create_table(
        "message_note",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('refused', 'repaired', 'warning')", name=op.f("ck_message_note_kind")
        ),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["message.id"],
            name=op.f("fk_message_note_message_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_note")),
    )
    op.create_index(
        op.f("ix_message_note_message_id"), "message_note", ["message_id"], unique=False
    )
    op.create_index(op.f("ix_message_note_record_id"), "message_note", ["record_id"], unique=False)
    op.create_table(
        "rule_override",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("low_partner_id", sa.Integer(), nullable=True),
        sa.Column("high_partner_id", sa.Integer(), nullable=True),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=True),
        sa.Column(
            "parameters",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
        ),
        sa.CheckConstraint(
            "severity IN ('reject', 'warn', 'off')", name=op.f("ck_rule_override_severity")
        ),
        sa.CheckConstraint(
            "(low_partner_id IS NULL) = (high_partner_id IS NULL)",
            name=op.f("ck_rule_override_scope"),
        ),
        sa.ForeignKeyConstraint(
            ["low_partner_id", "high_partner_id"],
            ["roaming_connection.low_partner_id", "roaming_connection.high_partner_id"],
            name="fk_rule_override_roaming_connection",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_override")),
        sa.UniqueConstraint(
            "low_partner_id",
            "high_partner_id",
            "rule",
            name="uq_rule_override_scope",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_table(
        "endpoint_token",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("partner_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["partner_id"],
            ["partner.id"],
            name=op.f("fk_endpoint_token_partner_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_endpoint_token")),
    )
    op.create_index(
        op.f("ix_endpoint_token_partner_id"), "endpoint_token", ["partner_id"], unique=False
    )
    op.create_table(
        "service_endpoint",
        sa.Column("token_digest", sa.LargeBinary(), nullable=False),
        sa.Column("valid_date", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("namespace_url", sa.Text(), nullable=False),
        sa.Column("party_ids", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('provider', 'operator')", name=op.f("ck_service_endpoint_kind")
        ),
        sa.ForeignKeyConstraint(
            ["token_digest"],
            ["endpoint_token.digest"],
            name=op.f("fk_service_endpoint_token_digest"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "token_digest",
            "valid_date",
            "kind",
            "url",
            "namespace_url",
            name=op.f("pk_service_endpoint"),
        ),
    )
    op.create_index(
        op.f("ix_service_endpoint_valid_date"), "service_endpoint", ["valid_date"], unique=False
    )
