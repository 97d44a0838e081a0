"""Live status end to end over the SOAP edge, on a real database."""

import pytest

from tests.support.edge import Clock, Edge
from tests.support.live_status import (
    GET,
    UPDATE,
    States,
    add_market,
    at,
    date_time_xml,
    evse_xml,
    get,
    make_everything_older,
    parking_xml,
)


@pytest.fixture
def market(edge: Edge) -> Edge:
    """An NSP connected to a CPO and a PSO, who are connected to each other."""
    return add_market(edge)


class TestUpdateAndGet:
    def test_states_arrive_as_they_were_sent(self, market: Edge) -> None:
        reply = market.call(
            "cpo",
            UPDATE,
            evse_xml("de*cpo*e1", "available", "reserved", ttl="2099-01-01T00:00:00.250+02:00")
            + evse_xml("DECPOE2", "unknown"),
        )
        assert reply.result == "ok"
        assert get(market) == {
            "de*cpo*e1": ("available", "reserved", "2099-01-01T00:00:00.250+02:00"),
            "DECPOE2": ("unknown", None, None),
        }

    def test_the_newest_state_replaces_the_one_before(self, market: Edge) -> None:
        market.call("cpo", UPDATE, evse_xml("DE*CPO*E1", ttl="2099-01-01T00:00:00Z"))
        market.call("cpo", UPDATE, evse_xml("DECPOE1", "not-available", "charging"))
        assert get(market) == {"DECPOE1": ("not-available", "charging", None)}

    def test_parking_is_given_when_it_is_asked_for_and_alone(self, market: Edge) -> None:
        market.call("pso", UPDATE, parking_xml("DE*PSO*P1", "not-available"))
        market.call("cpo", UPDATE, evse_xml("DE*CPO*E1") + parking_xml("DE*CPO*P1"))
        assert get(market, "evse") == get(market) == {"DE*CPO*E1": ("available", None, None)}
        assert get(market, "parking") == {
            "DE*PSO*P1": ("not-available", None, None),
            "DE*CPO*P1": ("available", None, None),
        }

    def test_evse_and_parking_spot_of_one_instance_are_two(self, market: Edge) -> None:
        market.call("cpo", UPDATE, evse_xml("DE*CPO*E1", "unknown") + parking_xml("DE*CPO*P1"))
        assert get(market, "evse") == {"DE*CPO*E1": ("unknown", None, None)}
        assert get(market, "parking") == {"DE*CPO*P1": ("available", None, None)}

    def test_no_records_is_ok(self, market: Edge) -> None:
        assert market.call("cpo", UPDATE).result == "ok"
        assert market.call("cpo", UPDATE, date_time_xml("ttl", "2099-01-01T00:00:00Z")).result == (
            "ok"
        )

    def test_more_states_than_travel_inline(self, market: Edge) -> None:
        ids = [f"DE*CPO*E{number}" for number in range(700)]
        text = "".join(evse_xml(evse_id) for evse_id in ids)
        ttl = date_time_xml("ttl", "2099-01-01T00:00:00Z")
        reply = market.call("cpo", UPDATE, text + ttl)
        assert reply.result == "ok"
        assert get(market) == dict.fromkeys(ids, ("available", None, "2099-01-01T00:00:00Z"))


