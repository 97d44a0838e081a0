"""``ochp-chs cdr``: which CDRs there are, what became of one of them, and tables of all."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from ochp_chs.clearing.cdrs import history
from ochp_chs.clearing.cdrs.content import parse_content
from ochp_chs.clearing.cdrs.export import Export, Row, exported
from ochp_chs.cli import cdr_history
from ochp_chs.cli.options import CommandError, DataDir
from ochp_chs.cli.output import AsJson, print_json, print_table, working_database
from ochp_chs.cli.sheets import CsvSheet, Format, Sheet, open_sheet
from ochp_chs.ochp.records.cdr import CdrStatus
from ochp_chs.repository.cdr_history import ListedCdr

app = typer.Typer(no_args_is_help=True)

Status = Annotated[
    CdrStatus | None,
    typer.Option("--status", help="Only CDRs in this status.", show_default=False),
]
PartnerName = Annotated[
    str | None,
    typer.Option(
        "--partner",
        metavar="NAME",
        help="Only CDRs that this partner sent, or whose contracts are its own.",
        show_default=False,
    ),
]


@app.command("list")
def list_(
    status: Status = None,
    partner: PartnerName = None,
    limit: Annotated[
        int, typer.Option(min=1, max=100_000, help="The largest number of CDRs.")
    ] = 50,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List CDRs, those that came last first."""
    with working_database(data_dir) as database:
        found = history.list_cdrs(database, status, partner, limit)
    if as_json:
        print_json([cdr_history.listed_as_json(each) for each in found])
        return
    print_table(
        ["CDR-ID", "EVSE-ID", "status", "since", "version", "from", "to", "total"],
        [_line(each) for each in found],
        when_empty="There are no such CDRs.",
    )
    if len(found) == limit:
        print(f"There may be more than these {limit}: see --limit, or ochp-chs cdr export.")


def _line(cdr: ListedCdr) -> list[str]:
    content = parse_content(cdr.payload)
    return [
        cdr.cdr_id,
        content.findtext("evseId") or "",
        cdr.status,
        cdr_history.moment(cdr.status_at),
        str(cdr.version),
        cdr.operator,
        cdr.provider,
        f"{content.findtext('totalCost') or '-'} {content.findtext('currency')}",
    ]


@app.command()
def show(
    cdr_id: Annotated[str, typer.Argument(metavar="CDR-ID", help="As it was sent.")],
    evse: Annotated[
        str | None,
        typer.Option(
            metavar="EVSE-ID",
            help="The CDR on this EVSE, where an older system uses one ID on several.",
            show_default=False,
        ),
    ] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show what happened to a CDR: versions, steps, warnings, and refusals with their reasons.

    A CDR that was never taken in has refusals only.
    """
    with working_database(data_dir) as database:
        accounts = history.get_accounts(database, cdr_id, evse)
    if as_json:
        print_json(cdr_history.accounts_as_json(cdr_id, accounts))
    else:
        cdr_history.print_accounts(cdr_id, accounts)


@app.command()
def export(
    kind: Annotated[Format, typer.Option("--format", help="The kind of file.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where to; without it, CSV goes to standard output.",
            show_default=False,
        ),
    ] = None,
    status: Status = None,
    partner: PartnerName = None,
    periods: Annotated[
        bool, typer.Option("--periods", help="One row per charging period, not per CDR.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Write CDRs to a table, the oldest first; amounts are the texts that were sent.

    In XLSX, an amount is a number with as many decimals as were sent where a spreadsheet can show
    it exactly (up to 15 digits), else a text.
    """
    if output is None and kind is Format.XLSX:
        raise CommandError("an XLSX file needs a name: --output FILE")
    with (
        working_database(data_dir) as database,
        exported(database, status, partner, by_period=periods) as table,
    ):
        if output is None:
            count = _write_all(CsvSheet(sys.stdout), table)
        else:
            with open_sheet(kind, output) as sheet:
                count = _write_all(sheet, table)
    if output is not None:
        print(f"{table.cdrs_count} CDRs in {count} rows are in {output}")


def _write_all(sheet: Sheet, table: Export) -> int:
    """Write head and rows, with a bar on standard error if a person looks; returns the rows."""
    sheet.write(table.columns)
    count = 0
    for rows in _with_progress(table.rows_by_cdr, table.cdrs_count):
        for row in rows:
            sheet.write(row)
        count += len(rows)
    return count


def _with_progress(rows_by_cdr: Iterable[list[Row]], cdrs_count: int) -> Iterator[list[Row]]:
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    yield from track(
        rows_by_cdr,
        "CDRs",
        total=cdrs_count,
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
