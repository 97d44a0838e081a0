"""The replica dies: downloads go on from the primary, and no delta has a gap."""

from random import Random

from tests.faults.site import WiredSite
from tests.faults.strikes.downloads import assert_served
from tests.faults.traffic.traffic import Traffic


class ReplicaGone:
    name = "replica gone"
    lasts_s = (1.0, 3.0)
    back_within_s = 15.0

    def inject(self, site: WiredSite, dice: Random) -> None:
        """SIGKILL to all of it."""
        site.replica.kill()

    def expect(self, site: WiredSite, traffic: Traffic) -> None:
        """Everybody is served."""
        assert_served(site)

    def heal(self, site: WiredSite) -> None:
        """It is started again, and catches up."""
        site.replica.start({})
