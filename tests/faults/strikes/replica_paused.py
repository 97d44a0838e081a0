"""The replica lags, further and further: downloads go on from the primary, without a gap."""

from random import Random

from tests.faults.site import WiredSite
from tests.faults.strikes.downloads import assert_served
from tests.faults.traffic.traffic import Traffic


class ReplicaLags:
    name = "replica lags"
    lasts_s = (2.0, 4.0)
    back_within_s = 15.0

    def inject(self, site: WiredSite, dice: Random) -> None:
        """It replays nothing more, however much arrives."""
        site.replica.pause()

    def expect(self, site: WiredSite, traffic: Traffic) -> None:
        """Everybody is served."""
        assert_served(site)

    def heal(self, site: WiredSite) -> None:
        """It goes on replaying."""
        site.replica.resume()
