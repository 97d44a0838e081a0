"""``ochp-chs privacy``: what is stored about a contract, and erasing it."""

import os
import pwd
import sys
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from ochp_chs.clearing.privacy.erase import Erased, Erasure
from ochp_chs.clearing.privacy.report import Asker, Report, as_json
from ochp_chs.clearing.privacy.report import report as make_report
from ochp_chs.cli.options import CommandError, DataDir
from ochp_chs.cli.output import AsJson, print_details, print_json, print_table, working_database
from ochp_chs.cli.retention import secret_of
from ochp_chs.config import Settings

app = typer.Typer(no_args_is_help=True)

ContractId = Annotated[
    str, typer.Argument(metavar="CONTRACT-ID", help="The contract, with or without separators.")
]
By = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Who wants it, for the log, beside the system user.",
        show_default=False,
    ),
]
Reason = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT",
        help="Why, for the log, which is kept: a ticket's number, and nothing personal.",
        show_default=False,
    ),
]


@app.command()
def report(
    contract_id: ContractId,
    by: By = None,
    reason: Reason = None,
    data_dir: DataDir = None,
    as_json_: AsJson = False,
) -> None:
    """Tell everything that is stored about a contract; with --json, in full.

    That somebody asked is logged, what was found is not.
    """
    settings = Settings.load(data_dir=data_dir)
    with working_database(data_dir) as database:
        made = make_report(
            database,
            settings.archive_dir,
            secret_of(settings),
            _now,
            contract_id,
            Asker(_who(by), reason),
        )
    if as_json_:
        print_json(as_json(made))
    else:
        _print_report(made)


@app.command()
def erase(
    contract_id: ContractId,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    by: By = None,
    reason: Reason = None,
    data_dir: DataDir = None,
    as_json_: AsJson = False,
) -> None:
    """Take a contract and its tokens out of everything that is stored; sums and audit stay.

    CDRs that are not final lose them when they are; tokens are withdrawn first.
    """
    if not yes:
        if not sys.stdin.isatty():
            raise CommandError("to erase without being asked, say --yes")
        if not typer.confirm(f"Erase {contract_id} for good?"):
            raise CommandError("nothing was erased")
    settings = Settings.load(data_dir=data_dir)
    with working_database(data_dir) as database:
        erasure = Erasure(
            database,
            settings.archive_dir,
            secret_of(settings),
            _now,
            timedelta(days=settings.erasure_delivery_days),
        )
        erased = erasure.erase(contract_id, Asker(_who(by), reason))
    if as_json_:
        print_json(asdict(erased))
    else:
        _print_erased(erased, settings.erasure_delivery_days)
    if erased.archive_files_unreadable:
        raise CommandError(
            f"{len(erased.archive_files_unreadable)} archive files could not be read and were left"
            f" as they are: {', '.join(erased.archive_files_unreadable[:3])}. Run this again where"
            " OCHP_CHS_ARCHIVE_DIR has them."
        )


def _print_report(made: Report) -> None:
    stored = made.stored
    print_details({what.replace("_", " "): str(count) for what, count in made.counts.items()})
    if stored.tokens:
        print()
        print_table(
            ["token", "representation", "expires", "withdrawn"],
            [
                [
                    token.key[2],
                    token.key[3],
                    f"{token.expires_at:%Y-%m-%d %H:%M}Z",
                    "" if token.withdrawn_at is None else f"{token.withdrawn_at:%Y-%m-%d %H:%M}Z",
                ]
                for token in stored.tokens
            ],
            when_empty="",
        )
    if stored.cdrs:
        print()
        print_table(
            ["CDR-ID", "status", "versions", "taken in"],
            [
                [cdr["cdr_id"], cdr["status"], str(len(cdr["versions"])), cdr["accepted_at"]]
                for cdr in stored.cdrs
            ],
            when_empty="",
        )
    for day, url in made.endpoints:
        print(f"service endpoint: {url} for {day} is for this contract")
    for found in made.archive.found:
        print(f"archive: {len(found.lines)} records in {found.file.name}")
    for name in made.archive.unreadable:
        print(f"archive: {name} cannot be read")
    for action in made.actions:
        print(f"earlier: {action.action} {action.at:%Y-%m-%d %H:%M}Z by {action.by}")
    print("With --json, all of it is printed.")


def _print_erased(erased: Erased, delivery_days: int) -> None:
    print_details({what.replace("_", " "): str(count) for what, count in erased.counts.items()})
    if erased.cdrs_waiting:
        print(
            f"{erased.cdrs_waiting} CDRs are not final: each loses contract and token by itself as"
            " soon as it is approved or rejected."
        )
    if erased.tokens_waiting:
        print(
            f"{erased.tokens_waiting} tokens are withdrawn, and erased by themselves when all"
            f" partners had {delivery_days} days to hear of it."
        )


def _who(by: str | None) -> str:
    """Who is named, and the system user: not what the environment says, which anybody can set."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = f"user {os.getuid()}"
    return user if by is None else f"{by} ({user})"


def _now() -> datetime:
    return datetime.now(UTC)
