"""Go through the Dockerfile's steps in a fresh Debian, without Docker; needs root and debootstrap.

    .venv/bin/python .ci/imagecheck.py bookworm trixie --folder DIR --tests tests/unit

For each suite a root of Debian is made by debootstrap, with Debian's own Python in place of the
base image. Every instruction of the Dockerfile is carried out in it: RUN by chroot, COPY from this
checkout as .dockerignore lets it, each FROM on a copy of the fresh root. What became of the last
stage then migrates a scratch database, serves as the user whom the Dockerfile names, passes its own
HEALTHCHECK, plays the demo's round trip, and must hold nothing superfluous. Last, tests run in the
same Debian, installed from the same constraints.
"""

import argparse
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ochp_chs.serving.embedded_postgres import EmbeddedPostgres

CHECKOUT = Path(__file__).resolve().parents[1]
PORT = 18080
USER = "10001"
#: Beside Debian's essential packages; a base image has as much, and more.
PACKAGES = "python3,python3-venv,ca-certificates"
#: None of these may be left, in the environment or in the root.
UNWANTED = ("bin/pip", "bin/pip3", "usr/bin/gcc", "usr/bin/cc", "usr/bin/make", "usr/bin/git")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_START_S = 60
_ROUND_TRIP_S = 120


def main() -> None:
    """Check each suite; the first thing that fails ends it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("suites", nargs="*", help="Debian releases; bookworm and trixie")
    parser.add_argument("--folder", type=Path, help="keep fresh roots here, and use them again")
    parser.add_argument("--tests", nargs="*", default=["tests/unit"], help="what to run inside")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("imagecheck needs root: it makes roots of Debian and changes into them")
    for suite in options.suites or ["bookworm", "trixie"]:
        with tempfile.TemporaryDirectory(prefix="ochp-chs-image-") as scratch:
            # Others than root have to get through.
            Path(scratch).chmod(0o755)
            fresh = debian(suite, options.folder or Path(scratch))
            check(build(fresh, Path(scratch)), Path(scratch) / "data")
            if options.tests:
                run_tests(Root(Path(scratch) / "tests", fresh), options.tests)
            say(f"{suite}: all is well")


def say(text: str) -> None:
    """Tell what is done."""
    print(f"imagecheck: {text}", flush=True)


def debian(suite: str, folder: Path) -> Path:
    """A fresh root of Debian."""
    root = folder / suite
    if not (root / "usr/bin/python3").exists():
        say(f"{suite}: debootstrap")
        folder.mkdir(parents=True, exist_ok=True)
        command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", suite, str(root)]
        subprocess.run([*command, *_mirror()], check=True, stdout=subprocess.DEVNULL)
    return root


def _mirror() -> list[str]:
    # The one that this machine uses itself; without one, debootstrap has its own.
    folder = Path("/etc/apt")
    for path in (folder / "sources.list", *(folder / "sources.list.d").glob("debian*")):
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        found = re.search(r"^(?:URIs:|deb)\s+(https?://\S+/debian/?)\s", text, re.MULTILINE)
        if found:
            return [found[1]]
    return []


@dataclass
class Root:
    """A root file system, and how commands run in it."""

    path: Path
    fresh: Path
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": _PATH, "HOME": "/tmp"})
    folder: str = "/"
    user: str = "0"
    #: HEALTHCHECK, ENTRYPOINT and CMD.
    commands: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        subprocess.run(["cp", "--archive", str(self.fresh), str(self.path)], check=True)
        # The base image has Python there, by both names.
        (self.path / "usr/local/bin/python").symlink_to("/usr/bin/python3")
        # The way of this machine into the network; no part of an image.
        for name in ("etc/resolv.conf", "etc/hosts", "etc/ssl/certs/ca-certificates.crt"):
            if Path("/", name).exists():
                shutil.copy(Path("/", name), self.path / name)

    def command(self, arguments: Sequence[str], settings: Mapping[str, str]) -> list[str]:
        """The command line that runs something in here, with nothing of this machine's."""
        environment = {**self.environment, **settings}
        if "PIP_CERT" in os.environ:
            environment["PIP_CERT"] = "/etc/ssl/certs/ca-certificates.crt"
        inside = f"cd {shlex.quote(self.folder)} && exec {shlex.join(arguments)}"
        enter = 'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$@"'
        return [
            # In namespaces of its own: what it mounts and what it leaves running ends with it.
            *("unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", enter),
            *(str(self.path), f"--userspec={self.user}:{self.user}", str(self.path), "env", "-i"),
            *(f"{name}={value}" for name, value in environment.items()),
            *("/bin/sh", "-c", inside),
        ]

    def run(self, *arguments: str, settings: Mapping[str, str] | None = None) -> str:
        """Run something to its end; its output. A failure ends everything."""
        done = subprocess.run(
            self.command(arguments, settings or {}), capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"{shlex.join(arguments)} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return done.stdout.strip()


def instructions() -> Iterator[tuple[str, str]]:
    """The Dockerfile's: name and argument."""
    text = (CHECKOUT / "Dockerfile").read_text(encoding="utf-8")
    text = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        name, _, argument = line.partition(" ")
        if name:
            yield name, argument.strip()


def build(fresh: Path, folder: Path) -> Root:
    """Carry out the Dockerfile; its last stage."""
    stages: dict[str, Root] = {}
    root = None
    for name, argument in instructions():
        say(f"{fresh.name}: {name} {argument[:90]}")
        if name == "FROM":
            stage = argument.partition(" AS ")[2] or "last"
            root = stages[stage] = Root(folder / stage, fresh)
        elif root is not None:
            _carry_out(root, name, argument, stages)
    if root is None:
        sys.exit("the Dockerfile has no FROM")
    return root


def _carry_out(root: Root, name: str, argument: str, stages: Mapping[str, Root]) -> None:
    if name == "RUN":
        root.run("/bin/sh", "-c", argument)
    elif name == "COPY":
        _copy(root, shlex.split(argument), stages)
    elif name == "ENV":
        for setting in shlex.split(argument):
            key, _, value = setting.partition("=")
            root.environment[key] = value.replace("$PATH", root.environment["PATH"])
    elif name == "WORKDIR":
        root.folder = argument
        (root.path / argument.lstrip("/")).mkdir(parents=True, exist_ok=True)
    elif name == "USER":
        root.user = argument
    elif name in ("HEALTHCHECK", "ENTRYPOINT", "CMD"):
        root.commands[name] = json.loads(argument[argument.index("[") :])
    elif name not in ("LABEL", "EXPOSE"):
        sys.exit(f"imagecheck does not know the instruction {name}")


def _copy(root: Root, words: list[str], stages: Mapping[str, Root]) -> None:
    stage = stages[words.pop(0).removeprefix("--from=")] if words[0].startswith("--") else None
    allowed = (CHECKOUT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    *names, target = words
    for name in names:
        if stage is None and f"!{name}" not in allowed:
            sys.exit(f"COPY {name}: .dockerignore keeps it away")
        origin = (stage.path if stage else CHECKOUT) / name.lstrip("/")
        at = root.path / os.path.normpath(os.path.join(root.folder, target)).lstrip("/")  # noqa: PTH118
        if origin.is_dir():
            ignore = None if stage else shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(origin, at, symlinks=True, ignore=ignore)
        else:
            shutil.copy(origin, at)


def check(image: Root, data: Path) -> None:
    """Migrate, serve, be healthy, do something, and hold nothing superfluous."""
    own = image.path / "opt/ochp-chs"
    left = [name for name in UNWANTED if (own / name).exists() or (image.path / name).exists()]
    left += [path.name for path in own.glob("lib/python*/site-packages/setuptools*")]
    if left:
        sys.exit(f"the image still has {', '.join(left)}")
    size = subprocess.run(["du", "-sm", str(own)], capture_output=True, text=True, check=True)
    say(f"{image.run('python', '--version')}; {size.stdout.split()[0]} MiB on the base image")
    program, serving = image.commands["ENTRYPOINT"], image.commands["CMD"]
    with _database(image, data) as url:
        settings = {
            "OCHP_CHS_DATABASE_URL": url,
            "OCHP_CHS_SECRET_KEY": "k" * 32,
            "OCHP_CHS_HOST": "127.0.0.1",
            "OCHP_CHS_PORT": str(PORT),
        }
        say(image.run(*program, "db", "upgrade", settings=settings))
        say(image.run(*program, "db", "check", settings=settings))
        with _serving(image, [*program, *serving], settings):
            image.run(*image.commands["HEALTHCHECK"], settings=settings)
            say("it serves, and is healthy")
        with _serving(image, [*program, "demo"], settings) as output:
            say(_round_trip(output))


@contextmanager
def _database(image: Root, data: Path) -> Iterator[str]:
    """A scratch PostgreSQL of this machine, with a socket inside of the root."""
    sockets = image.path / "run/pg"
    sockets.mkdir(parents=True)
    sockets.chmod(0o777)
    settings = {
        "unix_socket_directories": f"{data / 'postgres'},{sockets}",
        "unix_socket_permissions": "0777",
    }
    with EmbeddedPostgres(data, settings=settings):
        yield "postgresql://ochp_chs@/ochp_chs?host=/run/pg"


@contextmanager
def _serving(image: Root, command: list[str], settings: Mapping[str, str]) -> Iterator[Path]:
    """A running server, as the image's user; the file that it writes to."""
    output = image.path.with_suffix(".out")
    with output.open("wb") as out:
        process = subprocess.Popen(
            image.command(command, settings), stdout=out, stderr=out, start_new_session=True
        )
    try:
        deadline = time.monotonic() + _START_S
        while not _is_ready():
            if time.monotonic() > deadline or process.poll() is not None:
                sys.exit(f"it does not serve: {output.read_text()[-3000:]}")
            time.sleep(0.2)
        yield output
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _is_ready() -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _round_trip(output: Path) -> str:
    deadline = time.monotonic() + _ROUND_TRIP_S
    while time.monotonic() < deadline:
        said = output.read_text()
        if found := re.search(r"All \d+ steps went as expected", said):
            return found[0]
        time.sleep(0.2)
    sys.exit(f"the round trip went otherwise than expected: {said[-5000:]}")


def run_tests(root: Root, tests: Sequence[str]) -> None:
    """Install the checkout for development, and run tests as an ordinary user."""
    say("install for development, from the same constraints")
    files = subprocess.run(
        ["git", "-C", str(CHECKOUT), "ls-files", "-coz", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, files.split("\0")):
        target = root.path / "checkout" / name
        if (CHECKOUT / name).exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(CHECKOUT / name, target)
    root.folder = "/checkout"
    root.run("python3", "-m", "venv", "/venv")
    pip = ("/venv/bin/pip", "install", "--quiet", "--constraint", "constraints.txt")
    root.run(*pip, "--editable", ".[embedded,dev]")
    root.run("chown", "-R", f"{USER}:{USER}", "/checkout")
    root.run("useradd", "--system", "--uid", USER, "--no-create-home", "tester")
    root.user = USER
    say(f"tests: {' '.join(tests)}")
    say(root.run("/venv/bin/python", "-m", "pytest", "--quiet", *tests).splitlines()[-1])


if __name__ == "__main__":
    main()
