"""Tables as files: CSV, and XLSX for spreadsheets. Rows are written as they come, none is kept."""

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, Protocol

from ochp_chs.clearing.cdrs.export import Cell, Number
from ochp_chs.cli.options import CommandError


class Format(StrEnum):
    """The kinds of files there are."""

    CSV = "csv"
    XLSX = "xlsx"


class Sheet(Protocol):
    """Something that rows are written to."""

    def write(self, row: Sequence[Cell]) -> None:
        """Write the next row."""


#: A spreadsheet takes a CSV text that begins so for a formula, and runs it.
_FORMULA_SIGNS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_CONTROLS = ("\t", "\r", "\n")

_NUMBER = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE][+-]?[0-9]+)?")

# Spreadsheets calculate with binary doubles and show at most 15 digits: up to that many, what is
# shown is exactly what was sent.
_SPREADSHEET_DIGITS_MAX = 15
_SPREADSHEET_ROWS_MAX = 1 << 20
_SPREADSHEET_TEXT_MAX = 32_767


class CsvSheet:
    """Comma-separated values as in RFC 4180, except that lines end with a line feed alone."""

    def __init__(self, file: IO[str]) -> None:
        self._writer = csv.writer(file, lineterminator="\n")

    def write(self, row: Sequence[Cell]) -> None:
        """Write the next row: numbers as their text, texts so that none becomes a formula."""
        self._writer.writerow([_csv_text(cell) for cell in row])


def _csv_text(cell: Cell) -> str:
    if isinstance(cell, Number):
        # A number with a sign is a number everywhere, and the amount as it was sent.
        return cell.text if _NUMBER.fullmatch(cell.text) else _harmless(cell.text)
    return _harmless(cell)


def _harmless(text: str) -> str:
    if text.startswith(_CONTROLS) or text.lstrip().startswith(_FORMULA_SIGNS):
        return f"'{text}"
    return text


class XlsxSheet:
    """A workbook; what does not fit on one sheet goes on to the next one."""

    def __init__(self, path: Path, rows_dir: Path) -> None:
        import xlsxwriter

        self._book = xlsxwriter.Workbook(
            path,
            {
                # A row is on disk as soon as the next one comes, in `rows_dir` until close().
                "constant_memory": True,
                "tmpdir": str(rows_dir),
                "strings_to_formulas": False,
                "strings_to_urls": False,
            },
        )
        self._formats: dict[int, Any] = {}
        self._bold = self._book.add_format({"bold": True})
        self._head: Sequence[Cell] = ()
        self._sheet: Any = None
        self._next = 0

    def write(self, row: Sequence[Cell]) -> None:
        """Write the next row; the first one is the head of every sheet."""
        if not self._head:
            self._head = row
        elif self._next == _SPREADSHEET_ROWS_MAX:
            self._sheet = None
        if self._sheet is None:
            self._begin_sheet()
        if row is not self._head:
            for column, cell in enumerate(row):
                self._write_cell(column, cell)
            self._next += 1

    def close(self) -> None:
        """Put the file together."""
        from xlsxwriter.exceptions import XlsxFileError

        try:
            self._book.close()
        except XlsxFileError as error:
            raise OSError(str(error)) from error

    def _begin_sheet(self) -> None:
        self._sheet = self._book.add_worksheet()
        self._sheet.freeze_panes(1, 0)
        for column, cell in enumerate(self._head):
            self._sheet.write_string(0, column, str(cell), self._bold)
        self._next = 1

    def _write_cell(self, column: int, cell: Cell) -> None:
        text = cell.text if isinstance(cell, Number) else cell
        if not text:
            return
        decimals = _shown_decimals(text) if isinstance(cell, Number) else None
        if decimals is None:
            # A string cell is never evaluated, whatever it begins with.
            self._sheet.write_string(self._next, column, text[:_SPREADSHEET_TEXT_MAX])
        else:
            self._sheet.write_number(self._next, column, float(text), self._format(decimals))

    def _format(self, decimals: int) -> Any:
        if decimals not in self._formats:
            places = f".{'0' * decimals}" if decimals else ""
            self._formats[decimals] = self._book.add_format({"num_format": f"0{places}"})
        return self._formats[decimals]


def _shown_decimals(text: str) -> int | None:
    """The decimals of a number that a spreadsheet can show as it was sent; None: it cannot."""
    found = _NUMBER.fullmatch(text)
    if found is None or "e" in text.lower():
        return None
    sign, whole, decimals = found[1], found[2], found[3] or ""
    if sign == "+" or not whole or len(whole) + len(decimals) > _SPREADSHEET_DIGITS_MAX:
        return None
    # A leading zero, a bare point and the sign of nothing would be shown otherwise.
    minus_nothing = sign == "-" and not (whole + decimals).strip("0")
    if (len(whole) > 1 and whole[0] == "0") or text.endswith(".") or minus_nothing:
        return None
    return len(decimals)


@contextmanager
def open_sheet(kind: Format, path: Path) -> Iterator[Sheet]:
    """A file of this kind. It has its name when it is complete; CommandError if it cannot be."""
    try:
        # A folder of its own, for the library leaves files behind when something fails.
        with TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
            unfinished = Path(folder, path.name)
            if kind is Format.XLSX:
                with closing(XlsxSheet(unfinished, Path(folder))) as book:
                    yield book
            else:
                with unfinished.open("w", encoding="utf-8", newline="") as file:
                    yield CsvSheet(file)
            unfinished.replace(path)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror or error}") from error
