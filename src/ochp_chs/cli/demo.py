"""``ochp-chs demo``: the server with demo partners, and a round trip that shows what it does."""

import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from ochp_chs.clearing.errors import DomainError
from ochp_chs.cli.options import CommandError, DataDir, database_url
from ochp_chs.cli.serve import Host, NoMigrate, Port, Threads, Workers
from ochp_chs.config import LogLevel, Settings

NoRoundTrip = Annotated[
    bool, typer.Option("--no-round-trip", help="Only add the demo partners, and serve.")
]


def demo(
    host: Host = None,
    port: Port = None,
    workers: Workers = None,
    threads: Threads = None,
    data_dir: DataDir = None,
    no_migrate: NoMigrate = False,
    no_round_trip: NoRoundTrip = False,
) -> None:
    """Serve with demo partners, after playing a round trip over SOAP. For trying, not for use."""
    from ochp_chs.serving.server import run

    settings = Settings.load(
        host=host, port=port, workers=workers, threads=threads, data_dir=data_dir
    )
    if "log_level" not in settings.model_fields_set:
        # A line for each request would bury the table.
        settings = settings.model_copy(update={"log_level": LogLevel.WARNING})
    # As in run(): until then a SIGTERM must stop PostgreSQL on its way out too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # The server joins the users of the embedded PostgreSQL, which need not start twice.
    with database_url(settings) as url:
        _load_partners(url, settings, apply_migrations=not no_migrate)
        run(
            settings,
            apply_migrations=not no_migrate,
            on_ready=_player(with_round_trip=not no_round_trip),
        )


def _load_partners(url: str, settings: Settings, *, apply_migrations: bool) -> None:
    from ochp_chs.clearing.passwords import Passwords
    from ochp_chs.demo.partners import load_partners
    from ochp_chs.repository import migrate
    from ochp_chs.repository.engine import Database

    database = Database(url, pool_size=1)
    try:
        database.ping()
        if apply_migrations:
            migrate.upgrade(url)
        own_database = settings.database_url is not None
        load_partners(database, Passwords(), only_among_themselves=own_database)
    except DomainError as error:
        raise CommandError(str(error)) from error
    finally:
        # The server forks: it must not inherit a connection.
        database.dispose()


def _player(*, with_round_trip: bool) -> Callable[[str], None]:
    """What plays the round trip once the server accepts connections, in a process of its own."""

    def start(address: str) -> None:
        command = [sys.executable, "-m", "ochp_chs.cli.player", address]
        process = subprocess.Popen(command if with_round_trip else [*command, "--no-round-trip"])
        # gunicorn's master takes note of its end; Python is not to wait for it.
        process.returncode = 0

    return start
