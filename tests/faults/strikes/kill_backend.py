"""SIGKILL to a process of PostgreSQL that serves a connection: all of them start anew."""

from random import Random

import psutil

from tests.acceptance.harness import kill
from tests.faults.site import Site
from tests.faults.traffic.traffic import Traffic


class BackendKilled:
    name = "PostgreSQL backend killed"
    lasts_s = (0.0, 0.3)
    back_within_s = 30.0

    def inject(self, site: Site, dice: Random) -> None:
        """Kill one that serves the clearing house, or one of PostgreSQL's own."""
        processes = site.server.postgres_processes()[1:]
        backends = [each for each in processes if "[local]" in " ".join(_title(each))]
        kill([dice.choice(backends or processes)])

    def expect(self, site: Site, traffic: Traffic) -> None:
        """Nothing while it lasts."""

    def heal(self, site: Site) -> None:
        """PostgreSQL recovers by itself."""


def _title(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []
