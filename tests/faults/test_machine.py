"""What is below the server fails: disks, and clocks. In the full form only."""

import random
from pathlib import Path

from tests.faults.campaign import Campaign, Row
from tests.faults.site import clocked_site, small_site
from tests.faults.strikes.clock_turned import ClockTurned
from tests.faults.strikes.disk_full import DiskFull
from tests.faults.strikes.spool_full import SpoolFull

TIMES = 5

CLOCKS = (("server",), ("database",), ("server", "database"))


def test_full_disks(folder: Path, dice: random.Random, rows: dict[str, Row]) -> None:
    strikes = [*(DiskFull() for _ in range(TIMES)), *(SpoolFull() for _ in range(TIMES))]
    dice.shuffle(strikes)
    with small_site(folder) as site:
        Campaign(site, dice.randrange(10**9), rows).run(strikes)


def test_clocks_that_jump(folder: Path, dice: random.Random, rows: dict[str, Row]) -> None:
    back, forward = (
        [ClockTurned(whose, hours) for _ in range(TIMES) for whose in CLOCKS] for hours in (-1, 1)
    )
    dice.shuffle(back)
    dice.shuffle(forward)
    with clocked_site(folder) as site:
        # In this order: changes that got a time an hour ahead would cover up for later ones.
        Campaign(site, dice.randrange(10**9), rows).run([*back, *forward])
