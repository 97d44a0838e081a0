"""Where the workers of one master count, so that any of them can tell the sum.

Each worker has a slot, which is a number, and files of that name in a directory of the master's,
written by prometheus-client through shared memory: what was counted stays when the worker is
killed. The next worker takes the lowest slot that is free and counts on in its files, so there are
never more files than there were workers at once.

The directory is named for the master's process and the moment it was started: another start counts
from zero, and nobody has to tell the workers where. A slot, and a directory, are in use for as long
as somebody holds the lock on them, which ends with the process however it ends.
"""

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import structlog
from prometheus_client import values

from ochp_chs.masking import described

log = structlog.get_logger(__name__)

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own in it, closed to others
_SLOTS_MAX = 1024
_IN_USE = "in-use.lock"
_KIB = 1024
#: What each worker's files may take before they grow. They have their room from the start: memory
#: that is mapped and cannot be had when it is touched kills the process.
_FILE_BYTES = {
    "counter": 512 * _KIB,
    "histogram": 128 * _KIB,
    "gauge_livesum": 16 * _KIB,
    "gauge_liveall": 16 * _KIB,
    "gauge_max": 16 * _KIB,
}


class WorkerFiles:
    """The files of all workers of one master."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._pid = 0
        self._slot = 0
        #: Open for as long as this process lives: it holds the lock.
        self._lock: int | None = None

    def count_here(self) -> None:
        """Make all metrics of this process that are created from now on count in these files."""
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(self.directory)
        values.ValueClass = values.MultiProcessValue(self.slot)  # type: ignore[no-untyped-call]

    def slot(self) -> int:
        """This process's slot; one that was forked from another takes its own.

        Raises OSError where there is no room for its files.
        """
        if self._pid != os.getpid():
            self._slot = self._take_slot()
            self._pid = os.getpid()
        return self._slot

    def readable(self) -> list[str]:
        """The files that count: of workers that are gone, the counters and not the gauges."""
        live: dict[str, bool] = {}
        files = []
        for path in sorted(self.directory.glob("*.db")):
            kind, _, slot = path.stem.rpartition("_")
            if kind.startswith("gauge_live"):
                if slot not in live:
                    # Shared, so that several who read at once do not take each other for it.
                    live[slot] = _is_held(self._lock_file(slot), fcntl.LOCK_SH)
                if not live[slot]:
                    continue
            files.append(str(path))
        return files

    def _lock_file(self, slot: int | str) -> Path:
        return self.directory / f"slot-{slot}.lock"

    def _take_slot(self) -> int:
        for slot in range(_SLOTS_MAX):
            lock = os.open(self._lock_file(slot), os.O_RDWR | os.O_CREAT, 0o600)
            if _locked(lock, fcntl.LOCK_EX):
                self._prepare(slot)
                self._lock = lock
                return slot
            os.close(lock)
        raise OSError(f"all {_SLOTS_MAX} slots of {self.directory} are taken")

    def _prepare(self, slot: int) -> None:
        for kind, size in _FILE_BYTES.items():
            path = self.directory / f"{kind}_{slot}.db"
            if kind.startswith("gauge_live"):
                path.unlink(missing_ok=True)
            if path.exists():
                continue
            # Under another name until it has its size: somebody may be reading all of them.
            new = path.with_suffix(".new")
            with new.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, size)
            new.rename(path)


def files_of_master() -> WorkerFiles | None:
    """The files of this worker's master, to be called in a worker; None where there can be none."""
    for parent in _parents():
        try:
            files = WorkerFiles(_directory(parent, _name_of(os.getppid())))
            files.slot()
        except OSError as error:
            log.warning("cannot share metrics here", directory=str(parent), error=described(error))
        else:
            return files
    return None


def remove_files_of(master: int) -> None:
    """Remove what the workers of a master counted; to be called by it when they have ended."""
    for parent in _parents():
        shutil.rmtree(_own(parent) / _name_of(master), ignore_errors=True)


def _parents() -> Iterator[Path]:
    # Memory rather than a disk that is full or slow. In a container that can only be read from,
    # both are there, or /tmp.
    for path in (_SHARED_MEMORY, Path(tempfile.gettempdir())):
        if path.is_dir() and os.access(path, os.W_OK | os.X_OK):
            yield path


def _own(parent: Path) -> Path:
    return parent / f"ochp-chs-metrics-{os.getuid()}"


def _directory(parent: Path, name: str) -> Path:
    """The directory of this name, in use by this process from now on; removes those of nobody."""
    own = _own(parent)
    with contextlib.suppress(FileExistsError):
        own.mkdir(mode=0o700)
    found = own.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(0, f"{own} is not a folder of this user alone")
    directory = own / name
    with _exclusive(own / "lock"):
        directory.mkdir(exist_ok=True)
        # Never closed: it says that the directory is in use.
        in_use = os.open(directory / _IN_USE, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(in_use, fcntl.LOCK_SH)
        for other in own.iterdir():
            if not other.is_dir() or other == directory:
                continue
            if not _is_held(other / _IN_USE, fcntl.LOCK_EX):
                shutil.rmtree(other, ignore_errors=True)
    return directory


def _name_of(process: int) -> str:
    # Numbers of processes come again; with the tick of its start, one is meant for ever.
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except OSError:
        return str(process)
    return f"{process}-{text.rpartition(')')[2].split()[19]}"


@contextlib.contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _is_held(path: Path, kind: int) -> bool:
    """Somebody holds a lock on the file with which one of this kind cannot be had."""
    try:
        lock = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return not _locked(lock, kind)
    finally:
        os.close(lock)


def _locked(lock: int, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
