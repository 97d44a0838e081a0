"""SIGKILL to a worker in the middle of its requests."""

from random import Random

from tests.acceptance.harness import kill
from tests.faults.site import Site
from tests.faults.traffic.traffic import Traffic


class WorkerKilled:
    name = "worker killed"
    lasts_s = (0.0, 0.3)
    back_within_s = 20.0

    def inject(self, site: Site, dice: Random) -> None:
        """Kill one of them, or all."""
        workers = site.server.processes()[1:]
        kill(workers if dice.random() < 0.3 else [dice.choice(workers)])

    def expect(self, site: Site, traffic: Traffic) -> None:
        """Nothing while it lasts."""

    def heal(self, site: Site) -> None:
        """The master starts another by itself."""
