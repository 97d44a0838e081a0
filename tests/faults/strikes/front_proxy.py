"""The proxy before the server is started anew: clients see their connections break."""

from random import Random

from tests.faults.site import WiredSite
from tests.faults.traffic.traffic import Traffic
from tests.faults.wire import Passing


class ProxyRestarted:
    name = "proxy restarted"
    lasts_s = (0.2, 1.0)
    back_within_s = 5.0

    def inject(self, site: WiredSite, dice: Random) -> None:
        """It goes down with all that it was passing on."""
        site.to_server.go_down()

    def expect(self, site: WiredSite, traffic: Traffic) -> None:
        """The server behind it is well."""
        assert site.is_ready()

    def heal(self, site: WiredSite) -> None:
        """It is there again."""
        site.to_server.passing = Passing.ALL
