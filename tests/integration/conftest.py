"""What several integration tests need."""

import io
import sys

import pytest

from ochp_chs.cli import main
from ochp_chs.repository.engine import Database
from tests.support.commands import Finished, Run


@pytest.fixture
def run(
    database: Database,
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Run a command in this process, without a terminal."""
    monkeypatch.setenv("OCHP_CHS_DATABASE_URL", postgres_url)

    def run(*arguments: str, stdin: bytes = b"") -> Finished:
        monkeypatch.setattr(sys, "argv", ["ochp-chs", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        status: object = 0
        try:
            main.main()
        except SystemExit as end:
            status = end.code or 0
        captured = capsys.readouterr()
        assert isinstance(status, int)
        return Finished(status, captured.out, captured.err)

    return run
