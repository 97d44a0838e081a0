"""States that end while nobody sends anything, and servers whose clocks differ."""

from datetime import UTC, datetime

import pytest

from ochp_chs.config import Settings
from ochp_chs.repository.engine import Database
from tests.support.edge import Clock, Edge
from tests.support.endpoints import SECRET_KEY
from tests.support.live_status import (
    UPDATE,
    States,
    add_market,
    at,
    evse_xml,
    get,
    make_everything_older,
)

ENDS = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)

EVSE = "DE*CPO*E1"


def server_with_clock(database: Database, clock: Clock, tolerance_s: int) -> Edge:
    return Edge(database, clock, Settings(clock_tolerance_s=tolerance_s, secret_key=SECRET_KEY))


def polls_around_the_end(database: Database, tolerance_s: int) -> list[States]:
    """Two polls after the end, the first one at a server whose clock is two seconds behind."""
    behind, right = Clock(ENDS), Clock(ENDS)
    server = add_market(server_with_clock(database, right, tolerance_s))
    server.call("cpo", UPDATE, evse_xml(EVSE, ttl=at(ENDS)))
    make_everything_older(server)
    late = server_with_clock(database, behind, tolerance_s)
    right.turn(seconds=1)
    behind.turn(seconds=-1)
    polled_at = at(right.now)
    first = get(late)
    right.turn(seconds=30)
    return [first, get(server, since=polled_at)]


def test_end_that_one_servers_clock_has_not_reached_comes_with_the_next_poll(
    database: Database,
) -> None:
    first, second = polls_around_the_end(database, tolerance_s=2)
    assert first[EVSE][0] == "available"
    assert second == {EVSE: ("unknown", None, None)}


def test_without_tolerance_servers_clocks_must_not_differ(database: Database) -> None:
    _, second = polls_around_the_end(database, tolerance_s=0)
    assert second == {}


@pytest.mark.parametrize("phase_ms", [0, 1, 250, 999])
@pytest.mark.parametrize("pause_ms", [800, 1000, 1700])
def test_polls_at_any_distance_bring_the_end_once_it_is_there(
    database: Database, phase_ms: int, pause_ms: int
) -> None:
    clock = Clock(ENDS)
    server = add_market(server_with_clock(database, clock, 0))
    server.call("cpo", UPDATE, evse_xml(EVSE, ttl=at(ENDS)))
    make_everything_older(server)
    clock.turn(milliseconds=phase_ms - 2000)
    known, polled_at = get(server), at(clock.now)
    for _ in range(3):
        clock.turn(milliseconds=pause_ms)
        known |= get(server, since=polled_at)
        polled_at = at(clock.now)
        assert (known[EVSE][0] == "unknown") == (clock.now >= ENDS)
