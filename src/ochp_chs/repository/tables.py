"""The tables of the clearing house. Every constraint has a name; ids never leave the database."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

_TIME = sa.TIMESTAMP(timezone=True)

partner = sa.Table(
    "partner",
    metadata,
    sa.Column("id", sa.Integer, sa.Identity(always=True), primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("reading", sa.Text, nullable=False, server_default="tolerant"),
    # An empty Set empties the list only for a partner who asked for it (PROTOCOL, "Results").
    sa.Column("empty_set_withdraws", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("cdrs_per_answer_max", sa.Integer),
    sa.Column("created_at", _TIME, nullable=False, server_default=sa.func.now()),
    sa.Column("disabled_at", _TIME),
    sa.CheckConstraint("reading IN ('tolerant', 'strict')", name="reading"),
    sa.CheckConstraint("cdrs_per_answer_max > 0", name="cdrs_per_answer_max"),
)

partner_role = sa.Table(
    "partner_role",
    metadata,
    sa.Column("partner_id", sa.ForeignKey("partner.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("role", sa.Text, primary_key=True),
    sa.CheckConstraint("role IN ('cpo', 'emp', 'nsp', 'pso')", name="role"),
)

partner_party = sa.Table(
    "partner_party",
    metadata,
    # In one role, an ID speaks for one partner only: it decides whose record a record is.
    sa.Column("role", sa.Text, primary_key=True),
    sa.Column("party_id", sa.Text, primary_key=True),
    sa.Column(
        "partner_id",
        sa.ForeignKey("partner.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    # The ID as the operator typed it, separators included, to show it again.
    sa.Column("shown_as", sa.Text, nullable=False),
    # Whoever polls for changes after this gets all that the ID has: it is new to them.
    sa.Column("granted_at", _TIME, nullable=False, server_default=sa.func.clock_timestamp()),
    sa.CheckConstraint("role IN ('cpo', 'emp', 'pso')", name="role"),
    sa.CheckConstraint("party_id ~ '^[A-Z]{2}[A-Z0-9]{3}$'", name="party_id"),
)

roaming_connection = sa.Table(
    "roaming_connection",
    metadata,
    # One row joins two partners, the smaller id first.
    sa.Column("low_partner_id", sa.ForeignKey("partner.id", ondelete="CASCADE"), primary_key=True),
    sa.Column(
        "high_partner_id",
        sa.ForeignKey("partner.id", ondelete="CASCADE"),
        primary_key=True,
        index=True,
    ),
    # What it is limited to; NULL: everything that the roles allow.
    sa.Column("carries", ARRAY(sa.Text)),
    # Whoever polls for changes after this gets all that the other side has: it is new to them.
    sa.Column("connected_at", _TIME, nullable=False, server_default=sa.func.clock_timestamp()),
    sa.CheckConstraint("low_partner_id < high_partner_id", name="order"),
    sa.CheckConstraint(
        "carries <@ ARRAY['tokens', 'token-lookup', 'cdrs', 'tariffs', 'charge-points',"
        " 'live-status', 'endpoints'] AND cardinality(carries) > 0",
        name="carries",
    ),
)

message = sa.Table(
    "message",
    metadata,
    # What became of every upload: the auditor's log, and the partner's.
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("reference", sa.Text, nullable=False, unique=True),
    sa.Column("partner_id", sa.ForeignKey("partner.id", ondelete="CASCADE"), nullable=False),
    sa.Column("operation", sa.Text, nullable=False),
    sa.Column("received_at", _TIME, nullable=False),
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
    sa.Column("record_id", sa.Text, nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.CheckConstraint("kind IN ('refused', 'repaired', 'warning')", name="kind"),
)

change_id = sa.Sequence("change_id", metadata=metadata, data_type=sa.BigInteger)

change = sa.Table(
    "change",
    metadata,
    # One row for each upload that changed something. The records carry its id, and this row
    # alone carries the time, written just before the commit: see repository/changes.py.
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("feed", sa.Text, nullable=False),
    sa.Column("changed_at", _TIME, nullable=False),
    sa.CheckConstraint(
        "feed IN ('tokens', 'charge-points', 'tariffs', 'live-status')", name="feed"
    ),
    # Serves "the changes of this feed since": repository/delta.py.
    sa.Index(None, "feed", "changed_at", postgresql_include=["id"]),
)

token = sa.Table(
    "token",
    metadata,
    # A token is known by provider, type, representation and instance; of the instance, the digest
    # is kept (ochp/records/token.py), which is what every look-up has in hand. It leads the key,
    # so that one index serves both.
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("provider", sa.Text, primary_key=True),
    sa.Column("token_type", sa.Text, primary_key=True),
    sa.Column("representation", sa.Text, primary_key=True),
    sa.Column("digest_sha160", sa.LargeBinary),
    sa.Column("contract_id", sa.Text, nullable=False),
    sa.Column("expires_at", _TIME, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("withdrawn_at", _TIME),
    # Not a foreign key: the change row is written after the records, and may be erased before
    # them when it is older than any delta that can be asked for.
    sa.Column("change_id", sa.BigInteger, nullable=False),
    # Serves look-ups by SHA-1 of plain tokens.
    sa.Index(
        "ix_token_digest_sha160",
        "digest_sha160",
        postgresql_where=sa.text("digest_sha160 IS NOT NULL"),
    ),
    # Serves full lists by its first column, deltas by both.
    sa.Index("ix_token_provider_change_id", "provider", "change_id"),
)
