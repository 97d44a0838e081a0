"""Tariffs end to end over the SOAP edge, on a real database."""

from dataclasses import dataclass

import pytest

from ochp_chs.ochp.times import format_date_time
from tests.support.edge import Clock, Edge, O, Reply
from tests.support.live_status import make_everything_older
from tests.support.tariffs import (
    GET,
    UPDATE,
    Seen,
    element_xml,
    end_xml,
    get,
    individual_of,
    individual_xml,
    seen,
    start_xml,
    tariff_xml,
)

#: After everything that `make_everything_older` has touched, before everything that is new.
SINCE = "2020-01-01T00:00:00Z"
EMPS = ("ema", "emb", "emc", "emd")


@pytest.fixture
def market(edge: Edge) -> Edge:
    """A CPO connected to four EMPs."""
    edge.partner("cpo", "cpo", "DE*CPO")
    for emp in EMPS:
        edge.partner(emp, "emp", f"DE-{emp.upper()}")
        edge.connect("cpo", emp)
    make_everything_older(edge)
    return edge


def upload(edge: Edge, *tariffs: str) -> Reply:
    return edge.call("cpo", UPDATE, "".join(tariffs))


def sent(edge: Edge, *tariffs: str) -> None:
    reply = upload(edge, *tariffs)
    assert reply.result == "ok", reply.description


def lists(edge: Edge) -> list[Seen]:
    return [get(edge, emp) for emp in EMPS]


def deltas(edge: Edge) -> list[Seen]:
    """What each EMP gets of the changes since this was asked last."""
    found = [get(edge, emp, SINCE) for emp in EMPS]
    make_everything_older(edge)
    return found


def t1(price: str, end: str | None = None) -> Seen:
    return {"DE*CPO*T1": [(price, end)]}


class TestThreeRecipientsAndDefault:
    """Who is given what, over three updates: full lists and deltas."""

    def test_each_caller_gets_its_own(self, market: Edge) -> None:
        everybody = individual_xml("9.0")
        sent(
            market,
            tariff_xml(
                individual_xml("1.0", "DEEMA"),
                individual_xml("2.0", "DEEMB", "DEEMC"),
                everybody,
            ),
        )
        first = [t1("1.0"), t1("2.0"), t1("2.0"), t1("9.0")]
        assert lists(market) == first
        assert deltas(market) == first
        assert deltas(market) == [{}, {}, {}, {}]

        # A gets another price, C none of its own any more.
        sent(
            market,
            tariff_xml(individual_xml("1.5", "DEEMA"), individual_xml("2.0", "DEEMB"), everybody),
        )
        assert lists(market) == [t1("1.5"), t1("2.0"), t1("9.0"), t1("9.0")]
        assert deltas(market) == [t1("1.5"), {}, t1("9.0"), {}]

        # Another default, and C named again. A has its own, whatever the default is.
        sent(
            market,
            tariff_xml(
                individual_xml("9.9"), individual_xml("1.5", "DEEMA"), individual_xml("3", "DEEMC")
            ),
        )
        assert lists(market) == [t1("1.5"), t1("9.9"), t1("3"), t1("9.9")]
        assert deltas(market) == [{}, t1("9.9"), t1("3"), t1("9.9")]

    def test_from_a_moment_before_all_updates_each_gets_what_it_sees_now(
        self, market: Edge
    ) -> None:
        sent(market, tariff_xml(individual_xml("1.0", "DEEMA"), individual_xml("9.0")))
        sent(market, tariff_xml(individual_xml("2.0", "DEEMB"), individual_xml("9.0")))
        sent(market, tariff_xml(individual_xml("3.0", "DEEMC"), individual_xml("9.0")))
        assert deltas(market) == [t1("9.0"), t1("9.0"), t1("3.0"), t1("9.0")]

    def test_exactly_the_same_again_is_no_change(self, market: Edge) -> None:
        tariff = tariff_xml(individual_xml("1.0", "DEEMA"), individual_xml("9.0"))
        sent(market, tariff)
        make_everything_older(market)
        sent(market, tariff)
        assert deltas(market) == [{}, {}, {}, {}]

    def test_a_tariff_that_is_not_named_stays(self, market: Edge) -> None:
        sent(market, tariff_xml(individual_xml("1.0")))
        make_everything_older(market)
        sent(market, tariff_xml(individual_xml("2.0"), tariff_id="DE*CPO*T2"))
        assert get(market, "ema", SINCE) == {"DE*CPO*T2": [("2.0", None)]}
        assert get(market, "ema") == t1("1.0") | {"DE*CPO*T2": [("2.0", None)]}


