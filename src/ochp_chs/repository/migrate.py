"""Bringing the schema to the newest migration, and telling where it stands.

Migrations are numbered, in one line, and the file's name is the revision: so the newest one is
known without importing Alembic, which the server process has no other use for.
"""

from pathlib import Path

import sqlalchemy as sa

import ochp_chs
from ochp_chs.repository.engine import Database

# Any number will do that nobody else uses in the same database.
_ADVISORY_LOCK = 0x0C48_C450
#: Another node may be migrating: wait for it about as long as a large index takes to build.
_OTHERS_WAIT_MS = 15 * 60_000
#: While a migration waits for a table's lock, everybody else queues up behind it: rather give up.
_LOCK_TIMEOUT_MS = 10_000
_STATEMENT_TIMEOUT_MS = 60 * 60_000


def migrations_dir() -> Path:
    """The folder of Alembic's environment: package data when installed, else the checkout's."""
    package = Path(ochp_chs.__file__).resolve().parent
    installed = package / "migrations"
    return installed if installed.is_dir() else package.parents[1] / "migrations"


def head_revision() -> str:
    """The newest revision that this release knows."""
    return max(path.stem for path in (migrations_dir() / "versions").glob("[0-9]*.py"))


def current_revision(connection: sa.Connection) -> str | None:
    """The revision that the database is at; None before the first migration."""
    if not connection.execute(sa.text("SELECT to_regclass('alembic_version')")).scalar():
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def upgrade(url: str, to: str = "head") -> str:
    """Apply the missing migrations in one transaction; returns the revision reached.

    Several nodes may call this at once: one migrates, the others wait and find nothing to do.
    """
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations_dir()).replace("%", "%%"))
    database = Database(url, pool_size=1, lock_timeout_ms=_OTHERS_WAIT_MS)
    try:
        with database.begin() as connection:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
            connection.exec_driver_sql(
                f"SET LOCAL lock_timeout = {_LOCK_TIMEOUT_MS};"
                f" SET LOCAL statement_timeout = {_STATEMENT_TIMEOUT_MS}"
            )
            config.attributes["connection"] = connection
            command.upgrade(config, to)
            return current_revision(connection) or ""
    finally:
        database.dispose()
