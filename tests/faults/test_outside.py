"""What is around the server fails: the network, connections, a replica, a proxy."""

import random
from collections.abc import Callable
from pathlib import Path

from tests.faults.campaign import Campaign, Row, Strike
from tests.faults.site import wired_site
from tests.faults.strikes.connections_exhausted import ConnectionsExhausted
from tests.faults.strikes.cut_connections import ConnectionsEnded
from tests.faults.strikes.front_proxy import ProxyRestarted
from tests.faults.strikes.network_cut import NetworkBroken
from tests.faults.strikes.network_half_closed import HalfClosed
from tests.faults.strikes.network_silent import NetworkSilent
from tests.faults.strikes.replica_gone import ReplicaGone
from tests.faults.strikes.replica_paused import ReplicaLags

TIMES = 5

EVERY: tuple[Callable[[], Strike], ...] = (
    ConnectionsEnded,
    ConnectionsExhausted,
    NetworkBroken,
    NetworkSilent,
    HalfClosed,
    ReplicaGone,
    ReplicaLags,
    ProxyRestarted,
)
SOME = (ConnectionsExhausted, NetworkBroken, ReplicaGone)


def test_nothing_is_lost(
    folder: Path, dice: random.Random, rows: dict[str, Row], is_full: bool
) -> None:
    strikes = [make() for make in (TIMES * EVERY if is_full else SOME)]
    dice.shuffle(strikes)
    with wired_site(folder) as site:
        Campaign(site, dice.randrange(10**9), rows).run(strikes)
