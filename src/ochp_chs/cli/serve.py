"""``ochp-chs serve``: the server, with its own PostgreSQL unless one is named."""

from typing import Annotated

import typer

from ochp_chs.cli.options import DataDir
from ochp_chs.config import Settings, variables

#: For the end of the help: every environment variable with its default.
ENVIRONMENT = "Environment variables (an option wins over its variable):\n\n" + "\n\n".join(
    f"{name}{f' (default {default})' if default else ''}: {description}"
    for name, default, description in variables()
)

Host = Annotated[
    str | None, typer.Option(help="Address to listen on; see OCHP_CHS_HOST.", show_default=False)
]
Port = Annotated[
    int | None, typer.Option(help="Port to listen on; see OCHP_CHS_PORT.", show_default=False)
]
Workers = Annotated[
    int | None, typer.Option(help="Server processes; see OCHP_CHS_WORKERS.", show_default=False)
]
Threads = Annotated[
    int | None,
    typer.Option(
        help="Requests at once in each process; see OCHP_CHS_THREADS.", show_default=False
    ),
]
NoMigrate = Annotated[
    bool, typer.Option("--no-migrate", help="Do not apply missing migrations first.")
]


def serve(
    host: Host = None,
    port: Port = None,
    workers: Workers = None,
    threads: Threads = None,
    data_dir: DataDir = None,
    no_migrate: NoMigrate = False,
) -> None:
    """Serve OCHP until SIGTERM or Ctrl-C, on embedded PostgreSQL or OCHP_CHS_DATABASE_URL."""
    from ochp_chs.serving.server import run

    settings = Settings.load(
        host=host, port=port, workers=workers, threads=threads, data_dir=data_dir
    )
    run(settings, apply_migrations=not no_migrate)
