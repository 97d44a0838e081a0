"""${message}

Before this is merged:
- The previous release still runs while this is applied, and after it: add, backfill, then (a
  release later) remove.
- All of it runs in one transaction, which gives up after waiting 10 seconds for a lock: no long
  backfill of a large table here.
- Every constraint has the name that the naming convention of repository/tables.py gives it.
- Alembic compares neither check constraints nor sequences: `ochp-chs db check` does.
"""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}

# The file's name is the revision: four digits and a word or two.
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """${message}."""
    ${upgrades if upgrades else "pass"}
