"""What nothing in this place can be faster than: a validating parser, COPY, a bare web server."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from lxml import etree

from benchmarks.figure import seconds
from ochp_chs.ochp.schema import merged_schema
from ochp_chs.serving.cluster import binaries

_CHECKOUT = Path(__file__).parents[1]


def xmllint() -> str | None:
    """Where xmllint is (Debian: libxml2-utils); None: not installed."""
    return shutil.which("xmllint")


def write_schema(folder: Path) -> Path:
    """The contract's schema in one file."""
    path = folder / "ochp.xsd"
    path.write_bytes(etree.tostring(merged_schema()))
    return path


def xmllint_seconds(schema: Path, document: Path) -> float:
    """How long it takes to parse and validate a message's body, and to keep nothing of it."""
    command = ["xmllint", "--stream", "--noout", "--schema", str(schema), str(document)]
    return seconds(_run, command)


def copy_out_seconds(url: str, query: str) -> float:
    """How long psql takes to COPY what a query selects to nowhere."""
    return seconds(lambda: _psql(url, f"\\copy ({query}) TO '/dev/null'"))


def copy_in_seconds(url: str, table: str, path: Path) -> float:
    """How long psql takes to COPY a file into a table."""
    return seconds(_psql, url, f"\\copy {table} FROM '{path}'")


def copy_to_file(url: str, query: str, path: Path) -> None:
    """What a query selects, as COPY writes it."""
    _psql(url, f"\\copy ({query}) TO '{path}'")


def _psql(url: str, command: str) -> None:
    parts = sa.make_url(url)
    host, port = parts.query["host"], parts.query["port"]
    connect = f"host={host} port={port} user={parts.username} dbname={parts.database}"
    program = str(binaries() / "psql")
    _run([program, "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "-c", command, connect])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stderr[-500:]}")


@contextmanager
def gunicorn(app: str, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """Another application, served as ours is: gunicorn, 2 workers with threads; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--workers=2", "--threads=16", "--worker-class=gthread", "--keep-alive=60"]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", f"--bind=127.0.0.1:{port}", "--log-level=error"),
            *("--timeout=600", *options, app),
        ],
        cwd=_CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(_CHECKOUT), **(environment or {})},
        stdin=subprocess.DEVNULL,
    )
    try:
        _wait_until_open(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def _wait_until_open(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError("gunicorn ended")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            # The port is open before the workers have loaded the application.
            time.sleep(2)
            return
    raise RuntimeError("gunicorn does not listen")
