"""Alembic's environment: migrations run on the connection that ochp_chs.repository.migrate opens.

For ``alembic revision --autogenerate`` in a checkout, OCHP_CHS_DATABASE_URL names the database.
"""

import os

from alembic import context

from ochp_chs.repository.engine import Database
from ochp_chs.repository.tables import metadata


def run(connection: object) -> None:
    """Run what Alembic was asked for on this connection, inside its transaction."""
    context.configure(connection=connection, target_metadata=metadata)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with Database(os.environ["OCHP_CHS_DATABASE_URL"]).begin() as opened:
        run(opened)
