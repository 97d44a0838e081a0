"""PostgreSQL's disk is full: a clear answer, nothing lost, and on it goes once there is room."""

import contextlib
from random import Random

import sqlalchemy as sa

from tests.faults.site import SmallSite
from tests.faults.traffic.traffic import Traffic


class DiskFull:
    name = "disk of PostgreSQL full"
    lasts_s = (2.0, 4.0)
    back_within_s = 30.0

    def inject(self, site: SmallSite, dice: Random) -> None:
        """Fill it; PostgreSQL may even need a new piece of its log, without which it must stop."""
        site.database_disk.fill()
        if dice.random() < 0.5:
            with contextlib.suppress(sa.exc.DBAPIError), site.connection() as connection:
                connection.execute(sa.text("SELECT pg_switch_wal()"))
                connection.execute(sa.text("CREATE TABLE filler AS SELECT 1"))

    def expect(self, site: SmallSite, traffic: Traffic) -> None:
        """The process lives."""
        assert site.server.get("/healthz").status == 200

    def heal(self, site: SmallSite) -> None:
        """Somebody makes room. The rest goes by itself."""
        site.database_disk.free()
