"""The network to PostgreSQL breaks: connections are reset, and none can be made for a while."""

from random import Random

from tests.faults.site import WiredSite
from tests.faults.traffic.traffic import Traffic
from tests.faults.wire import Passing


class NetworkBroken:
    name = "network to the database broken"
    lasts_s = (0.5, 2.0)
    back_within_s = 15.0

    def inject(self, site: WiredSite, dice: Random) -> None:
        """Reset all, refuse new ones."""
        site.to_database.go_down()

    def expect(self, site: WiredSite, traffic: Traffic) -> None:
        """The server says so itself."""
        assert not site.is_ready()

    def heal(self, site: WiredSite) -> None:
        """The network is there again."""
        site.to_database.passing = Passing.ALL