class TestRefusals:
    def test_refused_states_are_named_and_the_others_taken(self, market: Edge) -> None:
        reply = market.call(
            "cpo",
            UPDATE,
            evse_xml("DE*CPO*E1")
            + evse_xml("DE*CPO*E2", "available", "charging")
            + evse_xml("DE*XYZ*E3")
            + evse_xml("DE*CPO*E4", "free"),
        )
        assert reply.result == "partly"
        assert "#2 DE*CPO*E2: minor 'charging' (status-pair)" in reply.description
        assert "#3 DE*XYZ*E3" in reply.description
        assert "#4 DE*CPO*E4" in reply.description
        assert list(get(market)) == ["DE*CPO*E1"]

    @pytest.mark.parametrize(
        ("partner", "record"),
        [
            ("cpo", evse_xml("DE*XYZ*E1")),
            ("pso", evse_xml("DE*PSO*E1")),
            ("cpo", parking_xml("DE*PSO*P1")),
            ("pso", parking_xml("DE*CPO*P1")),
        ],
    )
    def test_what_is_not_the_callers(self, market: Edge, partner: str, record: str) -> None:
        reply = market.call(partner, UPDATE, record)
        assert reply.result == "invalid-id"
        assert "status-operator" in reply.description

    def test_ttl_of_the_request_that_names_no_moment(self, market: Edge) -> None:
        ttl = date_time_xml("ttl", "2099-02-29T00:00:00Z")
        assert market.call("cpo", UPDATE, evse_xml() + ttl).result == "format"
        assert get(market) == {}

    def test_unknown_evse_is_taken_with_a_warning(self, market: Edge) -> None:
        reply = market.call("cpo", UPDATE, evse_xml("DE*CPO*E1") + parking_xml("DE*CPO*P1"))
        assert reply.result == "ok"
        assert "Warning: #1 DE*CPO*E1: evseId 'DE*CPO*E1' (evse-unknown)" in reply.description
        assert "P1" not in reply.description

    def test_many_unknown_evses_are_counted(self, market: Edge) -> None:
        text = "".join(evse_xml(f"DE*CPO*E{number}") for number in range(1000))
        reply = market.call("cpo", UPDATE, text)
        named = reply.description.count("evse-unknown")
        assert reply.description.endswith(f"and {1000 - named} more records.")


class TestTimeToLive:
    def test_ttl_of_the_request_is_for_records_without_their_own(
        self, market: Edge, clock: Clock
    ) -> None:
        own, common = at(clock.now, hours=1), at(clock.now, hours=2)
        market.call(
            "cpo",
            UPDATE,
            evse_xml("DE*CPO*E1", ttl=own)
            + evse_xml("DE*CPO*E2", "available", "available")
            + parking_xml("DE*CPO*P1")
            + date_time_xml("ttl", common),
        )
        assert get(market) == {
            "DE*CPO*E1": ("available", None, own),
            "DE*CPO*E2": ("available", "available", common),
        }
        assert get(market, "parking") == {"DE*CPO*P1": ("available", None, common)}

    def test_expired_state_is_unknown_without_more(self, market: Edge, clock: Clock) -> None:
        ttl = at(clock.now, hours=1)
        market.call("cpo", UPDATE, evse_xml("de*cpo*e1", "not-available", "charging", ttl=ttl))
        market.call("pso", UPDATE, parking_xml(ttl=ttl))
        clock.turn(minutes=59)
        assert get(market)["de*cpo*e1"] == ("not-available", "charging", ttl)
        clock.turn(minutes=1)
        assert get(market) == {"de*cpo*e1": ("unknown", None, None)}
        assert get(market, "parking") == {"DE*PSO*P1": ("unknown", None, None)}

    def test_ttl_in_the_past_is_taken_with_a_warning_and_over_at_once(
        self, market: Edge, clock: Clock
    ) -> None:
        past = at(clock.now, hours=-1)
        reply = market.call(
            "cpo",
            UPDATE,
            evse_xml("DE*CPO*E1", ttl=past) + evse_xml("DE*CPO*E2") + date_time_xml("ttl", past),
        )
        assert reply.result == "ok"
        assert "#1 DE*CPO*E1: ttl" in reply.description
        assert "#2 DE*CPO*E2: ttl" in reply.description
        assert get(market) == {
            "DE*CPO*E1": ("unknown", None, None),
            "DE*CPO*E2": ("unknown", None, None),
        }


