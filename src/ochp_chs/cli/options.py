"""What the commands share: the data directory's option, and the way to the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from ochp_chs.config import Settings
from ochp_chs.repository.engine import Database

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        metavar="DIR",
        help="Where the embedded PostgreSQL keeps its data; see OCHP_CHS_DATA_DIR."
        " Not used with OCHP_CHS_DATABASE_URL.",
        show_default=False,
    ),
]


class CommandError(Exception):
    """A command cannot go on; the text is the one line that the operator gets to see."""


@contextmanager
def open_database(data_dir: Path | None = None) -> Iterator[Database]:
    """The database that the server uses too, with its schema as this release wants it.

    An embedded one is started if need be and migrated; one of the operator's own is not touched
    by a mere look: there, an old schema is an error. Raises CommandError, SettingsError,
    EmbeddedPostgresError, DatabaseUnavailable.
    """
    from ochp_chs.repository import migrate

    settings = Settings.load(data_dir=data_dir)
    with database_url(settings) as url:
        database = Database(url, pool_size=2)
        try:
            database.ping()
            with database.begin() as connection:
                current = migrate.current_revision(connection)
            if current != migrate.head_revision():
                if settings.database_url:
                    raise CommandError(_not_at_head(current, migrate.head_revision()))
                migrate.upgrade(url)
            yield database
        finally:
            database.dispose()


@contextmanager
def database_url(settings: Settings) -> Iterator[str]:
    """The URL of the operator's database, else of the embedded one, which runs in the block."""
    if settings.database_url:
        yield settings.database_url
        return
    from ochp_chs.serving.embedded_postgres import EmbeddedPostgres

    with EmbeddedPostgres(settings.data_dir) as postgres:
        yield postgres.url


def _not_at_head(current: str | None, head: str) -> str:
    if current is None:
        return "the database has no schema yet: run ochp-chs db upgrade"
    if current > head:
        return f"the database is at {current}, newer than this release ({head}): upgrade ochp-chs"
    return f"the database is at {current} and this release needs {head}: run ochp-chs db upgrade"
