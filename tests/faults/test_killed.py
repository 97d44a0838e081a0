"""SIGKILL at random moments of mixed traffic: a worker, the master, PostgreSQL, a part of it."""

import random
from pathlib import Path

from tests.faults.campaign import Campaign, Row, Strike
from tests.faults.site import embedded_site
from tests.faults.strikes.kill_backend import BackendKilled
from tests.faults.strikes.kill_master import MasterKilled
from tests.faults.strikes.kill_postmaster import PostgresKilled
from tests.faults.strikes.kill_worker import WorkerKilled


def test_nothing_is_lost(
    folder: Path, dice: random.Random, rows: dict[str, Row], is_full: bool
) -> None:
    strikes: list[Strike] = [
        *(WorkerKilled() for _ in range(30 if is_full else 2)),
        *(MasterKilled() for _ in range(20 if is_full else 1)),
        *(PostgresKilled() for _ in range(30 if is_full else 2)),
        *(BackendKilled() for _ in range(20 if is_full else 1)),
    ]
    dice.shuffle(strikes)
    with embedded_site(folder) as site:
        Campaign(site, dice.randrange(10**9), rows).run(strikes)
