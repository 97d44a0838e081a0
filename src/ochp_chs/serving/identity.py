"""As which system user PostgreSQL runs: it refuses to run as root."""

import os
import pwd
import shutil
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ochp_chs.serving.errors import EmbeddedPostgresError

_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2


@dataclass(frozen=True, slots=True)
class Identity:
    """A system user, and the command prefix that runs a program as that user."""

    uid: int
    gid: int
    prefix: tuple[str, ...] = ()

    def own(self, path: Path) -> None:
        """Give the path to this user; only root needs to, and only root can."""
        if self.prefix:
            os.chown(path, self.uid, self.gid)


def identity_for(cluster: Path, needed: Iterable[Path]) -> Identity:
    """Choose the user for a cluster directory; ``needed`` are paths that it must be able to reach.

    An ordinary user runs PostgreSQL as itself. Root runs it as the owner of an existing cluster,
    else as ``postgres``, else as ``nobody``. Raises EmbeddedPostgresError.
    """
    owner = cluster.stat() if cluster.exists() else None
    if os.geteuid() != 0:
        if owner is not None and owner.st_uid != os.geteuid():
            raise EmbeddedPostgresError(
                f"{cluster} belongs to user {_user_name(owner.st_uid)}: run this as that user or as"
                " root, or choose another --data-dir"
            )
        return Identity(os.geteuid(), os.getegid())
    if owner is not None and owner.st_uid != 0:
        uid, gid = owner.st_uid, owner.st_gid
    else:
        uid, gid = _unprivileged_user()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise EmbeddedPostgresError(
            "PostgreSQL does not run as root and setpriv (package util-linux) is missing: install"
            " it, run this as an ordinary user, or set OCHP_CHS_DATABASE_URL"
        )
    prefix = [setpriv, f"--reuid={uid}", f"--regid={gid}", "--clear-groups"]
    closed = next((path for path in needed if not _open_to_all(path)), None)
    if closed is not None:
        # Below /root, say, that user may not even look for its own files. Opening the parents to
        # everybody would be a lasting change to somebody's home; a capability ends with the
        # process.
        capability = _reach_capability(closed)
        prefix += [f"--inh-caps=+{capability}", f"--ambient-caps=+{capability}"]
        # access(2), with which initdb looks for its neighbours, counts the capabilities of other
        # users than root only with this.
        prefix += ["--securebits=+no_setuid_fixup"]
    return Identity(uid, gid, (*prefix, "--"))


def _unprivileged_user() -> tuple[int, int]:
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise EmbeddedPostgresError(
        "PostgreSQL does not run as root and there is no user postgres or nobody to run it as"
    )


def _open_to_all(path: Path) -> bool:
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.parents)


def _reach_capability(path: Path) -> str:
    effective = _effective_capabilities()
    if effective >> _CAP_DAC_READ_SEARCH & 1:
        return "dac_read_search"
    # Containers usually withhold the narrow capability and grant the wide one.
    if effective >> _CAP_DAC_OVERRIDE & 1:
        return "dac_override"
    raise EmbeddedPostgresError(
        f"PostgreSQL does not run as root, and an ordinary user cannot reach {path}: use a"
        " directory outside of private homes, or set OCHP_CHS_DATABASE_URL"
    )


def _effective_capabilities() -> int:
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    values = [line.split()[1] for line in status.splitlines() if line.startswith("CapEff:")]
    return int(values[0], 16) if values else 0


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
