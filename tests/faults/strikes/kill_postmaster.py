"""SIGKILL to PostgreSQL's first process: the others end, and the server starts it again."""

from random import Random

from tests.acceptance.harness import kill
from tests.faults.site import Site
from tests.faults.traffic.traffic import Traffic


class PostgresKilled:
    name = "PostgreSQL killed"
    lasts_s = (0.0, 0.3)
    back_within_s = 30.0

    def inject(self, site: Site, dice: Random) -> None:
        """Kill the postmaster alone, or all of PostgreSQL."""
        processes = site.server.postgres_processes()
        kill(processes if dice.random() < 0.5 else processes[:1])

    def expect(self, site: Site, traffic: Traffic) -> None:
        """Nothing while it lasts."""

    def heal(self, site: Site) -> None:
        """The server's master starts it again by itself."""
