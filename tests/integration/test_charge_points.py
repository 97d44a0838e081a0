"""Charge points end to end over the SOAP edge, on a real database."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from lxml import etree

from ochp_chs.ochp.records.cdr import Connector
from ochp_chs.ochp.roles import Carries
from ochp_chs.repository.charge_points import KnownChargePoint, evses_known
from tests.support.charge_points import (
    address_xml,
    charge_point_xml,
    connector_xml,
    parking_xml,
    schedule_xml,
    status_xml,
)
from tests.support.edge import Clock, Edge, O

LIST = "GetChargePointList"
UPDATES = "GetChargePointListUpdates"
SET = "SetChargepointList"
UPDATE = "UpdateChargePointList"

E1, E2, E3 = "DE*CPO*E1", "DE*CPO*E2", "DE*CPO*E3"

#: More records than travel inside a statement.
MANY = 230


@pytest.fixture
def pair(edge: Edge) -> Edge:
    """An operator and an NSP, connected."""
    edge.partner("cpo", "cpo", "DE*CPO")
    edge.partner("nsp", "nsp")
    edge.connect("cpo", "nsp")
    return edge


def full_list(edge: Edge, partner: str = "nsp") -> Sequence[etree._Element]:
    reply = edge.call(partner, LIST)
    assert reply.result == "ok"
    return reply.elements("chargePointInfoArray")


def since(edge: Edge, moment: str = "2000-01-01T00:00:00Z") -> Sequence[etree._Element]:
    reply = edge.call("nsp", UPDATES, f"<lastUpdate><DateTime>{moment}</DateTime></lastUpdate>")
    assert reply.result == "ok"
    return reply.elements("chargePointInfoArray")


def evse_ids(records: Sequence[etree._Element]) -> list[str]:
    return sorted(record.findtext(f"{O}evseId") or "" for record in records)


def status_of(record: etree._Element) -> str | None:
    return record.findtext(f"{O}status/{O}ChargePointStatusType")


def timestamp_of(record: etree._Element) -> str | None:
    return record.findtext(f"{O}timestamp/{O}DateTime")


def parsed(xml: str) -> etree._Element:
    return etree.fromstring(f'<x xmlns="http://ochp.eu/1.4">{xml}</x>')[0]


def content(element: etree._Element) -> tuple[object, ...]:
    """Everything that an element says, to be compared."""
    return (
        element.tag,
        sorted(element.attrib.items()),
        element.text,
        [content(child) for child in element],
    )


def others(number: int) -> str:
    """Charge points at places of their own."""
    return "".join(
        charge_point_xml(f"DE*CPO*E9{each}", location_id=f"L{each}") for each in range(number)
    )


class TestDownload:
    def test_record_arrives_as_it_was_sent(self, pair: Edge) -> None:
        sent = charge_point_xml(
            "de*cpo*e1*2",
            timestamp="2025-01-01T00:00:00Z",
            name="A &amp; &lt;B> ü\\\t𝄞",
            related='<relatedLocation lat="1.500000" lon="2.500000" name="&quot;x&quot;"'
            ' type="exit"/>',
            status=status_xml("Operative") + schedule_xml("2030-01-01T00:00:00Z", None, "Closed"),
            parking=parking_xml("DE*PSO*P1"),
        )
        assert pair.call("cpo", SET, sent).result == "ok"
        (record,) = full_list(pair)
        assert content(record) == content(parsed(sent))

    @pytest.mark.parametrize("partner", ["nsp", "emp"])
    def test_nsp_and_emp_are_served(self, pair: Edge, partner: str) -> None:
        pair.partner("emp", "emp", "DE-EMP")
        pair.connect("cpo", "emp")
        pair.call("cpo", SET, charge_point_xml(E1))
        assert evse_ids(full_list(pair, partner)) == [E1]

    def test_operator_may_not_ask(self, pair: Edge) -> None:
        assert pair.call("cpo", LIST).result == "not-authorized"
        assert pair.call("nsp", SET, charge_point_xml()).result == "not-authorized"

    def test_without_connection(self, pair: Edge) -> None:
        pair.call("cpo", SET, charge_point_xml(E1))
        pair.partner("stranger", "nsp")
        pair.partner("limited", "emp", "DE-LIM")
        pair.connect("cpo", "limited", {Carries.CDRS})
        for partner in ("stranger", "limited"):
            reply = pair.call(partner, LIST)
            assert (reply.result, reply.elements("chargePointInfoArray")) == ("roaming", [])

    def test_connected_but_no_data(self, pair: Edge) -> None:
        assert full_list(pair) == []
        assert since(pair) == []

    def test_list_longer_than_travels_inline(self, pair: Edge) -> None:
        parking = parking_xml("DE*PSO*P1") + parking_xml("DE*PSO*P2")
        connectors = connector_xml(tariff_id="DE*CPO*T1")
        extra = charge_point_xml(E1, parking=parking, connectors=connectors, time_zone=None)
        assert pair.call("cpo", SET, others(MANY) + extra).result == "ok"
        assert len(full_list(pair)) == MANY + 1
        assert pair.call("cpo", SET, others(MANY)).result == "ok"
        assert len(full_list(pair)) == MANY
        assert {status_of(record) for record in since(pair)} == {None, "Closed"}


class TestSet:
    def test_replaces_the_whole_list(self, pair: Edge) -> None:
        pair.call("cpo", SET, charge_point_xml(E1) + charge_point_xml(E2))
        pair.call("cpo", SET, charge_point_xml(E2) + charge_point_xml(E3))
        assert evse_ids(full_list(pair)) == [E2, E3]

    def test_leaves_other_operators_alone(self, pair: Edge) -> None:
        pair.partner("cpo2", "cpo", "NL*CP2")
        pair.connect("cpo2", "nsp")
        pair.call("cpo", SET, charge_point_xml(E1))
        pair.call("cpo2", SET, charge_point_xml("NL*CP2*E1"))
        assert evse_ids(full_list(pair)) == [E1, "NL*CP2*E1"]

    def test_another_notation_is_the_same_evse(self, pair: Edge) -> None:
        pair.call("cpo", SET, charge_point_xml("DE*CPO*E1*2"))
        pair.call("cpo", UPDATE, charge_point_xml("decpoe1*2"))
        assert evse_ids(full_list(pair)) == ["decpoe1*2"]

    def test_refused_record_leaves_the_earlier_version(self, pair: Edge) -> None:
        pair.call("cpo", SET, charge_point_xml(E1) + charge_point_xml(E2))
        broken = charge_point_xml(E1, position=("91.000000", "1.000000"))
        reply = pair.call("cpo", SET, broken + charge_point_xml(E2))
        assert reply.result == "partly"
        assert evse_ids(full_list(pair)) == [E1, E2]

    def test_empty_set_is_refused(self, pair: Edge) -> None:
        pair.call("cpo", SET, charge_point_xml(E1))
        assert pair.call("cpo", SET).result == "format"
        assert evse_ids(full_list(pair)) == [E1]


class TestWithdrawal:
    @pytest.mark.parametrize(
        "status",
        [
            "",
            status_xml("Operative"),
            status_xml("Operative") + schedule_xml("2000-01-01T00:00:00Z", None, "Operative"),
            schedule_xml("2000-01-01T00:00:00Z", "2090-01-01T00:00:00Z", "Operative"),
        ],
    )
    @pytest.mark.parametrize("telephone", ["", "<telephoneNumber>0221 4711</telephoneNumber>"])
    def test_left_out_is_closed_in_the_delta(self, pair: Edge, status: str, telephone: str) -> None:
        gone = {"name": "Ümlaut &amp; 𝄞", "telephone": telephone}
        pair.call("cpo", SET, charge_point_xml(E1, status=status, **gone) + charge_point_xml(E2))
        pair.call("cpo", SET, charge_point_xml(E2))
        (record,) = [each for each in since(pair) if each.findtext(f"{O}evseId") == E1]
        expected = charge_point_xml(E1, status=status_xml("Closed"), **gone)
        assert content(record) == content(parsed(expected))
        assert evse_ids(full_list(pair)) == [E2]

    def test_timestamp_becomes_that_of_the_set(self, pair: Edge, clock: Clock) -> None:
        both = [charge_point_xml(each, timestamp="2020-01-01T00:00:00Z") for each in (E1, E2)]
        pair.call("cpo", SET, "".join(both))
        clock.turn(hours=1)
        pair.call("cpo", SET, both[1])
        timestamps = {each.findtext(f"{O}evseId"): timestamp_of(each) for each in since(pair)}
        assert timestamps == {
            E1: clock.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            E2: "2020-01-01T00:00:00Z",
        }

    def test_comes_back_as_it_was_with_its_old_timestamp(self, pair: Edge) -> None:
        both = [charge_point_xml(each, timestamp="2020-01-01T00:00:00Z") for each in (E1, E2)]
        pair.call("cpo", SET, "".join(both))
        pair.call("cpo", SET, both[1])
        assert pair.call("cpo", UPDATE, both[0]).result == "ok"
        assert evse_ids(full_list(pair)) == [E1, E2]
        assert [status_of(record) for record in since(pair)] == [None, None]

    def test_withdrawn_is_no_change_again_and_again(self, pair: Edge) -> None:
        pair.call("cpo", SET, charge_point_xml(E1) + charge_point_xml(E2))
        pair.call("cpo", SET, charge_point_xml(E2))
        with pair.database.begin() as connection:
            connection.exec_driver_sql("UPDATE change SET changed_at = '2001-01-01'")
            connection.exec_driver_sql("UPDATE roaming_connection SET connected_at = '2001-01-01'")
            connection.exec_driver_sql("UPDATE partner_party SET granted_at = '2001-01-01'")
        pair.call("cpo", SET, charge_point_xml(E2))
        assert since(pair, "2002-01-01T00:00:00Z") == []

    def test_closed_by_its_operator_stays_in_the_list(self, pair: Edge) -> None:
        pair.call("cpo", SET, charge_point_xml(E1, status=status_xml("Closed")))
        assert [status_of(record) for record in full_list(pair)] == ["Closed"]


class TestRefusals:
    def test_evse_of_a_foreign_operator(self, pair: Edge) -> None:
        reply = pair.call("cpo", UPDATE, charge_point_xml("NL*CP2*E1"))
        assert reply.result == "invalid-id"
        assert evse_ids(reply.elements("refusedChargePointInfo")) == ["NL*CP2*E1"]
        assert "NLCP2" in reply.description

    def test_what_cannot_be_is_named_and_echoed(self, pair: Edge) -> None:
        reply = pair.call("cpo", UPDATE, charge_point_xml(E1, timestamp="2025-02-30T00:00:00Z"))
        assert reply.result == "format"
        assert "2025-02 has no day 30" in reply.description
        assert evse_ids(reply.elements("refusedChargePointInfo")) == [E1]

    def test_what_is_doubtful_is_a_warning(self, pair: Edge) -> None:
        reply = pair.call("cpo", UPDATE, charge_point_xml(E1, language="GER"))
        assert reply.result == "ok"
        assert "#1 DE*CPO*E1: locationNameLang 'GER' (language-code)" in reply.description
        assert evse_ids(full_list(pair)) == [E1]

    def test_record_that_does_not_validate_is_not_echoed(self, pair: Edge) -> None:
        reply = pair.call("cpo", UPDATE, charge_point_xml(E1, current="XX") + charge_point_xml(E2))
        assert reply.result == "partly"
        assert "#1 DE*CPO*E1" in reply.description
        assert reply.elements("refusedChargePointInfo") == []


@pytest.mark.parametrize("beside", [0, MANY], ids=["inline", "copied"])
class TestTimestamp:
    OLD, NEW = "2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z"

    def test_older_is_refused_and_the_newer_stays(self, pair: Edge, beside: int) -> None:
        pair.call("cpo", SET, charge_point_xml(E1, timestamp=self.NEW, name="new"))
        late = charge_point_xml(E1, timestamp=self.OLD, name="old")
        reply = pair.call("cpo", UPDATE, late + others(beside))
        assert reply.result == ("partly" if beside else "format")
        assert "timestamp-outdated" in reply.description
        assert self.NEW in reply.description
        (echoed,) = reply.elements("refusedChargePointInfo")
        assert echoed.findtext(f"{O}locationName") == "old"
        names = [record.findtext(f"{O}locationName") for record in full_list(pair)]
        assert "new" in names
        assert "old" not in names

    def test_older_in_a_set_does_not_withdraw(self, pair: Edge, beside: int) -> None:
        pair.call("cpo", SET, charge_point_xml(E1, timestamp=self.NEW) + charge_point_xml(E2))
        late = charge_point_xml(E1, timestamp=self.OLD)
        reply = pair.call("cpo", SET, late + charge_point_xml(E3) + others(beside))
        assert reply.result == "partly"
        listed = evse_ids(full_list(pair))
        assert listed[:1] == [E1]
        assert E2 not in listed

    def test_newer_absent_or_the_same_is_taken(self, pair: Edge, beside: int) -> None:
        pair.call("cpo", SET, charge_point_xml(E1, timestamp=self.OLD, name="a"))
        for timestamp, name in ((self.OLD, "b"), (self.NEW, "c"), (None, "d"), (self.OLD, "e")):
            changed = charge_point_xml(E1, timestamp=timestamp, name=name)
            reply = pair.call("cpo", UPDATE, changed + others(beside))
            assert reply.result == "ok"
            assert ("timestamp-kept" in reply.description) == (name == "b")
            listed = {record.findtext(f"{O}locationName") for record in full_list(pair)}
            assert name in listed

    def test_same_record_again_is_nothing_to_say(self, pair: Edge, beside: int) -> None:
        record = charge_point_xml(E1, timestamp=self.OLD)
        pair.call("cpo", SET, record)
        reply = pair.call("cpo", UPDATE, record + others(beside))
        assert reply.result == "ok"
        assert "Warning" not in reply.description

    def test_future_one_is_a_warning_and_locks_nothing(
        self, pair: Edge, clock: Clock, beside: int
    ) -> None:
        wrong = charge_point_xml(E1, timestamp="2099-01-01T00:00:00Z", name="future")
        assert "timestamp-future" in pair.call("cpo", UPDATE, wrong + others(beside)).description
        clock.turn(minutes=1)
        right = charge_point_xml(E1, timestamp=self.NEW, name="right")
        assert pair.call("cpo", UPDATE, right + others(beside)).result == "ok"
        names = {record.findtext(f"{O}locationName") for record in full_list(pair)}
        assert "right" in names


@pytest.mark.parametrize("beside", [0, MANY], ids=["inline", "copied"])
class TestLocation:
    ELSEWHERE = ("50.941279", "6.958281")

    def test_one_address_and_position_is_nothing_to_say(self, pair: Edge, beside: int) -> None:
        same = charge_point_xml(E1) + charge_point_xml(
            E2, address=address_xml("HAUPTSTRASSE 5", None)
        )
        assert "Warning" not in pair.call("cpo", SET, same + others(beside)).description

    def test_position_differs_within_a_message(self, pair: Edge, beside: int) -> None:
        records = [
            charge_point_xml(E1),
            *(charge_point_xml(e, position=self.ELSEWHERE) for e in (E2, E3)),
        ]
        reply = pair.call("cpo", SET, "".join(records) + others(beside))
        assert reply.result == "ok"
        assert "#2 DE*CPO*E2: chargePointLocation (location-differs)" in reply.description
        assert "at DE*CPO*E1, and 1 more EVSEs" in reply.description
        assert len(full_list(pair)) == 3 + beside
        with pair.database.begin() as connection:
            warned = connection.exec_driver_sql("SELECT records_warned FROM message").scalar_one()
        assert warned == 2

    def test_address_differs_from_what_is_stored(self, pair: Edge, beside: int) -> None:
        pair.call("cpo", SET, charge_point_xml(E1))
        moved = charge_point_xml(E2, address=address_xml("Hauptgasse"))
        reply = pair.call("cpo", UPDATE, moved + others(beside))
        assert "#1 DE*CPO*E2: chargePointAddress (location-differs)" in reply.description

    def test_whole_location_moves(self, pair: Edge, beside: int) -> None:
        pair.call("cpo", SET, charge_point_xml(E1) + charge_point_xml(E2))
        moved = [charge_point_xml(each, position=self.ELSEWHERE) for each in (E1, E2)]
        reply = pair.call("cpo", UPDATE, "".join(moved) + others(beside))
        assert "location-differs" not in reply.description

    def test_what_a_set_leaves_out_is_not_compared(self, pair: Edge, beside: int) -> None:
        pair.call("cpo", SET, charge_point_xml(E1))
        reply = pair.call(
            "cpo", SET, charge_point_xml(E2, position=self.ELSEWHERE) + others(beside)
        )
        assert "location-differs" not in reply.description

    def test_withdrawn_is_not_compared(self, pair: Edge, beside: int) -> None:
        pair.call("cpo", SET, charge_point_xml(E1))
        pair.call("cpo", SET, charge_point_xml(E2, location_id="OTHER"))
        reply = pair.call(
            "cpo", UPDATE, charge_point_xml(E3, position=self.ELSEWHERE) + others(beside)
        )
        assert "location-differs" not in reply.description

    def test_location_of_another_operator_is_another(self, pair: Edge, beside: int) -> None:
        pair.partner("cpo2", "cpo", "NL*CP2")
        pair.call("cpo2", SET, charge_point_xml("NL*CP2*E1", position=self.ELSEWHERE))
        reply = pair.call("cpo", UPDATE, charge_point_xml(E1) + others(beside))
        assert "location-differs" not in reply.description

    def test_refused_record_is_compared_by_its_stored_version(
        self, pair: Edge, beside: int
    ) -> None:
        pair.call("cpo", SET, charge_point_xml(E1, timestamp="2021-01-01T00:00:00Z"))
        late = charge_point_xml(E1, timestamp="2020-01-01T00:00:00Z", position=self.ELSEWHERE)
        reply = pair.call("cpo", UPDATE, late + charge_point_xml(E2) + others(beside))
        assert reply.result == "partly"
        assert "location-differs" not in reply.description


class TestKnownEvses:
    def test_known_by_key(self, pair: Edge) -> None:
        connectors = connector_xml(tariff_id="de*cpo*t1") + connector_xml("TESLA_S")
        ratings = "<ratings><maximumPower>22.10</maximumPower></ratings>"
        first = charge_point_xml(E1, connectors=connectors, ratings=ratings)
        second = charge_point_xml(E2, current="DC", time_zone=None)
        pair.call("cpo", SET, first + second)
        with pair.database.begin() as connection:
            known = evses_known(connection, ["DECPOE1", "DECPOE2", "DECPOE9"])
        assert known == {
            "DECPOE1": KnownChargePoint(
                "Europe/Berlin",
                (
                    Connector("IEC_62196_T2", "Socket", "de*cpo*t1"),
                    Connector("TESLA_S", "Socket", None),
                ),
                Decimal("22.10"),
                "AC",
            ),
            "DECPOE2": KnownChargePoint(
                None, (Connector("IEC_62196_T2", "Socket", None),), None, "DC"
            ),
        }

    def test_withdrawn_is_known_still(self, pair: Edge) -> None:
        pair.call("cpo", SET, charge_point_xml(E1))
        pair.call("cpo", SET, charge_point_xml(E2))
        with pair.database.begin() as connection:
            assert list(evses_known(connection, ["DECPOE1"])) == ["DECPOE1"]
