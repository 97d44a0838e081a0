import zipfile
from pathlib import Path

import pytest
from lxml import etree

from ochp_chs.clearing.cdrs.export import Cell, Number
from ochp_chs.cli import sheets
from ochp_chs.cli.options import CommandError
from ochp_chs.cli.sheets import Format, open_sheet


def csv_of(tmp_path: Path, *row: Cell) -> str:
    path = tmp_path / "table.csv"
    with open_sheet(Format.CSV, path) as sheet:
        sheet.write(row)
    return path.read_text(encoding="utf-8")


class TestCsv:
    @pytest.mark.parametrize(
        "text", ["=1", "+1", "-1", "@A1", "\t=1", "\r1", " =1", "\uff1d1", "\u00a0-1"]
    )
    def test_text_that_a_spreadsheet_would_run(self, tmp_path: Path, text: str) -> None:
        assert csv_of(tmp_path, text).strip('"\n').startswith("'")

    @pytest.mark.parametrize("text", ["DE*CPO*E1", "Müllerstraße 1-3", "", "a=b", "1@2"])
    def test_other_text_stays(self, tmp_path: Path, text: str) -> None:
        assert csv_of(tmp_path, text, "x") == f"{text},x\n"

    @pytest.mark.parametrize("text", ["+0.30", "-1", "1E-3", ".5", "3.00", "5."])
    def test_number_stays(self, tmp_path: Path, text: str) -> None:
        assert csv_of(tmp_path, Number(text), "x") == f"{text},x\n"

    def test_number_that_is_none(self, tmp_path: Path) -> None:
        assert csv_of(tmp_path, Number("+1+cmd"), "x") == "'+1+cmd,x\n"

    def test_quotes_and_lines(self, tmp_path: Path) -> None:
        assert csv_of(tmp_path, 'a "b",\nc') == '"a ""b"",\nc"\n'


def test_nothing_is_left_of_a_table_that_failed(tmp_path: Path) -> None:
    for kind in Format:
        path = tmp_path / f"table.{kind}"
        path.write_text("of last month")
        with pytest.raises(TypeError), open_sheet(kind, path) as sheet:
            sheet.write(None)  # type: ignore[arg-type]
        assert path.read_text() == "of last month"
    assert len(list(tmp_path.iterdir())) == len(Format)


def test_full_disk_is_one_line(tmp_path: Path) -> None:
    with (
        pytest.raises(CommandError, match="cannot be written"),
        open_sheet(Format.CSV, tmp_path / "table.csv"),
    ):
        raise OSError(28, "No space left on device")


def test_rows_go_on_on_the_next_sheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "_SPREADSHEET_ROWS_MAX", 3)
    path = tmp_path / "table.xlsx"
    with open_sheet(Format.XLSX, path) as sheet:
        for text in ("head", "1", "2", "3", "4", "5"):
            sheet.write([text])
    with zipfile.ZipFile(path) as book:
        found = [
            [str(e.text) for e in etree.fromstring(book.read(name)).iter("{*}t")]
            for name in sorted(book.namelist())
            if name.startswith("xl/worksheets/sheet")
        ]
    assert found == [["head", "1", "2"], ["head", "3", "4"], ["head", "5"]]


@pytest.mark.parametrize(
    ("text", "decimals"),
    [
        ("3", 0),
        ("3.00", 2),
        ("-0.5", 1),
        ("0.123456789012345", None),
        ("123456789012.345", 3),
        ("1234567890123.456", None),
        ("+3", None),
        ("03", None),
        ("3.", None),
        (".3", None),
        ("1E3", None),
        ("NaN", None),
        ("-0", None),
    ],
)
def test_numbers_that_a_spreadsheet_shows_as_they_are(text: str, decimals: int | None) -> None:
    assert sheets._shown_decimals(text) == decimals
