import contextlib
import os
import signal
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, values

from ochp_chs.metrics import workers
from ochp_chs.metrics.exposition import Exposition
from ochp_chs.metrics.instruments import Instruments
from ochp_chs.metrics.workers import WorkerFiles, files_of_master, remove_files_of
from tests.support.exposition import Exposed


class Worker:
    """A process that does something in the files and then waits to be killed."""

    def __init__(self, do: Callable[[], object]) -> None:
        ready, is_ready = os.pipe()
        with warnings.catch_warnings():
            # That some other thread could hold a lock: here, none does anything.
            warnings.simplefilter("ignore", DeprecationWarning)
            self.pid = os.fork()
        if not self.pid:
            try:
                do()
                os.write(is_ready, b"+")
                time.sleep(60)
            finally:
                os._exit(1)
        os.close(is_ready)
        assert os.read(ready, 1) == b"+"
        os.close(ready)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def count(directory: Path, requests: int) -> None:
    """What a worker does: it begins to count, and never ends."""
    WorkerFiles(directory).count_here()
    instruments = Instruments(CollectorRegistry())
    instruments.workers.set(1)
    instruments.in_flight.inc(requests)
    instruments.resident_bytes.set(1000)
    instruments.chore_success.labels("sweep").set(time.time())
    for _ in range(requests):
        instruments.requests.labels("GetStatus", "emp", "ok").inc()
        instruments.seconds.labels("GetStatus").observe(0.02)


@pytest.fixture
def worker(tmp_path):
    """Start a worker that counts so many requests."""
    started = []

    def start(requests: int) -> Worker:
        started.append(Worker(lambda: count(tmp_path, requests)))
        return started[-1]

    yield start
    for each in started:
        with contextlib.suppress(ProcessLookupError):
            each.kill()


def exposed(directory: Path) -> Exposed:
    exposition = Exposition(CollectorRegistry(), WorkerFiles(directory))
    return Exposed(exposition.text().decode())


def requests(directory: Path) -> float | None:
    labels = {"operation": "GetStatus", "role": "emp", "result": "ok"}
    return exposed(directory).value("requests_total", **labels)


class TestSeveralWorkers:
    def test_counters_add_up(self, tmp_path, worker):
        worker(3)
        worker(4)

        assert requests(tmp_path) == 7
        told = exposed(tmp_path)
        assert told.value("request_seconds_count", operation="GetStatus") == 7
        assert told.value("request_seconds_bucket", operation="GetStatus", le="0.01") == 0
        assert told.value("request_seconds_bucket", operation="GetStatus", le="0.025") == 7
        assert told.value("requests_in_flight") == 7
        assert told.value("workers") == 2
        assert told.label_values("worker_resident_bytes", "worker") == {"0", "1"}

    def test_killed_worker_keeps_its_counters_and_loses_its_gauges(self, tmp_path, worker):
        worker(3)
        worker(4).kill()

        assert requests(tmp_path) == 7
        told = exposed(tmp_path)
        assert told.value("requests_in_flight") == 3
        assert told.value("workers") == 1
        assert told.label_values("worker_resident_bytes", "worker") == {"0"}

    def test_what_was_done_stays_done_when_its_worker_is_gone(self, tmp_path, worker):
        worker(0).kill()

        told = exposed(tmp_path)
        assert told.value("chore_last_success_timestamp_seconds", chore="sweep") > 0

    def test_next_worker_counts_on_in_the_place_of_the_killed_one(self, tmp_path, worker):
        for _ in range(5):
            worker(2).kill()
        worker(1)

        assert requests(tmp_path) == 11
        assert exposed(tmp_path).value("requests_in_flight") == 1
        assert len(list(tmp_path.glob("counter_*.db"))) == 1


def test_forked_process_takes_a_slot_of_its_own(tmp_path):
    files = WorkerFiles(tmp_path)
    assert files.slot() == 0

    def check() -> None:
        assert files.slot() == 1

    Worker(check).kill()
    assert files.slot() == 0


def test_files_have_their_room_from_the_start(tmp_path):
    WorkerFiles(tmp_path).slot()

    sizes = {path.name: path.stat().st_blocks * 512 for path in tmp_path.glob("*.db")}
    assert sizes["counter_0.db"] >= 512 * 1024
    assert all(sizes.values())


class TestDirectory:
    @pytest.fixture(autouse=True)
    def _here(self, tmp_path, monkeypatch):
        monkeypatch.setattr(workers, "_parents", lambda: iter([tmp_path]))

    @pytest.fixture
    def own(self, tmp_path):
        return tmp_path / f"ochp-chs-metrics-{os.getuid()}"

    def test_is_of_the_master_and_of_nobody_else(self, own):
        worker = Worker(files_of_master)

        (directory,) = (path for path in own.iterdir() if path.is_dir())
        assert directory.name.startswith(f"{os.getpid()}-")
        assert own.stat().st_mode & 0o777 == 0o700
        worker.kill()

    def test_what_nobody_counts_in_any_more_is_removed(self, own):
        killed = Worker(files_of_master)
        (directory,) = (path for path in own.iterdir() if path.is_dir())
        assert directory.name.startswith(f"{os.getpid()}-")
        killed.kill()

        files_of_master()

        assert not directory.exists()

    def test_what_others_count_in_stays(self, own):
        other = Worker(files_of_master)

        files_of_master()

        assert len([path for path in own.iterdir() if path.is_dir()]) == 2
        other.kill()

    def test_master_removes_what_its_workers_counted(self, own):
        Worker(files_of_master).kill()

        remove_files_of(os.getpid())

        assert [path for path in own.iterdir() if path.is_dir()] == []

    def test_folder_that_others_may_write_to_is_not_used(self, own):
        own.mkdir()
        own.chmod(0o777)

        assert files_of_master() is None

    def test_link_to_elsewhere_is_not_followed(self, own, tmp_path):
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        own.symlink_to(tmp_path / "elsewhere")

        assert files_of_master() is None


def test_only_the_temporary_folder_can_be_written_to(tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "_SHARED_MEMORY", tmp_path / "not there")
    monkeypatch.setattr(workers.tempfile, "gettempdir", lambda: str(tmp_path))

    files = files_of_master()

    assert files is not None
    assert files.directory.is_relative_to(tmp_path)


def test_no_room_in_the_first_place(tmp_path, monkeypatch):
    full, roomy = tmp_path / "full", tmp_path / "roomy"
    full.mkdir(), roomy.mkdir()
    monkeypatch.setattr(workers, "_parents", lambda: iter([full, roomy]))
    allocate = os.posix_fallocate

    def fails_if_full(descriptor: int, offset: int, size: int) -> None:
        if full.as_posix() in str(Path(f"/proc/self/fd/{descriptor}").readlink()):
            raise OSError(28, "No space left on device")
        allocate(descriptor, offset, size)

    monkeypatch.setattr(workers.os, "posix_fallocate", fails_if_full)

    files = files_of_master()

    assert files is not None
    assert files.directory.is_relative_to(roomy)


def test_one_process_alone_needs_no_files():
    assert values.ValueClass is values.MutexValue

    registry = CollectorRegistry()
    Counter("some", "Some.", registry=registry).inc(2)
    Gauge("other", "Other.", registry=registry).set(1)

    assert b"some_total 2.0" in Exposition(registry, None).text()
