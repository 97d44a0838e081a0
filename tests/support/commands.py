"""Commands as an operator types them, in this process."""

import json
from dataclasses import dataclass
from typing import Any, Protocol


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


class Run(Protocol):
    def __call__(self, *arguments: str, stdin: bytes = b"") -> Finished: ...
