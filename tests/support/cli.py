"""``ochp-chs`` in this process, without a terminal, as an operator types it."""

import io
import sys
from dataclasses import dataclass

import pytest

from ochp_chs.cli import main
from tests.support.commands import Finished


@dataclass(frozen=True)
class Commands:
    """Runs commands on a database."""

    url: str
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> Finished:
        self.monkeypatch.setenv("OCHP_CHS_DATABASE_URL", self.url)
        self.monkeypatch.setattr(sys, "argv", ["ochp-chs", *arguments])
        self.monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
        self.capsys.readouterr()
        status: object = 0
        try:
            main.main()
        except SystemExit as end:
            status = end.code or 0
        captured = self.capsys.readouterr()
        assert isinstance(status, int)
        return Finished(status, captured.out, captured.err)
