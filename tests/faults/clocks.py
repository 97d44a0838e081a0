"""Clocks of whole processes that can be turned while they run; to make one takes a C compiler."""

import os
import struct
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from ochp_chs.serving import cluster

_SOURCE = Path(__file__).with_name("turned_clock.c")


@dataclass(frozen=True)
class Clocks:
    """The server's clock and PostgreSQL's, each in a file that says how far it is off."""

    directory: Path

    @classmethod
    def made_in(cls, directory: Path) -> "Clocks":
        """Both are right at first. The directory must be one that everybody can read."""
        clocks = cls(directory)
        command = ["cc", "-shared", "-fPIC", "-O2", "-o", str(clocks._library), str(_SOURCE)]
        subprocess.run([*command, "-ldl"], check=True)
        for which in ("server", "database"):
            clocks.turn(which, 0)
        return clocks

    def turn(self, which: str, seconds: int) -> None:
        """From now on it is so far off."""
        # In place: the file is mapped by those whose clock it is.
        file = os.open(self.directory / which, os.O_WRONLY | os.O_CREAT, 0o644)
        os.pwrite(file, struct.pack("=q", seconds), 0)
        os.close(file)

    def environment(self, which: str) -> Mapping[str, str]:
        """What makes a process use it."""
        return {"LD_PRELOAD": str(self._library), "TURNED_CLOCK": str(self.directory / which)}

    @contextmanager
    def for_postgres(self) -> Iterator[None]:
        """An embedded PostgreSQL that is started in the block uses the clock `database`."""
        ordinary = cluster._environment
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                cluster, "_environment", lambda: {**ordinary(), **self.environment("database")}
            )
            yield

    @property
    def _library(self) -> Path:
        return self.directory / "turned_clock.so"
