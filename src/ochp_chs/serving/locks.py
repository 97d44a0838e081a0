"""File locks by flock(2): the kernel releases them however a process ends."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_POLL_S = 0.05


def open_lock_file(path: Path) -> int:
    """Open the lock file for its descriptor; whoever closes that lets go of its lock."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def try_lock(descriptor: int, operation: int) -> bool:
    """Take or convert a lock without waiting: ``LOCK_SH`` or ``LOCK_EX``."""
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def exclusive(path: Path, timeout_s: float) -> Iterator[None]:
    """Hold the file's exclusive lock in the block; ``TimeoutError`` when it cannot be had."""
    descriptor = open_lock_file(path)
    try:
        deadline = time.monotonic() + timeout_s
        while not try_lock(descriptor, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{path} has been locked for {timeout_s:.0f} seconds")
            time.sleep(_POLL_S)
        yield
    finally:
        os.close(descriptor)