class TestNothingLeft:
    def test_who_sees_nothing_any_more_gets_what_it_saw_last_with_its_end(
        self, market: Edge, clock: Clock
    ) -> None:
        sent(market, tariff_xml(individual_xml("1.0", "DEEMA"), individual_xml("2.0", "DEEMB")))
        make_everything_older(market)
        clock.turn(hours=1)
        sent(market, tariff_xml(individual_xml("2.0", "DEEMB")))
        now = format_date_time(clock.now)
        assert deltas(market) == [t1("1.0", now), {}, {}, {}]
        assert lists(market) == [{}, t1("2.0"), {}, {}]

    def test_each_saw_something_else_last(self, market: Edge, clock: Clock) -> None:
        sent(market, tariff_xml(individual_xml("1.0", "DEEMA"), individual_xml("9.0")))
        clock.turn(hours=1)
        # A falls back to the default before the default goes, too.
        sent(market, tariff_xml(individual_xml("9.0"), individual_xml("2.0", "DEEMB")))
        clock.turn(hours=1)
        make_everything_older(market)
        sent(market, tariff_xml(individual_xml("3.0", "DEEMC")))
        now = format_date_time(clock.now)
        assert deltas(market) == [t1("9.0", now), t1("2.0", now), t1("3.0"), t1("9.0", now)]

    def test_it_comes_back(self, market: Edge, clock: Clock) -> None:
        mine = tariff_xml(individual_xml("1.0", "DEEMA"))
        sent(market, mine)
        sent(market, tariff_xml(individual_xml("2.0", "DEEMB")))
        clock.turn(hours=1)
        make_everything_older(market)
        sent(market, mine)
        ended = format_date_time(clock.now)
        assert deltas(market) == [t1("1.0"), t1("2.0", ended), {}, {}]

    def test_what_ended_before_keeps_its_end_and_everything_stays_in_order(
        self, market: Edge, clock: Clock
    ) -> None:
        hours = '<regularHours weekday="1" periodBegin="09:00" periodEnd="18:00"/>'
        start, end = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"
        elements = [
            element_xml("1.0"),
            element_xml("2.0", restriction=hours + "<minPower>1</minPower>"),
            element_xml("3.0", restriction=start_xml(start) + "<maxEnergy>2</maxEnergy>"),
            element_xml("4.0", restriction=hours + start_xml(start) + end_xml(end)),
        ]
        sent(market, tariff_xml(individual_of(elements, "DEEMA")))
        clock.turn(hours=1)
        sent(market, tariff_xml(individual_xml("5.0", "DEEMB")))
        reply = market.call("ema", GET, f"<lastUpdate><DateTime>{SINCE}</DateTime></lastUpdate>")
        (record,) = reply.elements("TariffInfoArray")
        now = format_date_time(clock.now)
        ends = [each.text for each in record.iterfind(f".//{O}endDateTime/{O}DateTime")]
        assert ends == [now, now, now, end]
        names = [
            [child.tag.removeprefix(O) for child in each]
            for each in record.iterfind(f".//{O}tariffRestriction")
        ]
        assert names == [
            ["endDateTime"],
            ["regularHours", "endDateTime", "minPower"],
            ["startDateTime", "endDateTime", "maxEnergy"],
            ["regularHours", "startDateTime", "endDateTime"],
        ]


