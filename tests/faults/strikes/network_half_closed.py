"""PostgreSQL's side of every connection is closed in the middle of whatever goes over it."""

from random import Random

from tests.faults.site import WiredSite
from tests.faults.traffic.traffic import Traffic


class HalfClosed:
    name = "database connections half closed"
    lasts_s = (0.2, 0.8)
    back_within_s = 15.0

    def inject(self, site: WiredSite, dice: Random) -> None:
        """The server reads the end of them; what it sends still arrives."""
        site.to_database.half_close()

    def expect(self, site: WiredSite, traffic: Traffic) -> None:
        """Nothing while it lasts."""

    def heal(self, site: WiredSite) -> None:
        """The server connects anew by itself."""
