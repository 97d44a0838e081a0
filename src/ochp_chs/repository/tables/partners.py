"""Partners, what they may speak for, and whom they are connected to."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from ochp_chs.repository.tables.base import TIME, metadata

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
    sa.Column("created_at", TIME, nullable=False, server_default=sa.func.now()),
    sa.Column("disabled_at", TIME),
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
    sa.Column("granted_at", TIME, nullable=False, server_default=sa.func.clock_timestamp()),
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
    sa.Column("connected_at", TIME, nullable=False, server_default=sa.func.clock_timestamp()),
    sa.CheckConstraint("low_partner_id < high_partner_id", name="order"),
    sa.CheckConstraint(
        "carries <@ ARRAY['tokens', 'token-lookup', 'cdrs', 'tariffs', 'charge-points',"
        " 'live-status', 'endpoints'] AND cardinality(carries) > 0",
        name="carries",
    ),
)
