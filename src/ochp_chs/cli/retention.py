"""``ochp-chs retention``: archive what is old, prune what nobody needs; how that stands."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from ochp_chs.clearing.retention.policy import Policy
from ochp_chs.clearing.retention.run import Retention
from ochp_chs.clearing.retention.status import KindStatus, Status, old_records, status_of
from ochp_chs.clearing.vault import SecretUnavailable, Vault, vault_of
from ochp_chs.cli.options import CommandError, DataDir
from ochp_chs.cli.output import AsJson, print_details, print_json, print_table, working_database
from ochp_chs.config import Settings

app = typer.Typer(no_args_is_help=True)


@app.command()
def run(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would be archived.")
    ] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Archive what is old and prune what nobody needs, now; the server does so by itself."""
    settings = Settings.load(data_dir=data_dir)
    policy = Policy.of(settings)
    with working_database(data_dir) as database:
        if dry_run:
            kinds = old_records(database, policy, _now())
            if as_json:
                print_json({each.kind: each.old for each in kinds})
            else:
                print_table(_OLD, [_old(each) for each in kinds], when_empty="")
            return
        counts = Retention(database, policy, secret_of(settings), _now).run()
    if as_json:
        print_json(dict(counts))
    elif counts:
        print_details({what: str(count) for what, count in counts.items()})
    else:
        print("There was nothing to do.")


@app.command()
def status(
    verify: Annotated[
        bool, typer.Option("--verify", help="Read all archive files and compare their SHA-256.")
    ] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Tell how long what is kept, what was archived, and what is not as it should be.

    Exit status 1 if an archive file is missing or damaged.
    """
    settings = Settings.load(data_dir=data_dir)
    policy = Policy.of(settings)
    with working_database(data_dir) as database:
        found = status_of(database, policy, _now(), verify=verify)
    if as_json:
        print_json(_as_json(found))
    else:
        _print_status(found, policy)
    if found.damaged:
        raise CommandError(
            f"{len(found.damaged)} archive files are missing or damaged: {found.damaged[0]}"
        )


class Archived(StrEnum):
    """What is archived."""

    CDRS = "cdrs"
    MESSAGES = "messages"
    TARIFFS = "tariffs"


@app.command()
def discard(
    kind: Annotated[Archived, typer.Argument(help="What was archived.")],
    before: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Days before this one.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Remove archive files for good. Archived CDRs are still known as such, by their digests."""
    if not yes:
        if not sys.stdin.isatty():
            raise CommandError("to discard without being asked, say --yes")
        if not typer.confirm(f"Discard {kind} of all days before {before:%Y-%m-%d} for good?"):
            raise CommandError("nothing was discarded")
    settings = Settings.load(data_dir=data_dir)
    with working_database(data_dir) as database:
        retention = Retention(database, Policy.of(settings), secret_of(settings), _now)
        count, records = retention.discard(kind.value, before.date())
    print(f"{count} files with {records} records are gone")


def secret_of(settings: Settings) -> Vault:
    """The vault of the server's secret; CommandError if it cannot be read."""
    given = settings.secret_key
    vault = vault_of(None if given is None else given.get_secret_value(), settings.data_dir)
    try:
        # Asked for now: halfway through, it would be too late.
        vault.key_id  # noqa: B018
    except SecretUnavailable as error:
        raise CommandError(str(error)) from error
    return vault


def _now() -> datetime:
    return datetime.now(UTC)


def _as_json(status: Status) -> dict[str, object]:
    run = status.last_run
    return {
        "kinds": [
            asdict(each) | {"oldest": None if each.oldest is None else each.oldest.isoformat()}
            for each in status.kinds
        ],
        "last_run": run
        and {
            "started_at": run.started_at.isoformat(),
            "finished_at": run.finished_at.isoformat(),
            "node": run.node,
            "counts": dict(run.counts),
        },
        "cdrs_to_erase": status.cdrs_to_erase,
        "tokens_to_erase": status.tokens_to_erase,
        "damaged": list(status.damaged),
        "unknown": list(status.unknown),
    }


def _print_status(status: Status, policy: Policy) -> None:
    _print_kinds(status.kinds)
    run = status.last_run
    ended = "never" if run is None else f"{run.finished_at:%Y-%m-%d %H:%M:%S}Z on {run.node}"
    print_details(
        {
            "archive": str(policy.archive_dir or "none: OCHP_CHS_ARCHIVE_DIR is not set"),
            "last run": ended,
            "still to erase": f"{status.cdrs_to_erase} CDRs, {status.tokens_to_erase} tokens",
            "damaged files": "\n".join(status.damaged) or "none",
            "unknown files": "\n".join(status.unknown) or "none",
        }
    )


_OLD = ("kind", "kept", "old", "oldest")


def _old(kind: KindStatus) -> list[str]:
    return [
        kind.kind,
        f"{kind.days} days" if kind.days else "for ever",
        str(kind.old),
        "" if kind.oldest is None else kind.oldest.isoformat(),
    ]


def _print_kinds(kinds: Sequence[KindStatus]) -> None:
    rows = [[*_old(each), str(each.archived), str(each.files), str(each.bytes)] for each in kinds]
    print_table([*_OLD, "archived", "files", "bytes"], rows, when_empty="")
