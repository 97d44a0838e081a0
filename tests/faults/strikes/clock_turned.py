"""A clock jumps by an hour, and back: no delta has a gap."""

import time
from dataclasses import dataclass, field
from random import Random

import sqlalchemy as sa

from tests.faults.site import ClockedSite
from tests.faults.traffic.traffic import Traffic

_HOUR_S = 3600


@dataclass
class ClockTurned:
    """The server's clock, PostgreSQL's, or both, forward or back."""

    whose: tuple[str, ...]
    hours: int
    name: str = field(init=False)

    lasts_s = (1.5, 3.0)
    back_within_s = 15.0

    def __post_init__(self) -> None:
        way = "forward" if self.hours > 0 else "back"
        self.name = f"clock of {' and '.join(self.whose)} {way} an hour"

    def inject(self, site: ClockedSite, dice: Random) -> None:
        """All at once."""
        for which in self.whose:
            site.clocks.turn(which, self.hours * _HOUR_S)

    def expect(self, site: ClockedSite, traffic: Traffic) -> None:
        """PostgreSQL's is off by that much, if it is meant; and whoever asks is served."""
        with site.connection() as connection:
            off_s = connection.execute(
                sa.text("SELECT extract(epoch FROM clock_timestamp()) - :now"),
                {"now": time.time()},
            ).scalar_one()
        expected_s = self.hours * _HOUR_S if "database" in self.whose else 0
        assert abs(float(off_s) - expected_s) < 60
        assert site.is_ready()

    def heal(self, site: ClockedSite) -> None:
        """Somebody puts it right: a jump the other way."""
        for which in self.whose:
            site.clocks.turn(which, 0)
