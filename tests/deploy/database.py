"""The service `database` of docker-compose.yml without Docker: what its commands become here."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ochp_chs.serving.cluster import binaries
from ochp_chs.serving.identity import Identity, identity_for

_DOCKER = """#!/bin/sh
# Stands in for docker: the container `database` is a process of this machine, `migrate` a command.
set -eu
export PATH={binaries}:"$PATH" PGHOST={sockets} PGDATA={data} ARCHIVE={archive}
case "$*" in
    "compose exec -T database "*) shift 4; exec {as_user} "$@" ;;
    "compose run --rm --no-deps -T database "*) shift 6; exec {as_user} "$@" ;;
    "compose run --rm -T migrate "*) shift 5
        export OCHP_CHS_DATABASE_URL='postgresql://ochp_chs@/ochp_chs?host={sockets}'
        exec {program} "$@" ;;
    "compose stop "*) case "$*" in *database*)
        {as_user} pg_ctl --silent --wait --mode fast --pgdata "$PGDATA" stop ;; esac ;;
    "compose up --detach"*) {as_user} pg_ctl --silent status --pgdata "$PGDATA" ||
        {as_user} pg_ctl --silent --wait --pgdata "$PGDATA" --log {data}.log \\
            --options {options} start ;;
    *) echo "docker stand-in: not known: $*" >&2; exit 1 ;;
esac
"""


@dataclass(frozen=True)
class Installation:
    """A folder where an operator types the commands of docs/operate.md."""

    folder: Path
    environment: Mapping[str, str]
    url: str
    data: Path
    archive: Path

    def type(self, commands: str) -> str:
        """Type lines into a shell; a failure ends it. What was printed."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{commands}\n{done.stdout}{done.stderr}"
        return done.stdout


def install(folder: Path, program: str, archive_script: Path) -> Installation:
    """A database that archives its log, and the commands around it."""
    data, sockets, archive = (folder / name for name in ("data", "s", "archive"))
    identity = identity_for(folder / "nothing", (binaries(), folder))
    for path in (folder, data, sockets, archive):
        path.mkdir(exist_ok=True)
        path.chmod(0o700)
        identity.own(path)
    as_user = shlex.join(identity.prefix)
    # Into a folder without a space in its name, for quoting once is enough.
    script = folder / "archive.sh"
    shutil.copy(archive_script, script)
    identity.own(script)
    options = (
        f"-c listen_addresses= -c unix_socket_directories={sockets} -c archive_mode=on"
        f" -c archive_command='ARCHIVE={archive} bash {script} %p %f' -c archive_timeout=60"
    )
    docker = folder / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text(
        _DOCKER.format(
            binaries=shlex.quote(str(binaries())),
            sockets=sockets,
            data=data,
            archive=archive,
            as_user=as_user,
            program=program,
            options=shlex.quote(options),
        ),
        encoding="utf-8",
    )
    docker.chmod(0o755)
    _initdb(identity, data)
    environment = {"PATH": f"{docker.parent}:{os.environ['PATH']}", "LC_ALL": "C"}
    url = f"postgresql://ochp_chs@/ochp_chs?host={sockets}"
    installation = Installation(folder, environment, url, data, archive)
    installation.type("docker compose up --detach")
    installation.type("docker compose exec -T database createdb --username ochp_chs ochp_chs")
    return installation


def _initdb(identity: Identity, data: Path) -> None:
    subprocess.run(
        [
            *identity.prefix,
            str(binaries() / "initdb"),
            f"--pgdata={data}",
            "--username=ochp_chs",
            "--encoding=UTF8",
            "--locale=C",
            "--auth=trust",
            "--no-instructions",
        ],
        check=True,
        capture_output=True,
        cwd="/",
        env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
    )
