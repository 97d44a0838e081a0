"""docker-compose.yml is what docker-compose takes for one, before and after its first start."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.scale import DEPLOY, program

CHECKOUT = DEPLOY.parent

SINGLE = {"database", "migrate", "server", "proxy"}
SCALE = {"node-1", "node-2", "node-3", "pooler", "replica"}


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    """A checkout as an operator has it, where prepare.sh ran."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name in ("docker-compose.yml", "Dockerfile"):
        shutil.copy(CHECKOUT / name, folder)
    shutil.copytree(DEPLOY, folder / "deploy")
    subprocess.run(
        ["sh", "deploy/prepare.sh", "chs.example.org"], cwd=folder, check=True, capture_output=True
    )
    return folder


def compose(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [program("docker-compose"), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("options", "services"), [([], SINGLE), (["--profile", "scale"], SINGLE | SCALE)]
)
def test_valid_with_and_without_the_profile(
    installation: Path, options: Sequence[str], services: set[str]
) -> None:
    done = compose(installation, *options, "config")

    assert (done.returncode, done.stderr) == (0, "")
    # Compose 1 lists all services whatever the profile.
    assert services <= set(re.findall(r"^  ([a-z0-9-]+):$", done.stdout, re.MULTILINE))
    assert "https://chs.example.org" in done.stdout


def test_all_that_is_mounted_or_built_is_there(installation: Path) -> None:
    expanded = compose(installation, "--profile", "scale", "config").stdout

    mounted = set(re.findall(rf"{re.escape(str(installation))}/?[\w./-]*", expanded))
    assert {path.removeprefix(f"{installation}/") for path in mounted} >= {
        "deploy/proxy",
        "deploy/postgres/archive.sh",
        "deploy/postgres/replica.sh",
        "deploy/postgres/replication.sh",
        "deploy/pgbouncer",
        "tls",
    }
    assert [path for path in mounted if not Path(path).exists()] == []


def test_without_secrets_it_says_what_to_do(installation: Path) -> None:
    (installation / ".env").unlink()

    done = compose(installation, "config")

    assert done.returncode != 0
    assert "deploy/prepare.sh" in done.stderr


class TestPrepare:
    def test_nobody_else_reads_secrets(self, installation: Path) -> None:
        for name in (".env", "tls", "tls/clearing-house.pem"):
            assert (installation / name).stat().st_mode & 0o077 == 0

    def test_what_is_there_stays(self, installation: Path) -> None:
        before = {name: (installation / name).read_bytes() for name in SECRETS}

        done = subprocess.run(
            ["sh", str(installation / "deploy/prepare.sh"), "other.example.org"],
            capture_output=True,
            text=True,
            check=True,
        )

        assert done.stdout.count("stays as it is") == 2
        assert {name: (installation / name).read_bytes() for name in SECRETS} == before

    def test_every_installation_has_secrets_of_its_own(self, installation: Path) -> None:
        first = (installation / ".env").read_text()
        (installation / ".env").unlink()
        subprocess.run(
            ["sh", "deploy/prepare.sh"], cwd=installation, check=True, capture_output=True
        )

        values = [
            set(re.findall(r"=(\w{40,})$", t, re.MULTILINE)) for t in (first, _env(installation))
        ]
        assert [len(each) for each in values] == [3, 3]
        assert values[0].isdisjoint(values[1])


SECRETS = (".env", "tls/clearing-house.pem")


def _env(installation: Path) -> str:
    return (installation / ".env").read_text()


@pytest.mark.parametrize("name", ["prepare.sh", "postgres/replica.sh", "postgres/replication.sh"])
def test_scripts_are_whole(name: str) -> None:
    shell = "sh" if name == "prepare.sh" else "bash"

    subprocess.run([shell, "-n", str(DEPLOY / name)], check=True)
