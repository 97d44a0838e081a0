"""Archive files: there whole, or not at all."""

import gzip
import stat
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from ochp_chs.clearing.retention import files
from ochp_chs.clearing.retention.files import ArchiveDamaged, ArchiveUnavailable

DAY = date(2026, 1, 6)
HEAD = files.head_of("cdrs", DAY)


def written(directory: Path, *records: str) -> tuple[str, files.Written]:
    name = files.new_name("cdrs", DAY)
    return name, files.write(directory, name, HEAD, records)


@pytest.mark.parametrize("records", [(), ("{}",), ('{"a": "ü\\u0000"}', '{"b": "x\\ny"}', "{}")])
def test_what_is_written_is_read(tmp_path: Path, records: tuple[str, ...]) -> None:
    name, found = written(tmp_path / "new", *records)
    assert list(files.read(tmp_path / "new", name)) == list(records)
    assert found.records == len(records)
    files.check(tmp_path / "new", name, found.sha256)


def test_name_tells_kind_and_day_and_is_new() -> None:
    name = files.new_name("cdrs", DAY)
    assert name.startswith("cdrs/2026/cdrs-2026-01-06-")
    assert name != files.new_name("cdrs", DAY)


def test_same_records_make_the_same_file(tmp_path: Path) -> None:
    assert written(tmp_path, "{}")[1] == written(tmp_path, "{}")[1]


def test_others_cannot_read_it(tmp_path: Path) -> None:
    name, _ = written(tmp_path / "archive", "{}")
    path = tmp_path / "archive" / name
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_records_that_fail_leave_no_file_of_that_name(tmp_path: Path) -> None:
    def failing() -> Iterator[str]:
        yield "{}"
        raise RuntimeError("gone")

    name = files.new_name("cdrs", DAY)
    with pytest.raises(RuntimeError):
        files.write(tmp_path, name, HEAD, failing())
    assert list(files.names_on_disk(tmp_path)) == []
    files.remove(tmp_path, name)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.9])
def test_file_cut_off(tmp_path: Path, kept: float) -> None:
    name, found = written(tmp_path, *(f'{{"n": {n}}}' for n in range(100)))
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[: int(found.bytes * kept)])
    with pytest.raises(ArchiveDamaged):
        list(files.read(tmp_path, name))
    with pytest.raises(ArchiveDamaged, match="SHA-256"):
        files.check(tmp_path, name, found.sha256)


@pytest.mark.parametrize("gone", [1, 2])
def test_lines_missing(tmp_path: Path, gone: int) -> None:
    name, _ = written(tmp_path, "{}", "{}")
    path = tmp_path / name
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    path.write_bytes(gzip.compress(b"".join(lines[:-1][:-gone] + lines[-1:])))
    with pytest.raises(ArchiveDamaged, match="breaks off"):
        list(files.read(tmp_path, name))


def test_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ArchiveDamaged, match="cannot be read"):
        files.check(tmp_path, "cdrs/2026/x.jsonl.gz", "")
    files.remove(tmp_path, "cdrs/2026/x.jsonl.gz")


def test_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ArchiveUnavailable, match="OCHP_CHS_ARCHIVE_DIR"):
        written(tmp_path / "file", "{}")