class TestWhatIsGivenOut:
    def test_every_text_is_as_it_was_sent(self, market: Edge) -> None:
        element = element_xml("0.250", "energy", "1E-1", "<minEnergy>2.50</minEnergy>")
        sent(market, tariff_xml(individual_of([element], currency=" EUR "), tariff_id="deCpOtab*1"))
        (record,) = market.call("ema", GET).elements("TariffInfoArray")
        assert [(e.tag.removeprefix(O), e.text) for e in record.iter() if not len(e)] == [
            ("tariffId", "deCpOtab*1"),
            ("BillingItemType", "energy"),
            ("itemPrice", "0.250"),
            ("stepSize", "1E-1"),
            ("minEnergy", "2.50"),
            ("currency", " EUR "),
        ]

    def test_a_caller_with_several_ids_gets_all_that_name_one_of_them(self, market: Edge) -> None:
        market.partner("big", "emp", "DE-BG1", "DE-BG2", "DE-BG3")
        market.connect("cpo", "big")
        sent(
            market,
            tariff_xml(
                individual_xml("9.0"),
                individual_xml("1.0", "DEBG2", "DEBG1"),
                individual_xml("2.0", "DEBG3"),
            ),
        )
        assert get(market, "big") == {"DE*CPO*T1": [("1.0", None), ("2.0", None)]}
        make_everything_older(market)
        sent(market, tariff_xml(individual_xml("9.0"), individual_xml("2.0", "DEBG3")))
        assert get(market, "big", SINCE) == t1("2.0")

    def test_the_same_id_in_another_spelling_is_the_same_tariff(self, market: Edge) -> None:
        sent(market, tariff_xml(individual_xml("1.0"), tariff_id="DE*CPO*T1"))
        make_everything_older(market)
        sent(market, tariff_xml(individual_xml("1.0"), tariff_id="deCPOt1"))
        assert get(market, "ema") == {"deCPOt1": [("1.0", None)]}
        assert get(market, "ema", SINCE) == {"deCPOt1": [("1.0", None)]}

    def test_a_full_list_has_what_is_valid_now_or_later(self, market: Edge, clock: Clock) -> None:
        soon = format_date_time(clock.now.replace(microsecond=0))
        clock.turn(hours=-1)
        sent(
            market,
            tariff_xml(individual_xml(restriction=end_xml(soon))),
            tariff_xml(individual_xml(restriction=start_xml(soon)), tariff_id="DE*CPO*T2"),
            tariff_xml(
                individual_of([element_xml(restriction=end_xml(soon)), element_xml("5.0")]),
                tariff_id="DE*CPO*T3",
            ),
        )
        assert get(market, "ema").keys() == {"DE*CPO*T1", "DE*CPO*T2", "DE*CPO*T3"}
        clock.turn(hours=2)
        assert get(market, "ema").keys() == {"DE*CPO*T2", "DE*CPO*T3"}
        assert "DE*CPO*T1" in get(market, "ema", SINCE)

    def test_an_own_tariff_that_is_over_does_not_give_way_to_the_default(
        self, market: Edge
    ) -> None:
        over = end_xml("2020-01-01T00:00:00Z")
        sent(market, tariff_xml(individual_xml("1.0", "DEEMA", restriction=over), individual_xml()))
        assert get(market, "ema") == {}


class TestConnections:
    def test_without_connection(self, edge: Edge) -> None:
        edge.partner("cpo", "cpo", "DE*CPO")
        edge.partner("emp", "emp", "DE-EMP")
        sent(edge, tariff_xml())
        reply = edge.call("emp", GET)
        assert reply.result == "roaming"
        assert seen(reply) == {}

    def test_connected_to_others_only(self, market: Edge) -> None:
        market.partner("cpo2", "cpo", "NL*CP2")
        reply = market.call("cpo2", UPDATE, tariff_xml(tariff_id="NL*CP2*T1"))
        assert reply.result == "ok"
        assert lists(market) == [{}, {}, {}, {}]
        assert deltas(market) == [{}, {}, {}, {}]

    def test_a_new_connection_brings_all_that_is_valid(self, market: Edge) -> None:
        over = end_xml("2020-01-01T00:00:00Z")
        sent(
            market,
            tariff_xml(individual_xml("1.0")),
            tariff_xml(individual_xml("1.0", restriction=over), tariff_id="DE*CPO*T2"),
        )
        make_everything_older(market)
        market.partner("new", "emp", "DE-NEW")
        market.connect("cpo", "new")
        assert get(market, "new", SINCE) == t1("1.0")
        assert get(market, "ema", SINCE) == {}

    def test_only_cpos_send_and_only_emps_get(self, market: Edge) -> None:
        assert market.call("ema", UPDATE, tariff_xml()).result == "not-authorized"
        assert market.call("cpo", GET).result == "not-authorized"


def refused(reply: Reply) -> list[str]:
    """The IDs of the tariffs that are given back as refused."""
    return [r.findtext(f"{O}tariffId") or "" for r in reply.elements("refusedTariffInfo")]


@dataclass(frozen=True)
class Wrong:
    rule: str
    tariff: str
    code: str = "format"


BEFORE_TARIFFS_END = "<regularHours weekday='1' periodBegin='09:00' periodEnd='24:30'/>"


