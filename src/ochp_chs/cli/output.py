"""What the commands print: tables for people, JSON for programs, one line for an error."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ochp_chs.clearing.errors import DomainError
from ochp_chs.cli.options import CommandError, open_database
from ochp_chs.repository.engine import Database

if TYPE_CHECKING:
    from rich.table import Table

#: For a pipe, one row is one line, however long.
_WIDTH_WITHOUT_TERMINAL = 100_000

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@contextmanager
def working_database(data_dir: Path | None) -> Iterator[Database]:
    """The server's database; what the clearing house refuses in the block ends the command."""
    with open_database(data_dir) as database:
        try:
            yield database
        except DomainError as error:
            raise CommandError(str(error)) from error


def print_json(value: object) -> None:
    """Print one JSON document; times must be texts by now."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, when_empty: str) -> None:
    """Print rows under their columns, or the sentence that there are none."""
    if not rows:
        print(when_empty)
        return
    from rich import box
    from rich.table import Table

    table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    _print_rows(table, rows)


def print_details(details: Mapping[str, str]) -> None:
    """Print one thing as its names and values, a line each."""
    from rich.table import Table

    _print_rows(Table.grid("", "", padding=(0, 2, 0, 0)), list(details.items()))


def _print_rows(table: "Table", rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.text import Text

    for row in rows:
        # As text: what stands in brackets in a name is not a style.
        table.add_row(*(Text(cell, overflow="fold") for cell in row))
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDTH_WITHOUT_TERMINAL
    console.print(table)
