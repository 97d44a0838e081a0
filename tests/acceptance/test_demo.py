"""``ochp-chs demo`` as a newcomer runs it: as a process, in a directory with a space, twice."""

import contextlib
import io
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
README_ADDRESS = "http://127.0.0.1:8080"

#: What a second start may take on a machine with two busy cores.
SECOND_START_S = 10
STOP_S = 30


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "a data dir"


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


def command(data_dir: Path, port: int, *options: str) -> list[str]:
    program = [sys.executable, "-m", "ochp_chs.cli.main", "demo"]
    return [*program, f"--data-dir={data_dir}", f"--port={port}", "--workers=1", *options]


@contextlib.contextmanager
def running(data_dir: Path, port: int, *options: str) -> Iterator[list[str]]:
    """A demo that has come to its last line; ended by Ctrl-C. Its lines are complete then."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OCHP_CHS_")}
    with subprocess.Popen(
        command(data_dir, port, *options),
        env=kept,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        lines: list[str] = []
        try:
            assert process.stdout is not None
            for line in process.stdout:
                lines.append(line.rstrip())
                if "Serving until" in line:
                    break
            yield lines
        finally:
            # As the terminal does: to everybody in the foreground.
            os.killpg(process.pid, signal.SIGINT)
            lines += [line.rstrip() for line in process.stdout or ()]
            assert process.wait(STOP_S) == 0, lines


def printed_by_zeep(address: str) -> str:
    """What the README's Python prints, run as it stands there but for the address."""
    (program,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(program.replace(README_ADDRESS, address), "README.md", "exec"), {})
    return output.getvalue()


def answered_to_curl(address: str) -> str:
    """What the message that the README gives to curl is answered with."""
    (path, message) = re.findall(
        rf"{README_ADDRESS}(\S+) <<'XML'\n(.*?)\nXML\n", README, re.DOTALL
    )[0]
    request = urllib.request.Request(
        address + path, message.encode(), {"Content-Type": "text/xml; charset=utf-8"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        text: str = answer.read().decode()
    return text


def test_first_requests_of_the_readme_work_as_printed(data_dir: Path, port: int) -> None:
    with running(data_dir, port):
        address = f"http://127.0.0.1:{port}"
        assert printed_by_zeep(address).splitlines()[0] == "ok"
        assert "04A1B2C3D4E5F6" in printed_by_zeep(address)
        assert "<instance>04A1B2C3D4E5F6</instance>" in answered_to_curl(address)


def test_round_trip_is_played_on_every_start_and_ends_cleanly(data_dir: Path, port: int) -> None:
    with running(data_dir, port) as first:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10) as answer:
            assert answer.status == 200
        taken = subprocess.run(
            command(data_dir, port), capture_output=True, text=True, timeout=60, check=False
        )
    began = time.monotonic()
    with running(data_dir, port) as second:
        assert time.monotonic() - began < SECOND_START_S
    for lines in (first, second):
        assert any(line.startswith("All ") and "as expected" in line for line in lines)
        assert f"  http://127.0.0.1:{port}/service/ochp/v1.4" in lines
        assert lines[-1].startswith("Serving until")
    assert taken.returncode == 1
    assert taken.stderr.splitlines() == [
        f"ochp-chs: cannot listen on 127.0.0.1:{port}: Address already in use"
    ]


def test_without_round_trip_nothing_is_sent(data_dir: Path, port: int) -> None:
    with running(data_dir, port, "--no-round-trip") as lines:
        pass
    assert not any("RoamingAuthorisation" in line for line in lines)
    assert any("demo-cpo-secret" in line for line in lines)