class TestRefused:
    @pytest.mark.parametrize(
        "wrong",
        [
            Wrong("tariff-operator", tariff_xml(tariff_id="NL*XYZ*T1"), "invalid-id"),
            Wrong("tariff-price-negative", tariff_xml(individual_xml("-0.01"))),
            Wrong("number", tariff_xml(individual_xml("NaN"))),
            Wrong("number", tariff_xml(individual_of([element_xml(step="-1")]))),
            Wrong("hours", tariff_xml(individual_xml(restriction=BEFORE_TARIFFS_END))),
            Wrong("time", tariff_xml(individual_xml(restriction=end_xml("2026-13-01T00:00:00Z")))),
            Wrong("tariff-currency", tariff_xml(individual_xml(currency="EURO"))),
            Wrong("tariff-currency", tariff_xml(individual_xml(currency="eur"))),
            Wrong("tariff-currency", tariff_xml(individual_xml(currency=""))),
            Wrong("tariff-default-repeated", tariff_xml(individual_xml("1"), individual_xml("2"))),
            Wrong(
                "tariff-recipient-repeated",
                tariff_xml(individual_xml("1", "DEEMA"), individual_xml("2", "DEEMA")),
            ),
            Wrong("tariff-recipient-repeated", tariff_xml(individual_xml("1", "DEEMA", "DEEMA"))),
        ],
        ids=lambda wrong: wrong.rule,
    )
    def test_alone(self, market: Edge, wrong: Wrong) -> None:
        reply = upload(market, wrong.tariff)
        assert reply.result == wrong.code
        assert f"({wrong.rule})" in reply.description
        assert len(refused(reply)) == 1
        assert lists(market) == [{}, {}, {}, {}]

    def test_others_are_taken_and_the_earlier_version_stays(self, market: Edge) -> None:
        sent(market, tariff_xml(individual_xml("1.0")))
        bad = tariff_xml(individual_xml("-2.0", "DEEMA"))
        reply = upload(market, bad, tariff_xml(individual_xml("3.0"), tariff_id="DE*CPO*T2"))
        assert reply.result == "partly"
        assert refused(reply) == ["DE*CPO*T1"]
        # The operator itself gets back what it sent.
        assert reply.body.findtext(f".//{O}recipient") == "DEEMA"
        assert get(market, "ema") == t1("1.0") | {"DE*CPO*T2": [("3.0", None)]}

    def test_no_tariff_at_all(self, market: Edge) -> None:
        reply = upload(market)
        assert reply.result == "format"
        assert "at least one TariffInfoArray" in reply.description

    def test_month_13_in_last_update(self, market: Edge) -> None:
        since = "<lastUpdate><DateTime>2026-13-01T00:00:00Z</DateTime></lastUpdate>"
        assert market.call("ema", GET, since).result == "format"


class TestTakenWithANote:
    def test_without_default(self, market: Edge) -> None:
        reply = upload(market, tariff_xml(individual_xml("1.0", "DEEMA")))
        assert reply.result == "ok"
        assert "(tariff-default-missing)" in reply.description
        assert get(market, "emb") == {}

    def test_recipients_that_nobody_connected_has(self, market: Edge) -> None:
        market.partner("far", "emp", "DE-FAR")
        reply = upload(
            market,
            tariff_xml(individual_xml("1.0", "DEEMA", "DEFAR"), individual_xml("2.0", "X")),
            tariff_xml(individual_xml("1.0"), tariff_id="DE*CPO*T2"),
        )
        assert reply.result == "ok"
        assert "individualTariff/recipient 'DEFAR, X' (tariff-recipient-unknown)" in (
            reply.description
        )
        market.connect("cpo", "far")
        assert get(market, "far") == t1("1.0") | {"DE*CPO*T2": [("1.0", None)]}

    def test_of_very_many_unknown_recipients_all_are_counted(self, market: Edge) -> None:
        tariffs = [
            tariff_xml(individual_xml("1.0"), individual_xml("2", "XX"), tariff_id=f"DE*CPO*T{n}")
            for n in range(300)
        ]
        reply = upload(market, *tariffs)
        assert reply.result == "ok"
        assert "records accepted" in reply.description
        named = reply.description.count("tariff-recipient-unknown")
        assert f"and {300 - named} more records" in reply.description
        assert len(get(market, "ema")) == 300

    def test_all_over_already(self, market: Edge) -> None:
        over = end_xml("2020-01-01T00:00:00Z")
        reply = upload(market, tariff_xml(individual_xml(restriction=over)))
        assert reply.result == "ok"
        assert "'2020-01-01T00:00:00Z' (tariff-over)" in reply.description

    def test_an_empty_recipient_is_read_as_none_and_that_is_said(self, market: Edge) -> None:
        reply = upload(market, tariff_xml(individual_xml("1.0", "")))
        assert reply.result == "ok"
        assert "an individual tariff without any recipient is for everybody" in reply.description
        assert get(market, "emd") == t1("1.0")

    def test_an_empty_recipient_beside_a_default_is_one_default_too_many(
        self, market: Edge
    ) -> None:
        reply = upload(market, tariff_xml(individual_xml("1.0", ""), individual_xml("9.0")))
        assert reply.result == "format"
        assert "(tariff-default-repeated)" in reply.description

    def test_twice_in_one_message_the_last_one_counts_as_a_whole(self, market: Edge) -> None:
        reply = upload(
            market,
            tariff_xml(individual_xml("1.0", "DEEMA"), individual_xml("2.0")),
            tariff_xml(individual_xml("3.0"), tariff_id="DECPOT1"),
        )
        assert reply.result == "ok"
        assert "#1" in reply.description
        assert get(market, "ema") == {"DECPOT1": [("3.0", None)]}
