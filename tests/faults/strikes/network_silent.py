"""Not a byte passes to or from PostgreSQL, and nobody is told; then the connections are gone."""

from random import Random

from tests.faults.site import WiredSite
from tests.faults.traffic.traffic import Traffic
from tests.faults.wire import Passing


class NetworkSilent:
    name = "network to the database silent"
    lasts_s = (1.0, 3.0)
    back_within_s = 20.0

    def inject(self, site: WiredSite, dice: Random) -> None:
        """Hold everything up."""
        site.to_database.passing = Passing.NOTHING

    def expect(self, site: WiredSite, traffic: Traffic) -> None:
        """The process lives, whatever its requests wait for."""
        assert site.server.get("/healthz").status == 200

    def heal(self, site: WiredSite) -> None:
        """What was held up is lost, as when the system gives up on it; new connections work."""
        site.to_database.go_down()
        site.to_database.passing = Passing.ALL
