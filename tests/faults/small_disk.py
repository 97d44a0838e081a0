"""A file system of some megabytes that can be filled up; making one takes root."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PIECE = b"\0" * (1 << 20)


class SmallDisk:
    """A file system in memory, mounted in a directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._filler = directory / "filler"

    def fill(self) -> None:
        """Leave no room for anything."""
        piece = len(_PIECE)
        with self._filler.open("ab", buffering=0) as file:
            while piece:
                try:
                    file.write(_PIECE[:piece])
                except OSError:
                    piece //= 2

    def free(self) -> None:
        """Give the room back."""
        self._filler.unlink(missing_ok=True)


@contextmanager
def small_disk(directory: Path, size_mib: int) -> Iterator[SmallDisk]:
    """Mount one; nothing of it is left afterwards."""
    directory.mkdir(parents=True)
    if os.geteuid() != 0:
        raise PermissionError("the faults of full disks take root: they mount a small file system")
    size = f"size={size_mib}m,mode=0755"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(directory)], check=True)
    try:
        yield SmallDisk(directory)
    finally:
        with contextlib.suppress(FileNotFoundError):
            (directory / "filler").unlink()
        # Lazily: a process that is about to end may still have something open in it.
        subprocess.run(["umount", "--lazy", str(directory)], check=True)