class TestChanges:
    @pytest.fixture
    def polled(self, market: Edge) -> Edge:
        market.call("cpo", UPDATE, evse_xml("DE*CPO*E1") + evse_xml("DE*CPO*E2"))
        make_everything_older(market)
        return market

    def test_only_what_changed_since(self, polled: Edge) -> None:
        before = at(polled.clock())
        assert get(polled, since=before) == {}
        polled.call("cpo", UPDATE, evse_xml("DE*CPO*E2", "unknown"))
        assert get(polled, since=before) == {"DE*CPO*E2": ("unknown", None, None)}

    def test_the_same_again_is_no_change_but_a_new_ttl_is(self, polled: Edge, clock: Clock) -> None:
        before, ttl = at(clock.now), at(clock.now, hours=1)
        polled.call("cpo", UPDATE, evse_xml("DE*CPO*E1"))
        assert get(polled, since=before) == {}
        polled.call("cpo", UPDATE, evse_xml("DE*CPO*E1", ttl=ttl))
        assert get(polled, since=before) == {"DE*CPO*E1": ("available", None, ttl)}

    @pytest.mark.parametrize(
        ("polled_minutes", "expected"),
        [
            (59, {"DE*CPO*E1": ("unknown", None, None)}),
            (60, {"DE*CPO*E1": ("unknown", None, None)}),
            (61, {}),
        ],
    )
    def test_expiry_is_a_change_at_its_moment(
        self, polled: Edge, clock: Clock, polled_minutes: int, expected: States
    ) -> None:
        start = clock.now.replace(microsecond=0)
        polled.call("cpo", UPDATE, evse_xml("DE*CPO*E1", ttl=at(start, hours=1)))
        make_everything_older(polled)
        clock.now = start
        assert get(polled, since=at(start)) == {}
        clock.turn(minutes=90)
        assert get(polled, since=at(start, minutes=polled_minutes)) == expected

    def test_what_changed_and_expired_comes_once(self, polled: Edge, clock: Clock) -> None:
        since, ttl = at(clock.now), at(clock.now, hours=1)
        polled.call("cpo", UPDATE, evse_xml("DE*CPO*E1", ttl=ttl))
        clock.turn(hours=2)
        reply = polled.call("nsp", GET, date_time_xml("startDateTime", since))
        assert [record[0].text for record in reply.body] == ["DE*CPO*E1"]

    def test_a_new_connection_brings_all_states(self, polled: Edge) -> None:
        since = at(polled.clock())
        polled.partner("nsp2", "nsp")
        polled.connect("nsp2", "cpo")
        assert len(get(polled, since=since, by="nsp2")) == 2
        assert get(polled, since=since) == {}

    def test_parking_has_its_own_changes(self, polled: Edge) -> None:
        since = at(polled.clock())
        polled.call("pso", UPDATE, parking_xml("DE*PSO*P1"))
        assert get(polled, since=since) == {}
        assert get(polled, "parking", since) == {"DE*PSO*P1": ("available", None, None)}


class TestWhoSeesWhat:
    @pytest.fixture
    def told(self, market: Edge) -> Edge:
        market.call("cpo", UPDATE, evse_xml("DE*CPO*E1") + parking_xml("DE*CPO*P1"))
        market.call("pso", UPDATE, parking_xml("DE*PSO*P1"))
        return market

    @pytest.mark.parametrize("kind", ["evse", "parking", "combined"])
    def test_without_connection_nothing(self, told: Edge, kind: str) -> None:
        told.partner("stranger", "emp nsp", "DE-EMP")
        assert get(told, kind, by="stranger") == {}

    def test_provider_sees_what_its_operator_says(self, told: Edge) -> None:
        told.partner("emp", "emp", "DE-EMP")
        told.connect("emp", "cpo")
        assert list(get(told, by="emp")) == ["DE*CPO*E1"]
        assert list(get(told, "parking", by="emp")) == ["DE*CPO*P1"]

    def test_operator_sees_parking_of_connected_parking_operators_and_no_evse(
        self, told: Edge
    ) -> None:
        assert get(told, "evse", by="cpo") == {}
        assert list(get(told, "parking", by="cpo")) == ["DE*PSO*P1"]

    def test_parking_operator_may_not_ask(self, told: Edge) -> None:
        reply = told.call("pso", GET)
        assert reply.status == 500
        assert "PSO" in (reply.fault or "")

    def test_wrong_start_is_a_fault(self, told: Edge) -> None:
        reply = told.call("nsp", GET, date_time_xml("startDateTime", "2026-13-01T00:00:00Z"))
        assert reply.status == 500
        assert "startDateTime" in (reply.fault or "")

    def test_wrong_kind_is_a_fault(self, told: Edge) -> None:
        assert "statusType" in (told.call("nsp", GET, "<statusType>all</statusType>").fault or "")
