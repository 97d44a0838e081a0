"""What charge point data and tariffs say about CDRs: the rules that need them, over the edge."""

from datetime import UTC, datetime

import pytest

from ochp_chs.ochp.roles import Carries
from tests.support.cdrs import NOW, cdr_xml, period_xml
from tests.support.charge_points import charge_point_xml, connector_xml
from tests.support.edge import Clock, Edge, Reply
from tests.support.tariffs import element_xml, individual_of, tariff_xml
from tests.support.tokens import token_xml

BEFORE = datetime(2026, 1, 2, 9, 0, tzinfo=UTC)
TARIFF = "DE*CPO*T1"


@pytest.fixture
def clock() -> Clock:
    """Days before the session of the example."""
    return Clock(BEFORE)


@pytest.fixture
def market(edge: Edge) -> Edge:
    """A CPO connected to two EMPs; the token of the example is listed."""
    edge.partner("cpo", "cpo", "DE*CPO")
    edge.partner("emp", "emp", "DE-EMP")
    edge.partner("emp2", "emp", "NL-EM2")
    edge.connect("cpo", "emp")
    edge.connect("cpo", "emp2")
    sent = edge.call("emp", "SetRoamingAuthorisationList", token_xml("04A1B2C3D4"))
    assert sent.result == "ok"
    return edge


def publish(edge: Edge, **charge_point: object) -> None:
    content = charge_point_xml(**charge_point)  # type: ignore[arg-type]
    assert edge.call("cpo", "UpdateChargePointList", content).result == "ok"


def price(edge: Edge, *individual: str, tariff_id: str = TARIFF, partner: str = "cpo") -> None:
    content = tariff_xml(*individual, tariff_id=tariff_id)
    reply = edge.call(partner, "UpdateTariffs", content)
    assert reply.result == "ok", reply.description


def per_kwh(text: str, *recipients: str) -> str:
    return individual_of([element_xml(text, "energy")], *recipients)


def add(edge: Edge, clock: Clock, *cdrs: str) -> Reply:
    """Send CDRs on the day after the session."""
    clock.now = NOW
    return edge.call("cpo", "AddCDRs", "".join(cdrs))


class TestChargePoints:
    def test_nothing_to_say_of_a_cdr_that_fits(self, market: Edge, clock: Clock) -> None:
        publish(market)
        reply = add(market, clock, cdr_xml())
        assert (reply.result, reply.description) == ("ok", "1 records accepted.")

    def test_unknown_evse(self, market: Edge, clock: Clock) -> None:
        publish(market, evse_id="DE*CPO*E1234*2")
        reply = add(market, clock, cdr_xml())
        assert reply.result == "ok"
        assert "evseId 'DE*CPO*E1234*1' (evse-known)" in reply.description

    def test_evse_in_another_spelling(self, market: Edge, clock: Clock) -> None:
        publish(market, evse_id="DECPOE1234*1")
        assert "evse-known" not in add(market, clock, cdr_xml()).description

    def test_evse_that_is_no_longer_listed(self, market: Edge, clock: Clock) -> None:
        publish(market)
        content = charge_point_xml(evse_id="DE*CPO*E1234*2")
        assert market.call("cpo", "SetChargepointList", content).result == "ok"
        assert "evse-known" not in add(market, clock, cdr_xml()).description

    def test_offset_of_another_time_zone(self, market: Edge, clock: Clock) -> None:
        publish(market, time_zone="<timeZone>Europe/Lisbon</timeZone>")
        reply = add(market, clock, cdr_xml())
        assert reply.result == "ok"
        assert "offset-time-zone" in reply.description
        assert "2026-01-05T09:00:00+00:00" in reply.description

    def test_more_energy_than_the_charge_point_gives(self, market: Edge, clock: Clock) -> None:
        # The CDR has no ratings of its own: 11 kW for two hours, and the tolerance.
        publish(market, ratings="<ratings><maximumPower>11.0</maximumPower></ratings>")
        period = period_xml(value="30", price="0.1", cost="3")
        reply = add(market, clock, cdr_xml(ratings=None, periods=[period]))
        assert reply.result == "format"
        assert "11 kW do not give 30 kWh" in reply.description

    def test_larger_one_of_both_ratings_counts(self, market: Edge, clock: Clock) -> None:
        publish(market, ratings="<ratings><maximumPower>11.0</maximumPower></ratings>")
        period = period_xml(value="30", price="0.1", cost="3")
        assert add(market, clock, cdr_xml(periods=[period])).result == "ok"


class TestTariffs:
    """The example bills 10 kWh at 0.30."""

    def test_price_of_the_tariff(self, market: Edge, clock: Clock) -> None:
        price(market, per_kwh("0.30"))
        reply = add(market, clock, cdr_xml(tariff_id=TARIFF))
        assert "tariff-price" not in reply.description

    def test_another_price(self, market: Edge, clock: Clock) -> None:
        price(market, per_kwh("0.25"))
        reply = add(market, clock, cdr_xml(tariff_id=TARIFF))
        assert reply.result == "ok"
        assert "tariff-price" in reply.description
        assert "makes 2.50 EUR" in reply.description

    def test_price_that_this_owner_was_given(self, market: Edge, clock: Clock) -> None:
        price(market, per_kwh("0.30"), per_kwh("0.20", "NL-EM2"))
        other = cdr_xml(
            cdr_id="DECPO2",
            evse_id="DE*CPO*E2",
            contract_id="NL-EM2-C00000001",
            tariff_id=TARIFF,
        )
        reply = add(market, clock, cdr_xml(tariff_id=TARIFF) + other)
        assert "#1 DECPO0000000001: chargingPeriods" not in reply.description
        assert "#2 DECPO2: chargingPeriods '3' (tariff-price)" in reply.description

    def test_price_at_the_time_of_the_session(self, market: Edge, clock: Clock) -> None:
        price(market, per_kwh("0.30"))
        clock.now = datetime(2026, 1, 5, 12, 30, tzinfo=UTC)
        price(market, per_kwh("0.50"))
        reply = add(market, clock, cdr_xml(tariff_id=TARIFF))
        assert "tariff-price" not in reply.description

    def test_tariff_that_came_after_the_session(self, market: Edge, clock: Clock) -> None:
        clock.now = datetime(2026, 1, 5, 12, 30, tzinfo=UTC)
        price(market, per_kwh("0.50"))
        reply = add(market, clock, cdr_xml(tariff_id=TARIFF))
        assert "tariff-price" not in reply.description

    def test_tariff_of_the_connector_in_the_charge_point_data(
        self, market: Edge, clock: Clock
    ) -> None:
        publish(market, connectors=connector_xml(tariff_id=TARIFF))
        price(market, per_kwh("0.25"))
        assert "tariff-price" in add(market, clock, cdr_xml()).description

    def test_nobody_learns_what_another_operator_charges(self, market: Edge, clock: Clock) -> None:
        market.partner("cpo2", "cpo", "NL*CP2")
        market.connect("cpo2", "emp")
        price(market, per_kwh("0.11"), tariff_id="NL*CP2*T1", partner="cpo2")
        reply = add(market, clock, cdr_xml(tariff_id="NL*CP2*T1"))
        assert "tariff-price" not in reply.description

    def test_owner_that_is_not_given_tariffs(self, market: Edge, clock: Clock) -> None:
        market.connect("cpo", "emp", {Carries.CDRS, Carries.TOKENS})
        price(market, per_kwh("0.25"))
        reply = add(market, clock, cdr_xml(tariff_id=TARIFF))
        assert reply.result == "ok"
        assert "tariff-price" not in reply.description
