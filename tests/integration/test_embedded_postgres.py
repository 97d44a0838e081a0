"""The embedded PostgreSQL, as its users come, go, crash and share it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from ochp_chs.repository.engine import Database, DatabaseUnavailable
from ochp_chs.serving import cluster
from ochp_chs.serving.embedded_postgres import EmbeddedPostgres
from ochp_chs.serving.errors import EmbeddedPostgresError


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    """A data directory whose cluster is made already: making one takes half a second."""
    path = tmp_path_factory.mktemp("pristine")
    with EmbeddedPostgres(path):
        pass
    return path


@pytest.fixture
def data_dir(pristine, tmp_path):
    return copied(pristine, tmp_path / "data")


@pytest.fixture(autouse=True)
def _nothing_keeps_running(tmp_path):
    yield
    for pid_file in tmp_path.rglob("postmaster.pid"):
        os.kill(int(pid_file.read_text().splitlines()[0]), signal.SIGQUIT)


def copied(pristine, target):
    # With its owner, which is another user where the tests run as root.
    subprocess.run(["cp", "-a", pristine, target], check=True)
    return target


def execute(url, statement):
    database = Database(url, pool_size=1)
    try:
        with database.begin() as connection:
            result = connection.execute(sa.text(statement))
            return result.scalars().all() if result.returns_rows else None
    finally:
        database.dispose()


def answers(url):
    database = Database(url, pool_size=1)
    try:
        database.ping()
    except DatabaseUnavailable:
        return False
    finally:
        database.dispose()
    return True


def postmaster_pid(data_dir):
    return int((data_dir / "postgres" / "postmaster.pid").read_text().splitlines()[0])


def kill(pid):
    """Kill as a crash would, and wait until it is gone."""
    os.kill(pid, signal.SIGKILL)
    while Path(f"/proc/{pid}/stat").exists():
        cluster.reap(pid)
        time.sleep(0.01)


class TestDirectory:
    def test_first_use_makes_it(self, tmp_path):
        with EmbeddedPostgres(tmp_path / "a" / "b") as postgres:
            assert execute(postgres.url, "SELECT current_database()::text") == ["ochp_chs"]

    @pytest.mark.parametrize(
        "name",
        ["with a space", "Straße 東", "quo'te\"$HOME`x`;,", "x" * 120],
        ids=["space", "letters", "punctuation", "long"],
    )
    def test_any_path_will_do(self, pristine, tmp_path, name):
        data_dir = copied(pristine, tmp_path / name)

        for _ in range(2):
            with EmbeddedPostgres(data_dir) as postgres:
                assert answers(postgres.url)

    def test_relative_path(self, data_dir, monkeypatch):
        monkeypatch.chdir(data_dir.parent)

        with EmbeddedPostgres(Path(data_dir.name)) as postgres:
            assert answers(postgres.url)

    def test_what_an_interrupted_making_left_is_made_anew(self, tmp_path):
        unfinished = tmp_path / "postgres.unfinished"
        unfinished.mkdir()
        (unfinished / "PG_VERSION").write_text("half")

        with EmbeddedPostgres(tmp_path) as postgres:
            assert answers(postgres.url)

    def test_directory_that_cannot_be_made_is_one_line(self, tmp_path):
        (tmp_path / "file").touch()

        with pytest.raises(EmbeddedPostgresError, match="Not a directory"):
            EmbeddedPostgres(tmp_path / "file" / "data").start()

    def test_refused_start_quotes_the_log(self, data_dir):
        with pytest.raises(EmbeddedPostgresError, match="no_such_setting"):
            EmbeddedPostgres(data_dir, settings={"no_such_setting": "on"}).start()

    def test_without_the_wheel(self, tmp_path, monkeypatch):
        monkeypatch.setattr(cluster.importlib.util, "find_spec", lambda _: None)

        with pytest.raises(EmbeddedPostgresError, match="OCHP_CHS_DATABASE_URL"):
            EmbeddedPostgres(tmp_path).start()


class TestPrivacy:
    def test_nobody_else_reaches_it(self, data_dir):
        with EmbeddedPostgres(data_dir) as postgres:
            socket_dir = Path(sa.make_url(postgres.url).query["host"])

            assert execute(postgres.url, "SHOW listen_addresses") == [""]
            assert socket_dir.stat().st_mode & 0o077 == 0
            assert postgres.log_file.stat().st_mode & 0o077 == 0

    def test_directory_in_tmp_is_private_and_goes_with_the_server(self, pristine, tmp_path):
        with EmbeddedPostgres(copied(pristine, tmp_path / ("x" * 120))) as postgres:
            socket_dir = Path(sa.make_url(postgres.url).query["host"])
            assert socket_dir.stat().st_mode & 0o077 == 0

        assert not socket_dir.exists()

    def test_directory_in_tmp_that_others_opened_is_not_used_again(self, pristine, tmp_path):
        data_dir = copied(pristine, tmp_path / ("x" * 120))
        foreign = tmp_path / "foreign"
        foreign.mkdir(mode=0o777)
        foreign.chmod(0o777)
        (data_dir / "socket-directory").write_text(str(foreign))

        with EmbeddedPostgres(data_dir) as postgres:
            assert sa.make_url(postgres.url).query["host"] != str(foreign)

    def test_variables_of_the_shell_do_not_lead_elsewhere(self, data_dir, monkeypatch):
        for name, value in {"PGHOST": "nowhere", "PGPORT": "1", "PGDATABASE": "other"}.items():
            monkeypatch.setenv(name, value)

        with EmbeddedPostgres(data_dir) as postgres:
            assert answers(postgres.url)


class TestSharing:
    def test_last_user_stops_it(self, data_dir):
        first, second = EmbeddedPostgres(data_dir), EmbeddedPostgres(data_dir)
        first.start()
        second.start()

        first.stop()
        assert answers(second.url)
        second.stop()
        assert not answers(second.url)

    def test_both_see_the_same_data(self, data_dir):
        with EmbeddedPostgres(data_dir) as first, EmbeddedPostgres(data_dir) as second:
            execute(first.url, "CREATE TABLE kept AS SELECT 7 AS n")
            assert execute(second.url, "SELECT n FROM kept") == [7]

    def test_forked_child_does_not_stop_it(self, data_dir):
        with EmbeddedPostgres(data_dir) as postgres:
            child = os.fork()
            if child == 0:
                postgres.stop()
                os._exit(0)
            os.waitpid(child, 0)

            assert answers(postgres.url)

    def test_forked_child_does_not_count_as_a_user(self, data_dir):
        postgres = EmbeddedPostgres(data_dir)
        postgres.start()
        child = os.fork()
        if child == 0:
            time.sleep(60)
            os._exit(0)
        postgres.stop()
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)

        assert not answers(postgres.url)

    def test_data_is_there_the_next_time(self, data_dir):
        with EmbeddedPostgres(data_dir) as postgres:
            execute(postgres.url, "CREATE TABLE kept AS SELECT 7 AS n")
        with EmbeddedPostgres(data_dir) as postgres:
            assert execute(postgres.url, "SELECT n FROM kept") == [7]


class TestCrashes:
    def test_server_of_a_killed_user_is_adopted_and_stopped(self, data_dir):
        script = (
            "import sys, time, pathlib\n"
            "from ochp_chs.serving.embedded_postgres import EmbeddedPostgres\n"
            "EmbeddedPostgres(pathlib.Path(sys.argv[1])).start()\n"
            "print('started', flush=True)\n"
            "time.sleep(60)\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", script, str(data_dir)], stdout=subprocess.PIPE
        ) as user:
            assert user.stdout is not None
            assert user.stdout.readline() == b"started\n"
            user.kill()
        pid = postmaster_pid(data_dir)

        with EmbeddedPostgres(data_dir) as postgres:
            assert postmaster_pid(data_dir) == pid
            assert answers(postgres.url)
        assert not (data_dir / "postgres" / "postmaster.pid").exists()

    def test_what_was_committed_survives_and_the_next_user_starts_it(self, data_dir):
        first = EmbeddedPostgres(data_dir)
        first.start()
        assert execute(first.url, "SHOW fsync") == ["on"]
        execute(first.url, "CREATE TABLE kept AS SELECT 7 AS n")
        kill(postmaster_pid(data_dir))

        with EmbeddedPostgres(data_dir) as second:
            assert execute(second.url, "SELECT n FROM kept") == [7]
            assert second.url == first.url
            first.stop()

    @pytest.mark.parametrize("name", ["data", "x" * 120], ids=["short path", "long path"])
    def test_supervisor_starts_it_again_at_the_same_address(self, pristine, tmp_path, name):
        data_dir = copied(pristine, tmp_path / name)
        with EmbeddedPostgres(data_dir) as postgres:
            assert not postgres.ensure_running()
            kill(postmaster_pid(data_dir))

            deadline = time.monotonic() + 10
            while not answers(postgres.url) and time.monotonic() < deadline:
                postgres.ensure_running()
                time.sleep(0.05)
            assert answers(postgres.url)

    def test_process_id_that_another_program_has_by_now(self, data_dir):
        with EmbeddedPostgres(data_dir) as postgres:
            pid = postmaster_pid(data_dir)
            kill(pid)
            pid_file = data_dir / "postgres" / "postmaster.pid"
            pid_file.write_text(pid_file.read_text().replace(str(pid), str(os.getpid()), 1))

            with EmbeddedPostgres(data_dir):
                assert answers(postgres.url)
