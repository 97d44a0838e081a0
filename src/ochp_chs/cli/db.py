"""``ochp-chs db``: the schema of the database that the server uses."""

import typer

from ochp_chs.cli.options import CommandError, DataDir, database_url
from ochp_chs.config import Settings
from ochp_chs.repository.engine import Database

_NAMED_MAX = 5

app = typer.Typer(no_args_is_help=True)


@app.command()
def upgrade(data_dir: DataDir = None) -> None:
    """Apply all missing migrations."""
    from ochp_chs.repository import migrate

    with database_url(Settings.load(data_dir=data_dir)) as url:
        Database(url, pool_size=1).ping()
        print(f"the database is at {migrate.upgrade(url)}")


@app.command()
def current(data_dir: DataDir = None) -> None:
    """Tell which migration the database is at, and which this release wants."""
    from ochp_chs.repository import migrate

    with database_url(Settings.load(data_dir=data_dir)) as url:
        database = Database(url, pool_size=1)
        database.ping()
        with database.begin() as connection:
            found = migrate.current_revision(connection)
        print(f"the database is at {found or 'no migration'}; newest: {migrate.head_revision()}")


@app.command()
def check(data_dir: DataDir = None) -> None:
    """Compare the database's schema with what this release expects; exit status 1 if it differs."""
    from ochp_chs.repository.schema import differences

    with database_url(Settings.load(data_dir=data_dir)) as url:
        database = Database(url, pool_size=1)
        database.ping()
        found = differences(database)
        if found:
            more = f"; and {len(found) - _NAMED_MAX} more" if len(found) > _NAMED_MAX else ""
            raise CommandError(f"the schema differs: {'; '.join(found[:_NAMED_MAX])}{more}")
        print("the schema is as this release expects it")
