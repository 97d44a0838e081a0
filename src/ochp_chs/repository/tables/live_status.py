"""Live status of EVSEs and parking spots: the table that is written most."""

import sqlalchemy as sa

from ochp_chs.repository.tables.base import TIME, metadata

live_status = sa.Table(
    "live_status",
    metadata,
    # An EVSE's key has an E where a parking spot's has a P: one key for both kinds.
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("operator", sa.Text, nullable=False),
    # Of a parking spot: its status.
    sa.Column("major", sa.Text, nullable=False),
    # From then on the state is unknown; NULL: it holds until it is replaced.
    sa.Column("expires_at", TIME),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("change_id", sa.BigInteger, nullable=False),
    sa.CheckConstraint("kind IN ('evse', 'parking')", name="kind"),
    sa.CheckConstraint("major IN ('available', 'not-available', 'unknown')", name="major"),
    # Serves the answers to callers who see few of the operators. No index holds anything that an
    # update changes, and each page keeps room for new versions of its rows: so an update writes
    # one page and no index (HOT). An index on change_id or expires_at would halve the speed.
    sa.Index("ix_live_status_operator_kind", "operator", "kind"),
    postgresql_with={"fillfactor": "70"},
)
