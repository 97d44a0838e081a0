"""When partners last asked for what they follow.

A new table, which the previous release does not know: it runs on while this is applied. The key
into the table of partners takes a short lock on it, for which the lock timeout holds.
"""

import sqlalchemy as sa
from alembic import op

# The file's name is the revision: four digits and a word or two.
revision = "0003_polls"
down_revision = "0002_retention"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "poll",
        sa.Column("partner_id", sa.Integer(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("polled_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partner.id"], name=op.f("fk_poll_partner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("partner_id", "feed", name=op.f("pk_poll")),
        postgresql_with={"fillfactor": "50"},
    )
