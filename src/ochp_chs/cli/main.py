"""The command ``ochp-chs``: one file per group of commands."""

import os
import sys

import typer

from ochp_chs.cli import cdr, db, demo, partner, privacy, retention, roaming, rule, serve, tariff
from ochp_chs.cli.options import CommandError
from ochp_chs.config import SettingsError
from ochp_chs.repository.engine import DatabaseUnavailable
from ochp_chs.serving.errors import ServingError

app = typer.Typer(
    help="The open clearing house for EV roaming: an OCHP 1.4 server.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("serve", epilog=serve.ENVIRONMENT)(serve.serve)
app.command("demo")(demo.demo)
app.add_typer(db.app, name="db", help="The database's schema: bring it up to date, look at it.")
app.add_typer(partner.app, name="partner", help="Who may log in, in which roles and for whom.")
app.add_typer(roaming.app, name="roaming", help="Who is connected to whom, and what flows.")
app.add_typer(cdr.app, name="cdr", help="CDRs: which there are, what became of one, tables.")
app.add_typer(rule.app, name="rule", help="How strict the plausibility rules for CDRs are.")
app.add_typer(tariff.app, name="tariff", help="Which tariffs are given out, and to whom.")
app.add_typer(retention.app, name="retention", help="What is archived, pruned and kept.")
app.add_typer(privacy.app, name="privacy", help="What is stored about a contract; erasing it.")


def main() -> None:
    """Run a command; what the operator can act on ends in one line, never in a traceback."""
    try:
        app()
    except (CommandError, SettingsError, DatabaseUnavailable, ServingError) as error:
        print(f"ochp-chs: {error}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        # The reader (head, less) had enough. Python would complain while flushing at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


if __name__ == "__main__":
    main()
