import fcntl
import os

import pytest

from ochp_chs.serving.locks import exclusive, open_lock_file, try_lock


def test_second_holder_waits_and_gives_up(tmp_path):
    path = tmp_path / "start.lock"

    with exclusive(path, 1), pytest.raises(TimeoutError, match=r"start\.lock"), exclusive(path, 0):
        pytest.fail("both hold the lock")


def test_lock_is_free_after_the_block(tmp_path):
    path = tmp_path / "start.lock"

    with exclusive(path, 0):
        pass
    with exclusive(path, 0):
        assert path.stat().st_mode & 0o777 == 0o600


def test_shared_lock_becomes_exclusive_only_for_the_last_holder(tmp_path):
    path = tmp_path / "users.lock"
    first, second = open_lock_file(path), open_lock_file(path)
    fcntl.flock(first, fcntl.LOCK_SH)
    fcntl.flock(second, fcntl.LOCK_SH)

    assert not try_lock(first, fcntl.LOCK_EX)
    os.close(first)
    assert try_lock(second, fcntl.LOCK_EX)
    os.close(second)


def test_lock_ends_with_its_process(tmp_path):
    path = tmp_path / "users.lock"
    child = os.fork()
    if child == 0:
        fcntl.flock(open_lock_file(path), fcntl.LOCK_EX)
        os._exit(0)
    os.waitpid(child, 0)

    with exclusive(path, 0):
        pass
