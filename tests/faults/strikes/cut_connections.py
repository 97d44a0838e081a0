"""All of the server's connections to PostgreSQL are ended, again and again."""

import time
from random import Random

import sqlalchemy as sa

from tests.faults.site import Site
from tests.faults.traffic.traffic import Traffic

END_ALL = sa.text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ochp-chs'"
)


class ConnectionsEnded:
    name = "database connections ended"
    lasts_s = (0.1, 0.5)
    back_within_s = 10.0

    def inject(self, site: Site, dice: Random) -> None:
        """As an operator does before maintenance, or a failover."""
        with site.connection() as connection:
            for _ in range(dice.randint(1, 3)):
                connection.execute(END_ALL)
                time.sleep(dice.uniform(0, 0.2))

    def expect(self, site: Site, traffic: Traffic) -> None:
        """Nothing while it lasts."""

    def heal(self, site: Site) -> None:
        """The server connects anew by itself."""
