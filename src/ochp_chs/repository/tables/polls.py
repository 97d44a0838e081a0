"""When partners last asked for what they follow: see metrics/polls.py."""

import sqlalchemy as sa

from ochp_chs.repository.tables.base import TIME, metadata

poll = sa.Table(
    "poll",
    metadata,
    # For monitoring alone: nothing that a partner is answered depends on it.
    sa.Column("partner_id", sa.ForeignKey("partner.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("feed", sa.Text, primary_key=True),
    sa.Column("polled_at", TIME, nullable=False),
    # A few hundred rows, updated all the time: room for the new versions on the same page.
    postgresql_with={"fillfactor": "50"},
)
