"""GetStatus combined, end to end: EVSEs with their parking spots taken into account."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import pytest

from ochp_chs.ochp.roles import Carries
from tests.support import charge_points
from tests.support.charge_points import charge_point_xml
from tests.support.edge import Clock, Edge
from tests.support.live_status import (
    UPDATE,
    State,
    States,
    add_market,
    at,
    evse_xml,
    get,
    make_everything_older,
    parking_xml,
)

FREE = ("available", None, None)
BLOCKED = ("not-available", "blocked", None)
UNKNOWN = ("unknown", None, None)


@pytest.fixture
def market(edge: Edge) -> Edge:
    """An NSP connected to a CPO and a PSO, who are connected to each other."""
    return add_market(edge)


def point_xml(evse_id: str = "DE*CPO*E1", *parking_ids: str) -> str:
    return charge_point_xml(
        evse_id, parking="".join(charge_points.parking_xml(each) for each in parking_ids)
    )


def publish(edge: Edge, *points: str) -> None:
    assert edge.call("cpo", "SetChargepointList", "".join(points)).result == "ok"


def combined(edge: Edge, since: str | None = None, *, by: str = "nsp") -> States:
    return get(edge, "combined", since, by=by)


class Spots(NamedTuple):
    """Parking spots, each a status and the hours after which it ends, None for nothing sent."""

    states: Sequence[tuple[str, int | None] | None]
    all_taken: bool = False
    #: Hours after which that ends, None for never.
    until: int | None = None


TAKEN, TAKEN_1, TAKEN_2 = ("not-available", None), ("not-available", 1), ("not-available", 2)
TAKEN_BEFORE = ("not-available", -1)

#: The first column is all that decides, the others are what follows from it.
SPOTS = (
    Spots(()),
    Spots((TAKEN,), True),
    Spots((TAKEN_1,), True, 1),
    Spots((TAKEN_2,), True, 2),
    Spots((TAKEN_BEFORE,)),
    Spots((None,)),
    Spots((("available", None),)),
    Spots((("available", 1),)),
    Spots((("available", -1),)),
    Spots((("unknown", None),)),
    Spots((("unknown", 1),)),
    Spots((("unknown", -1),)),
    Spots((TAKEN, TAKEN), True),
    Spots((TAKEN, TAKEN_2), True, 2),
    Spots((TAKEN_2, TAKEN_1), True, 1),
    Spots((TAKEN, TAKEN_BEFORE)),
    Spots((TAKEN, None)),
    Spots((TAKEN, ("available", None))),
    Spots((TAKEN_1, ("unknown", None))),
    Spots((("available", None), ("available", 2))),
)

#: Every state an EVSE can have, and none.
EVSES = (
    None,
    ("available", None),
    ("available", "available"),
    ("available", "reserved"),
    ("not-available", None),
    ("not-available", "charging"),
    ("not-available", "blocked"),
    ("not-available", "reserved"),
    ("not-available", "outoforder"),
    ("unknown", None),
)

#: Hours after which the EVSE's own state ends: never, before, with and after its parking spots'.
ENDS = (None, -1, 1, 2, 3)


class TestEveryPair:
    def test_evse_state_with_parking_states_and_expiry(self, market: Edge, clock: Clock) -> None:
        asked_at = clock.now
        clock.turn(hours=-2)

        def ttl(hours: int | None) -> str | None:
            return None if hours is None else at(asked_at, hours=hours)

        def expected(own: tuple[str, str | None] | None, end: int | None, spots: Spots) -> State:
            if own is None or end == -1:
                return UNKNOWN
            if own[0] == "available" and spots.all_taken:
                first = min((each for each in (end, spots.until) if each is not None), default=None)
                return ("not-available", "blocked", ttl(first))
            return (*own, ttl(end))

        points, evses, parking, wanted = [], [], [], {}
        for number, (own, end, spots) in enumerate(itertools.product(EVSES, ENDS, SPOTS)):
            evse_id = f"DE*CPO*E{number}"
            spot_ids = [f"DE*PSO*P{number}*{place}" for place in range(len(spots.states))]
            points.append(point_xml(evse_id, *spot_ids))
            if own is not None:
                evses.append(evse_xml(evse_id, *own, ttl=ttl(end)))
            for spot_id, state in zip(spot_ids, spots.states, strict=True):
                if state is not None:
                    parking.append(parking_xml(spot_id, state[0], ttl=ttl(state[1])))
            wanted[f"{own} until {end} at {spots}"] = (evse_id, expected(own, end, spots))
        publish(market, *points)
        assert market.call("cpo", UPDATE, "".join(evses)).result == "ok"
        assert market.call("pso", UPDATE, "".join(parking)).result == "ok"
        clock.now = asked_at
        found = combined(market)
        assert len(found) == len(wanted)
        assert {name: found[evse_id] for name, (evse_id, _) in wanted.items()} == {
            name: state for name, (_, state) in wanted.items()
        }


class TestWhichEvses:
    def test_published_without_state_is_unknown_and_named_as_published(self, market: Edge) -> None:
        publish(market, point_xml("de*cpo*e1"), point_xml("DECPOE2", "DE*PSO*P2"))
        assert combined(market) == {"de*cpo*e1": UNKNOWN, "DECPOE2": UNKNOWN}

    def test_state_of_an_evse_that_is_not_published(self, market: Edge) -> None:
        market.call("cpo", UPDATE, evse_xml("DE*CPO*E1"))
        assert combined(market) == {"DE*CPO*E1": FREE}

    def test_withdrawn_charge_point_without_state_is_gone(self, market: Edge) -> None:
        publish(market, point_xml("DE*CPO*E1"), point_xml("DE*CPO*E2"))
        publish(market, point_xml("DE*CPO*E2"))
        assert combined(market) == {"DE*CPO*E2": UNKNOWN}

    def test_of_connected_operators_only(self, market: Edge) -> None:
        market.partner("other", "cpo", "DE*OTH")
        assert market.call("other", "SetChargepointList", point_xml("DE*OTH*E1")).result == "ok"
        market.call("other", UPDATE, evse_xml("DE*OTH*E2"))
        assert combined(market) == {}

    def test_connection_that_carries_no_live_status(self, market: Edge) -> None:
        publish(market, point_xml())
        market.connect("cpo", "nsp", only={Carries.CHARGE_POINTS})
        assert combined(market) == {}


class TestWhoseParkingCounts:
    @pytest.fixture
    def blocked(self, edge: Edge) -> Edge:
        """Nobody is connected to the PSO, whose spot at the CPO's EVSE is taken."""
        edge.partner("cpo", "cpo", "DE*CPO")
        edge.partner("pso", "pso", "DE*PSO")
        edge.partner("nsp", "nsp")
        edge.connect("cpo", "nsp")
        publish(edge, point_xml("DE*CPO*E1", "DE*PSO*P1"))
        edge.call("cpo", UPDATE, evse_xml("DE*CPO*E1"))
        edge.call("pso", UPDATE, parking_xml("DE*PSO*P1", "not-available"))
        return edge

    def test_of_a_parking_operator_connected_to_nobody_concerned(self, blocked: Edge) -> None:
        assert combined(blocked) == {"DE*CPO*E1": FREE}

    def test_of_a_parking_operator_connected_to_the_operator(self, blocked: Edge) -> None:
        blocked.connect("cpo", "pso")
        assert combined(blocked) == {"DE*CPO*E1": BLOCKED}

    def test_of_a_parking_operator_connected_to_the_caller(self, blocked: Edge) -> None:
        blocked.connect("nsp", "pso")
        assert combined(blocked) == {"DE*CPO*E1": BLOCKED}

    def test_of_the_operator_itself(self, blocked: Edge) -> None:
        publish(blocked, point_xml("DE*CPO*E1", "DE*CPO*P1"))
        blocked.call("cpo", UPDATE, parking_xml("DE*CPO*P1", "not-available"))
        assert combined(blocked) == {"DE*CPO*E1": BLOCKED}


