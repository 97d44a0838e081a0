"""``ochp-chs`` in this process, without a terminal, as an operator types it."""

import io
import json
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from ochp_chs.cli import main


@dataclass(frozen=True)
class Finished:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert (self.status, self.err) == (0, "")
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """The one line of an error."""
        assert self.status == 1
        assert self.out == ""
        (line,) = self.err.splitlines()
        return line.removeprefix("ochp-chs: ")


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
