"""``ochp-chs tariff`` against a database, as an operator types it."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.commands import Run
from tests.support.edge import Clock, Edge
from tests.support.live_status import make_everything_older
from tests.support.tariffs import (
    UPDATE,
    element_xml,
    end_xml,
    get,
    individual_of,
    individual_xml,
    start_xml,
    tariff_xml,
)

SINCE = "2020-01-01T00:00:00Z"

HOURS = (
    '<regularHours weekday="1" periodBegin="09:00" periodEnd="18:00"/>'
    '<regularHours weekday="7" periodBegin="00:00" periodEnd="24:00"/>'
)
LIMITS = (
    f"{HOURS}{start_xml('2026-01-01T00:00:00Z')}{end_xml('2099-01-01T00:00:00Z')}"
    "<minEnergy>20.0</minEnergy><maxPower>11</maxPower><minDuration>60</minDuration>"
    "<maxDuration>3600</maxDuration>"
)


@pytest.fixture
def market(edge: Edge) -> Edge:
    """Two CPOs with a tariff each, one of which has three recipients."""
    edge.partner("cpo", "cpo", "DE*CPO")
    edge.partner("cpo2", "cpo", "NL*CP2")
    edge.partner("emp", "emp", "DE-EMP")
    edge.partner("other", "emp", "DE-OTH")
    for emp in ("emp", "other"):
        edge.connect("cpo", emp)
    elements = [element_xml("0.250", "energy", "0.1", LIMITS), element_xml("2", "serviceFee", "1")]
    edge.call(
        "cpo", UPDATE, tariff_xml(individual_of(elements, "NLEM2", "DEEMP"), individual_xml("9.0"))
    )
    edge.call("cpo2", UPDATE, tariff_xml(individual_xml("1.0", "DEEMP"), tariff_id="NLCP2TX"))
    return edge


@pytest.mark.usefixtures("market")
class TestList:
    def test_for_people(self, run: Run) -> None:
        lines = [line.split() for line in run("tariff", "list").out.splitlines()]
        assert [line[:2] for line in lines[2:]] == [["DE*CPO*T1", "DECPO"], ["NLCP2TX", "NLCP2"]]
        assert lines[2][2:6] == ["DEEMP,", "NLEM2,", "everybody", "else"]
        assert lines[3][2] == "DEEMP"

    def test_of_one_partner_as_json(self, run: Run) -> None:
        (tariff,) = run("tariff", "list", "--partner", "cpo2", "--json").json
        assert datetime.fromisoformat(tariff.pop("changed_at")).tzinfo is not None
        assert tariff == {
            "tariff": "NLCP2TX",
            "operator": "NLCP2",
            "recipients": ["DEEMP"],
            "default": False,
        }

    def test_of_a_partner_that_has_none(self, run: Run) -> None:
        assert run("tariff", "list", "--partner", "emp").out == "There are no tariffs.\n"

    def test_of_an_unknown_partner(self, run: Run) -> None:
        error = run("tariff", "list", "--partner", "nobody").error
        assert error == "There is no partner named 'nobody'."


class TestShow:
    def test_for_people(self, market: Edge, run: Run) -> None:
        lines = run("tariff", "show", "decpot1").out.splitlines()
        assert len(lines) == 2 + 2 * 2 + 1
        energy = next(line for line in lines if "DEEMP" in line and "energy" in line)
        assert "0.250 EUR" in energy
        assert (
            "Mon 09:00-18:00 Sun 00:00-24:00, from 2026-01-01 00:00:00Z, "
            "until 2099-01-01 00:00:00Z, from 20.0 kWh, until 11 kW, from 60 s, until 3600 s"
        ) in energy
        assert "everybody else" in lines[-1]
        assert "always" in lines[-1]

    def test_as_json_amounts_are_as_they_were_sent(self, market: Edge, run: Run) -> None:
        shown = run("tariff", "show", "DE*CPO*T1", "--json").json
        assert [each["recipient"] for each in shown] == ["DEEMP", "NLEM2", None]
        energy, fee = shown[0]["elements"]
        assert (energy["item"], energy["price"], energy["step"]) == ("energy", "0.250", "0.1")
        assert (fee["item"], fee["price"], fee["conditions"]) == ("serviceFee", "2", [])
        assert shown[0]["given_until"] is None

    def test_history(self, market: Edge, run: Run, clock: Clock) -> None:
        begun = clock.now
        clock.turn(hours=1)
        market.call("cpo2", UPDATE, tariff_xml(individual_xml("1.5"), tariff_id="NLCP2TX"))
        shown = run("tariff", "show", "NLCP2TX", "--json").json
        assert [each["elements"][0]["price"] for each in shown] == ["1.5"]
        new, old = run("tariff", "show", "NLCP2TX", "--history", "--json").json
        assert (new["recipient"], new["elements"][0]["price"]) == (None, "1.5")
        assert (new["given_from"], new["given_until"]) == (clock.now.isoformat(), None)
        assert (old["recipient"], old["elements"][0]["price"]) == ("DEEMP", "1.0")
        assert (old["given_from"], old["given_until"]) == (
            begun.isoformat(),
            clock.now.isoformat(),
        )


class TestRemove:
    def test_who_saw_it_learns_that_it_ended(self, market: Edge, run: Run) -> None:
        make_everything_older(market)
        told = run("tariff", "remove", "DE*CPO*T1")
        assert (told.status, told.out) == (0, "DE*CPO*T1 is given to nobody any more\n")
        assert get(market, "emp") == {}
        assert get(market, "other") == {}
        (own,) = get(market, "emp", SINCE)["DE*CPO*T1"]
        (default,) = get(market, "other", SINCE)["DE*CPO*T1"]
        assert (own[0], default[0]) == ("0.250", "9.0")
        ended = datetime.fromisoformat(str(own[1]))
        assert abs(ended - datetime.now(UTC)) < timedelta(minutes=1)
        assert run("tariff", "list", "--partner", "cpo").out == "There are no tariffs.\n"
        assert run("tariff", "show", "DE*CPO*T1", "--history").status == 0

    def test_as_json(self, market: Edge, run: Run) -> None:
        removed = run("tariff", "remove", "NLCP2TX", "--json").json
        assert removed["tariff"] == "NLCP2TX"
        assert datetime.fromisoformat(removed["ended_at"]) <= datetime.now(UTC)

    def test_what_was_removed_can_be_sent_again(self, market: Edge, run: Run) -> None:
        run("tariff", "remove", "DE*CPO*T1")
        market.call("cpo", UPDATE, tariff_xml(individual_xml("3.0")))
        assert get(market, "emp") == {"DE*CPO*T1": [("3.0", None)]}

    def test_of_an_operator_id_that_nobody_has_any_more(self, market: Edge, run: Run) -> None:
        run("partner", "revoke", "cpo2", "--party-id", "NL*CP2")
        assert run("tariff", "remove", "NLCP2TX").status == 0


@pytest.mark.parametrize("tariff_id", ["DE*CPO*T9", "not a tariff", ""])
@pytest.mark.parametrize("command", ["show", "remove"])
def test_unknown_tariff(run: Run, command: str, tariff_id: str) -> None:
    error = run("tariff", command, tariff_id).error
    assert error == f"There is no tariff {tariff_id!r} that anybody is given."


def test_removing_twice(market: Edge, run: Run) -> None:
    run("tariff", "remove", "DE*CPO*T1")
    assert "There is no tariff" in run("tariff", "remove", "DE*CPO*T1").error