class TestChanges:
    @pytest.fixture
    def polled(self, market: Edge) -> Edge:
        publish(
            market,
            point_xml("DE*CPO*E1", "DE*PSO*P1"),
            point_xml("DE*CPO*E2", "DE*PSO*P2"),
            point_xml("DE*CPO*E3"),
        )
        states = [evse_xml(f"DE*CPO*E{number}") for number in (1, 2, 3)]
        market.call("cpo", UPDATE, "".join(states))
        market.call("pso", UPDATE, parking_xml("DE*PSO*P1") + parking_xml("DE*PSO*P2"))
        make_everything_older(market)
        return market

    def test_nothing_changed(self, polled: Edge, clock: Clock) -> None:
        assert combined(polled, at(clock.now)) == {}

    def test_own_state_changed(self, polled: Edge, clock: Clock) -> None:
        polled.call("cpo", UPDATE, evse_xml("DE*CPO*E3", "unknown"))
        assert combined(polled, at(clock.now)) == {"DE*CPO*E3": UNKNOWN}

    def test_parking_spot_taken_and_free_again(self, polled: Edge, clock: Clock) -> None:
        polled.call("pso", UPDATE, parking_xml("DE*PSO*P1", "not-available"))
        assert combined(polled, at(clock.now)) == {"DE*CPO*E1": BLOCKED}
        make_everything_older(polled)
        polled.call("pso", UPDATE, parking_xml("DE*PSO*P1"))
        assert combined(polled, at(clock.now)) == {"DE*CPO*E1": FREE}

    def test_states_that_ended(self, polled: Edge, clock: Clock) -> None:
        start = clock.now.replace(microsecond=0)
        end = at(start, hours=1)
        polled.call("cpo", UPDATE, evse_xml("DE*CPO*E3", ttl=end))
        polled.call("pso", UPDATE, parking_xml("DE*PSO*P1", "not-available", ttl=end))
        make_everything_older(polled)
        clock.now = start
        assert combined(polled)["DE*CPO*E1"] == ("not-available", "blocked", end)
        clock.turn(minutes=59)
        assert combined(polled, at(start)) == {}
        clock.turn(minutes=1)
        assert combined(polled, at(start)) == {"DE*CPO*E1": FREE, "DE*CPO*E3": UNKNOWN}
        clock.turn(minutes=1)
        assert combined(polled, at(start, hours=1, minutes=1)) == {}

    def test_charge_point_got_another_parking_spot(self, polled: Edge, clock: Clock) -> None:
        polled.call("pso", UPDATE, parking_xml("DE*PSO*P9", "not-available"))
        make_everything_older(polled)
        point = point_xml("DE*CPO*E3", "DE*PSO*P9")
        assert polled.call("cpo", "UpdateChargePointList", point).result == "ok"
        assert combined(polled, at(clock.now)) == {"DE*CPO*E3": BLOCKED}

    @pytest.mark.parametrize("partner", ["nsp", "cpo"])
    def test_connection_to_another_parking_operator(
        self, polled: Edge, clock: Clock, partner: str
    ) -> None:
        polled.partner("pso2", "pso", "DE*PS2")
        polled.call("pso2", UPDATE, parking_xml("DE*PS2*P1", "not-available"))
        polled.call("cpo", "UpdateChargePointList", point_xml("DE*CPO*E3", "DE*PS2*P1"))
        make_everything_older(polled)
        assert combined(polled, at(clock.now)) == {}
        polled.connect(partner, "pso2")
        assert combined(polled, at(clock.now))["DE*CPO*E3"] == BLOCKED

    def test_new_connection_to_the_operator_brings_all(self, polled: Edge, clock: Clock) -> None:
        polled.partner("nsp2", "nsp")
        polled.connect("nsp2", "cpo")
        assert len(combined(polled, at(clock.now), by="nsp2")) == 3
