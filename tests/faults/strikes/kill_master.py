"""SIGKILL to the master: an init starts it again, beside workers and a PostgreSQL it left."""

from random import Random

import psutil

from tests.faults.site import Site
from tests.faults.traffic.traffic import Traffic

#: As long as their requests may still take.
_ORPHANS_TIMEOUT_S = 40


class MasterKilled:
    name = "master killed"
    lasts_s = (0.0, 0.3)
    back_within_s = 20.0

    def inject(self, site: Site, dice: Random) -> None:
        """Kill it alone; its workers find out by themselves."""
        process = site.server.process
        assert process is not None
        self._orphans = site.server.processes()[1:]
        process.kill()
        process.wait()

    def expect(self, site: Site, traffic: Traffic) -> None:
        """Nothing while it lasts."""

    def heal(self, site: Site) -> None:
        """Docker's restart policy or systemd starts it; the workers of before are gone soon."""
        site.started_by_init()
        _, alive = psutil.wait_procs(self._orphans, _ORPHANS_TIMEOUT_S)
        assert not alive, alive
