"""When what changed: see repository/changes.py."""

import sqlalchemy as sa

from ochp_chs.repository.tables.base import TIME, metadata

change_id = sa.Sequence("change_id", metadata=metadata, data_type=sa.BigInteger)

change = sa.Table(
    "change",
    metadata,
    # One row for each upload that changed something. The records carry its id, and this row
    # alone carries the time, written just before the commit: see repository/changes.py.
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("feed", sa.Text, nullable=False),
    sa.Column("changed_at", TIME, nullable=False),
    sa.CheckConstraint(
        "feed IN ('tokens', 'charge-points', 'tariffs', 'live-status')", name="feed"
    ),
    # Serves "the changes of this feed since": repository/delta.py.
    sa.Index(None, "feed", "changed_at", postgresql_include=["id"]),
)
