"""Service endpoints of OCHP direct end to end over the SOAP edge, on a real database."""

import io
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
import structlog
from lxml import etree

from ochp_chs import logs
from ochp_chs.app import chores
from ochp_chs.clearing.direct import erase_expired
from ochp_chs.clearing.vault import Vault
from ochp_chs.config import LogFormat, LogLevel, Settings
from ochp_chs.ochp.roles import Carries
from ochp_chs.repository.constraints import ConstraintBroken, constraints_named
from ochp_chs.repository.endpoints import lock_tokens
from ochp_chs.repository.engine import Database
from ochp_chs.repository.tables import endpoint_token, service_endpoint
from tests.support.edge import Clock, Edge, O, Reply
from tests.support.endpoints import SECRET_KEY, operator_xml, provider_xml

ADD = "AddServiceEndpoints"
GET = "GetServiceEndpoints"
DAY = date(2026, 3, 10)
EARLIER, LATER = DAY - timedelta(days=1), DAY + timedelta(days=1)


@pytest.fixture
def pair(edge: Edge, clock: Clock) -> Edge:
    """An EMP and a CPO, connected, at noon of DAY."""
    clock.now = at(DAY, "12:00")
    edge.partner("emp", "emp", "DE-EMP")
    edge.partner("cpo", "cpo", "DE*CPO")
    edge.connect("emp", "cpo")
    return edge


@pytest.fixture
def both(pair: Edge) -> Edge:
    """A partner in both roles, connected to both."""
    pair.partner("duo", "cpo emp", "DE-DUO")
    pair.connect("duo", "emp")
    pair.connect("duo", "cpo")
    return pair


def at(day: date, clock: str) -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=UTC)


def tokens(reply: Reply, kind: str) -> list[str]:
    endpoints: Sequence[etree._Element] = reply.elements(f"{kind}EndpointArray")
    return sorted(endpoint.findtext(f"{O}accessToken") or "" for endpoint in endpoints)


def seen(edge: Edge, partner: str, kind: str) -> list[str]:
    reply = edge.call(partner, GET)
    assert reply.result == "ok"
    return tokens(reply, kind)


def stored(edge: Edge) -> tuple[int, int]:
    """How many endpoints and how many tokens the database holds."""
    with edge.database.begin() as connection:
        return tuple(
            connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in (service_endpoint, endpoint_token)
        )


class TestExchange:
    def test_endpoints_reach_the_other_side_as_they_were_sent(self, pair: Edge) -> None:
        sent = provider_xml(
            "to&amp;ken \\ ü",
            day=DAY,
            url="https://emp.example:8443/a?b=c&amp;d",
            namespace="http://ochp.eu/1.3",
            whitelist=["DEEMPC%", "deempc01"],
            blacklist=["DEEMPC02%"],
        )
        assert pair.call("emp", ADD, sent).result == "ok"
        (record,) = pair.call("cpo", GET).elements("providerEndpointArray")
        assert [(str(child.tag).removeprefix(O), child.text) for child in record] == [
            ("url", "https://emp.example:8443/a?b=c&d"),
            ("namespaceUrl", "http://ochp.eu/1.3"),
            ("accessToken", "to&ken \\ ü"),
            ("validDate", str(DAY)),
            ("whitelist", "DEEMPC%"),
            ("whitelist", "deempc01"),
            ("blacklist", "DEEMPC02%"),
        ]

    def test_operators_go_to_providers_and_nobody_gets_their_own(self, pair: Edge) -> None:
        pair.call("emp", ADD, provider_xml("pppp"))
        pair.call("cpo", ADD, operator_xml("oooo"))
        assert seen(pair, "emp", "operator") == ["oooo"]
        assert seen(pair, "emp", "provider") == []
        assert seen(pair, "cpo", "provider") == ["pppp"]
        assert seen(pair, "cpo", "operator") == []

    def test_partner_in_both_roles_gives_and_gets_each_kind_by_role(self, both: Edge) -> None:
        both.call("emp", ADD, provider_xml("pppp"))
        both.call("cpo", ADD, operator_xml("oooo"))
        reply = both.call(
            "duo",
            ADD,
            provider_xml("duo-p", whitelist=["DEDUOC%"])
            + operator_xml("duo-o", whitelist=["DEDUOE%"]),
        )
        assert reply.result == "ok"
        assert seen(both, "emp", "operator") == ["duo-o", "oooo"]
        assert seen(both, "cpo", "provider") == ["duo-p", "pppp"]
        assert (seen(both, "duo", "provider"), seen(both, "duo", "operator")) == (
            ["pppp"],
            ["oooo"],
        )

    def test_nothing_sent_is_fine(self, pair: Edge) -> None:
        assert pair.call("emp", ADD).result == "ok"

    def test_connected_without_data(self, pair: Edge) -> None:
        assert seen(pair, "emp", "operator") == []

    def test_more_than_travels_inline(self, pair: Edge) -> None:
        wanted = [f"token-{number:04}" for number in range(450)]
        assert pair.call("emp", ADD, "".join(map(provider_xml, wanted))).result == "ok"
        assert seen(pair, "cpo", "provider") == wanted
        pair.call("emp", ADD, "".join(map(provider_xml, wanted[1:])))
        assert seen(pair, "cpo", "provider") == wanted[1:]


class TestVisibility:
    def test_unconnected_partner_sees_nothing(self, pair: Edge) -> None:
        pair.call("emp", ADD, provider_xml("pppp"))
        pair.partner("other", "cpo", "DE*OTH")
        reply = pair.call("other", GET)
        assert (reply.result, tokens(reply, "provider")) == ("roaming", [])

    def test_partner_connected_to_somebody_else_sees_only_that(self, pair: Edge) -> None:
        pair.partner("emp2", "emp", "DE-EM2")
        pair.partner("cpo2", "cpo", "DE*CP2")
        pair.connect("emp2", "cpo2")
        pair.call("emp", ADD, provider_xml("pppp"))
        pair.call("emp2", ADD, provider_xml("qqqq", whitelist=["DEEM2C%"]))
        assert seen(pair, "cpo2", "provider") == ["qqqq"]

    def test_connection_limited_to_other_data(self, pair: Edge) -> None:
        pair.call("emp", ADD, provider_xml("pppp"))
        pair.connect("emp", "cpo", [Carries.TOKENS])
        assert pair.call("cpo", GET).result == "roaming"

    def test_roles_that_give_each_other_nothing(self, edge: Edge) -> None:
        edge.partner("emp", "emp", "DE-EMP")
        edge.partner("nsp", "nsp")
        assert edge.call("emp", GET).result == "roaming"
        assert edge.call("nsp", GET).result == "not-authorized"

    def test_id_that_was_taken_away_takes_its_endpoints_along(self, pair: Edge) -> None:
        pair.call("emp", ADD, provider_xml("pppp"))
        with pair.database.begin() as connection:
            connection.exec_driver_sql("UPDATE partner_party SET party_id = 'DEXYZ'")
        assert seen(pair, "cpo", "provider") == []


class TestReplacement:
    def test_set_of_a_day_replaces_that_day_only(self, pair: Edge) -> None:
        pair.call("emp", ADD, provider_xml("a1", day=DAY) + provider_xml("a2", day=DAY))
        pair.call("emp", ADD, provider_xml("b1", day=LATER))
        pair.call("emp", ADD, provider_xml("c1", day=DAY))
        assert seen(pair, "cpo", "provider") == ["b1", "c1"]

    def test_set_of_one_kind_leaves_the_other_kind(self, both: Edge) -> None:
        both.call("duo", ADD, provider_xml("p1", whitelist=["DEDUOC%"]))
        both.call("duo", ADD, operator_xml("o1", whitelist=["DEDUOE%"]))
        assert seen(both, "cpo", "provider") == ["p1"]

    def test_set_leaves_other_partners_endpoints(self, pair: Edge) -> None:
        pair.partner("emp2", "emp", "DE-EM2")
        pair.connect("emp2", "cpo")
        pair.call("emp", ADD, provider_xml("a1"))
        pair.call("emp2", ADD, provider_xml("b1", whitelist=["DEEM2C%"]))
        assert seen(pair, "cpo", "provider") == ["a1", "b1"]

    def test_sending_the_same_again_changes_nothing(self, pair: Edge) -> None:
        pair.call("emp", ADD, provider_xml("a1"))
        assert pair.call("emp", ADD, provider_xml("a1")).result == "ok"
        assert seen(pair, "cpo", "provider") == ["a1"]

    def test_new_patterns_for_the_same_endpoint(self, pair: Edge) -> None:
        pair.call("emp", ADD, provider_xml("a1", whitelist=["DEEMPC1%"]))
        pair.call("emp", ADD, provider_xml("a1", whitelist=["DEEMPC2%"]))
        (record,) = pair.call("cpo", GET).elements("providerEndpointArray")
        assert [each.text for each in record.findall(f"{O}whitelist")] == ["DEEMPC2%"]

    def test_what_was_replaced_is_gone_from_the_database(self, pair: Edge) -> None:
        pair.call("emp", ADD, provider_xml("a1") + provider_xml("a2"))
        pair.call("emp", ADD, provider_xml("b1"))
        assert stored(pair) == (1, 1)

    def test_refused_endpoint_leaves_its_earlier_version(self, pair: Edge) -> None:
        pair.call("emp", ADD, provider_xml("a1") + provider_xml("a2") + provider_xml("a3"))
        reply = pair.call(
            "emp", ADD, provider_xml("a1", whitelist=["DEXYZC%"]) + provider_xml("a2")
        )
        assert reply.result == "partly"
        assert seen(pair, "cpo", "provider") == ["a1", "a2"]

    def test_day_of_which_all_is_refused_stays_as_it_was(self, pair: Edge) -> None:
        pair.call("emp", ADD, provider_xml("a1", day=DAY) + provider_xml("b1", day=LATER))
        pair.call(
            "emp",
            ADD,
            provider_xml("a2", day=DAY, whitelist=["DEXYZC%"]) + provider_xml("b2", day=LATER),
        )
        assert seen(pair, "cpo", "provider") == ["a1", "b2"]

    def test_twice_in_one_message_the_last_wins_with_a_note(self, pair: Edge) -> None:
        reply = pair.call(
            "emp",
            ADD,
            provider_xml("a1", whitelist=["DEEMPC1%"]) + provider_xml("a1", whitelist=["DEEMPC2%"]),
        )
        assert "repeated-record" in reply.description
        (record,) = pair.call("cpo", GET).elements("providerEndpointArray")
        assert record.findtext(f"{O}whitelist") == "DEEMPC2%"


class TestOwnership:
    @pytest.mark.parametrize("patterns", ["whitelist", "blacklist"])
    def test_pattern_of_a_foreign_id(self, pair: Edge, patterns: str) -> None:
        reply = pair.call("emp", ADD, provider_xml(**{patterns: ["DEEMPC%", "DEXYZC%"]}))
        assert reply.result == "invalid-id"
        assert "DEXYZ" in reply.description
        assert "DEEMP" in reply.description

    def test_pattern_of_ones_own_id_in_lower_case(self, pair: Edge) -> None:
        assert pair.call("emp", ADD, provider_xml(whitelist=["deempc%"])).result == "ok"

    def test_kind_of_a_role_that_the_caller_has_not(self, pair: Edge) -> None:
        reply = pair.call("emp", ADD, operator_xml(whitelist=["DEEMPE%"]))
        assert reply.result == "invalid-id"
        assert "CPO" in reply.description

    def test_id_of_another_role_is_not_enough(self, edge: Edge) -> None:
        edge.partner("duo", "cpo emp")
        assert edge.call("duo", ADD, operator_xml()).result == "invalid-id"


class TestUniqueToken:
    @pytest.fixture
    def rival(self, pair: Edge) -> Edge:
        pair.partner("rival", "emp", "DE-RIV")
        pair.connect("rival", "cpo")
        pair.call("emp", ADD, provider_xml("shared"))
        return pair

    def test_token_of_another_partner_is_refused_without_telling_whose(self, rival: Edge) -> None:
        reply = rival.call("rival", ADD, provider_xml("shared", whitelist=["DERIVC%"]))
        assert reply.result == "format"
        assert "#1 provider endpoint https://provider.example/direct" in reply.description
        assert "endpoint-token-unique" in reply.description
        assert "DEEMP" not in reply.description
        assert "emp," not in reply.description
        assert len(rival.call("cpo", GET).elements("providerEndpointArray")) == 1

    def test_the_others_of_the_message_are_taken(self, rival: Edge) -> None:
        reply = rival.call(
            "rival",
            ADD,
            provider_xml("shared", whitelist=["DERIVC%"])
            + provider_xml("fresh", whitelist=["DERIVC%"]),
        )
        assert reply.result == "partly"
        assert seen(rival, "cpo", "provider") == ["fresh", "shared"]

    def test_other_kind_and_other_day_make_no_difference(self, rival: Edge) -> None:
        reply = rival.call("cpo", ADD, operator_xml("shared", day=LATER))
        assert reply.result == "format"

    def test_token_that_its_partner_replaced_is_free(self, rival: Edge) -> None:
        rival.call("emp", ADD, provider_xml("another"))
        reply = rival.call("rival", ADD, provider_xml("shared", whitelist=["DERIVC%"]))
        assert reply.result == "ok"

    def test_partner_may_use_a_token_for_several_endpoints(self, pair: Edge) -> None:
        reply = pair.call(
            "emp",
            ADD,
            provider_xml("a1", namespace="http://ochp.eu/1.3")
            + provider_xml("a1", namespace="http://ochp.eu/1.4"),
        )
        assert reply.result == "ok"
        assert seen(pair, "cpo", "provider") == ["a1", "a1"]

    def test_two_partners_at_the_same_moment(self, rival: Edge) -> None:
        together = threading.Barrier(2)

        def send(partner: str, pattern: str) -> Reply:
            sent = [provider_xml(f"new-{number}", whitelist=[pattern]) for number in range(20)]
            together.wait()
            return rival.call(partner, ADD, "".join(sent))

        with ThreadPoolExecutor(2) as threads:
            replies = list(threads.map(send, ["emp", "rival"], ["DEEMPC%", "DERIVC%"]))
        assert sorted(reply.result or "" for reply in replies) == ["format", "ok"]
        new = [token for token in seen(rival, "cpo", "provider") if token.startswith("new-")]
        assert new == sorted(f"new-{number}" for number in range(20))

    def test_upload_waits_for_one_that_claims_tokens(self, rival: Edge) -> None:
        digest = Vault(lambda: SECRET_KEY).digest("fresh")
        with ThreadPoolExecutor(1) as thread:
            with rival.database.begin() as other:
                lock_tokens(other)
                sent = provider_xml("fresh", whitelist=["DERIVC%"])
                reply = thread.submit(rival.call, "rival", ADD, sent)
                assert wait([reply], timeout=0.3).done == set()
                mine = sa.select(sa.literal(digest), endpoint_token.c.partner_id)
                other.execute(endpoint_token.insert().from_select(["digest", "partner_id"], mine))
            assert reply.result(timeout=10).result == "format"

    def test_database_itself_refuses_a_second_owner(self, rival: Edge) -> None:
        stolen = endpoint_token.insert().from_select(
            ["digest", "partner_id"],
            sa.select(endpoint_token.c.digest, endpoint_token.c.partner_id + 1),
        )
        with rival.database.begin() as connection:
            with pytest.raises(ConstraintBroken, match="pk_endpoint_token"), constraints_named():
                connection.execute(stolen)
            connection.rollback()


class TestForm:
    @pytest.mark.parametrize(
        "url",
        [
            "http://emp.example/",
            "https://",
            "https:///direct",
            "https://emp.example:port/",
            "https://[emp.example/",
            "https://emp example/",
            "https://emp.example/\\",
            f"https://emp.example/{'a' * 255}",
        ],
    )
    def test_url_that_cannot_be_called_over_https(self, pair: Edge, url: str) -> None:
        assert pair.call("emp", ADD, provider_xml(url=url)).result == "format"

    def test_url_with_credentials_is_refused_and_not_repeated(self, pair: Edge) -> None:
        reply = pair.call("emp", ADD, provider_xml(url="https://me:hunter2@emp.example/direct"))
        assert reply.result == "format"
        assert "https://emp.example/direct" in reply.description
        assert "hunter2" not in reply.description

    def test_namespace_that_the_contract_does_not_list(self, pair: Edge) -> None:
        reply = pair.call("emp", ADD, provider_xml(namespace="http://ochp.eu/9.9"))
        assert reply.result == "format"

    @pytest.mark.parametrize("token", ["", " "])
    def test_empty_token(self, pair: Edge, token: str) -> None:
        assert pair.call("emp", ADD, provider_xml(token)).result == "format"

    @pytest.mark.parametrize("day", ["2099-02-29", "2099-13-01", "99-01-01", "tomorrow"])
    def test_day_that_there_is_not(self, pair: Edge, day: str) -> None:
        assert pair.call("emp", ADD, provider_xml(day=day)).result == "format"

    def test_last_day_of_the_calendar(self, pair: Edge) -> None:
        assert pair.call("emp", ADD, provider_xml("a1", day="9999-12-31")).result == "ok"
        assert seen(pair, "cpo", "provider") == ["a1"]

    def test_without_whitelist(self, pair: Edge) -> None:
        assert pair.call("emp", ADD, provider_xml(whitelist=[])).result == "format"


class TestTokenClock:
    """A token of day N counts from 23:50 UTC of the day before until 00:30 UTC of the day after."""

    @pytest.mark.parametrize(
        ("moment", "expected"),
        [
            (at(EARLIER, "23:49"), ["later", "today", "yesterday"]),
            (at(EARLIER, "23:50"), ["later", "today", "yesterday"]),
            (at(DAY, "00:00"), ["later", "today", "yesterday"]),
            (at(DAY, "00:29:59"), ["later", "today", "yesterday"]),
            (at(DAY, "00:30"), ["later", "today"]),
            (at(DAY, "00:31"), ["later", "today"]),
            (at(DAY, "23:49"), ["later", "today"]),
            (at(DAY, "23:50"), ["later", "today"]),
            (at(LATER, "00:00"), ["later", "today"]),
            (at(LATER, "00:30"), ["later"]),
            (at(LATER, "00:31"), ["later"]),
        ],
    )
    def test_what_is_given_out_and_what_is_left(
        self, pair: Edge, clock: Clock, moment: datetime, expected: list[str]
    ) -> None:
        clock.now = at(EARLIER, "12:00")
        days = {"yesterday": EARLIER, "today": DAY, "later": LATER}
        sent = "".join(provider_xml(token, day=day) for token, day in days.items())
        assert pair.call("emp", ADD, sent).result == "ok"
        clock.now = moment
        assert seen(pair, "cpo", "provider") == expected
        assert erase_expired(pair.database, moment) == 3 - len(expected)
        assert stored(pair) == (len(expected), len(expected))
        assert seen(pair, "cpo", "provider") == expected

    @pytest.mark.parametrize(
        ("moment", "first_taken"),
        [
            (at(EARLIER, "23:49"), EARLIER),
            (at(EARLIER, "23:50"), EARLIER),
            (at(DAY, "00:00"), DAY),
            (at(DAY, "00:30"), DAY),
            (at(DAY, "00:31"), DAY),
            # The same moment as 23:30 UTC of the day before, on another clock.
            (datetime.fromisoformat(f"{DAY}T01:30:00+02:00"), EARLIER),
        ],
    )
    def test_which_days_are_taken(
        self, pair: Edge, clock: Clock, moment: datetime, first_taken: date
    ) -> None:
        clock.now = moment
        too_early = first_taken - timedelta(days=1)
        assert pair.call("emp", ADD, provider_xml("a1", day=first_taken)).result == "ok"
        reply = pair.call("emp", ADD, provider_xml("a2", day=too_early))
        assert reply.result == "format"
        assert f"today is {first_taken} in UTC" in reply.description


class TestErasure:
    def test_one_node_at_a_time(self, pair: Edge) -> None:
        pair.call("emp", ADD, provider_xml("a1", day=DAY))
        after = at(LATER, "00:30")
        with pair.database.begin() as other_node:
            lock_tokens(other_node)
            assert erase_expired(pair.database, after) == 0
        assert erase_expired(pair.database, after) == 1

    def test_server_erases_by_itself(self, pair: Edge, clock: Clock) -> None:
        pair.call("emp", ADD, provider_xml("a1", day=DAY) + provider_xml("b1", day=LATER))
        clock.now = at(LATER, "00:30")
        server = chores(pair.database, clock, pause_s=0.01)
        server.start()
        try:
            deadline = time.monotonic() + 10
            while stored(pair) != (1, 1) and time.monotonic() < deadline:
                time.sleep(0.01)
        finally:
            server.stop()
        assert stored(pair) == (1, 1)

    def test_token_is_free_again_after_its_window(self, pair: Edge, clock: Clock) -> None:
        pair.partner("rival", "emp", "DE-RIV")
        pair.call("emp", ADD, provider_xml("a1", day=DAY))
        clock.now = at(LATER, "00:30")
        erase_expired(pair.database, clock.now)
        assert pair.call("rival", ADD, provider_xml("a1", whitelist=["DERIVC%"])).result == "ok"

    def test_token_that_another_day_uses_too_stays(self, pair: Edge) -> None:
        pair.call("emp", ADD, provider_xml("a1", day=DAY) + provider_xml("a1", day=LATER))
        assert erase_expired(pair.database, at(LATER, "00:30")) == 1
        assert stored(pair) == (1, 1)


class TestSecrecy:
    SECRET = "Very-Secret-Access-Token"

    @pytest.fixture
    def stream(self) -> Iterator[io.StringIO]:
        """Where logs go until the test is over."""
        root = logging.getLogger()
        handlers, level = root.handlers, root.level
        yield io.StringIO()
        root.handlers = handlers
        root.setLevel(level)
        structlog.reset_defaults()

    def everything_stored(self, database: Database) -> str:
        with database.begin() as connection:
            tables = connection.execute(
                sa.text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            ).scalars()
            return "".join(
                str(
                    [
                        tuple(map(_readable, row))
                        for row in connection.exec_driver_sql(f'SELECT * FROM "{table}"')
                    ]
                )
                for table in tables.all()
            )

    def test_token_is_in_no_table_log_or_description(self, pair: Edge, stream: io.StringIO) -> None:
        logs.configure(LogLevel.DEBUG, LogFormat.JSON, stream)
        pair.partner("rival", "emp", "DE-RIV")
        messages = {
            "ok": provider_xml(self.SECRET),
            "too long": provider_xml(f"{self.SECRET}{'x' * 255}"),
            "with an element in it": provider_xml(f"<b>{self.SECRET}</b>"),
            "foreign": provider_xml(self.SECRET, whitelist=["DEXYZC%"]),
            "wrong url": provider_xml(self.SECRET, url=f"http://{self.SECRET}@emp.example/"),
            "wrong day": provider_xml(self.SECRET, day="2099-13-01"),
            "over": provider_xml(self.SECRET, day="2001-01-01"),
            "twice": provider_xml(self.SECRET) * 2,
            "misspelled": provider_xml(self.SECRET).replace("accessToken", "accesstoken"),
            "in the wrong frame": f"<accessToken>{self.SECRET}</accessToken>",
            "not closed": f"{provider_xml(self.SECRET)}<providerEndpointArray>",
        }
        replies = [pair.call("emp", ADD, message) for message in messages.values()]
        replies.append(pair.call("rival", ADD, provider_xml(self.SECRET, whitelist=["DERIVC%"])))
        assert self.SECRET in pair.call("cpo", GET).content.decode()
        for reply in replies:
            assert self.SECRET not in reply.content.decode()
        assert self.SECRET not in stream.getvalue()
        assert "AddServiceEndpoints" in stream.getvalue()
        assert self.SECRET not in self.everything_stored(pair.database)

    def test_failure_inside_tells_no_token(self, pair: Edge, stream: io.StringIO) -> None:
        logs.configure(LogLevel.DEBUG, LogFormat.CONSOLE, stream)
        with pair.database.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE service_endpoint RENAME TO elsewhere")
        try:
            reply = pair.call("emp", ADD, provider_xml(self.SECRET))
        finally:
            with pair.database.begin() as connection:
                connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO service_endpoint")
        assert reply.result == "server"
        assert "Traceback" in stream.getvalue()
        assert self.SECRET not in stream.getvalue()

    def test_node_with_another_key_says_what_is_missing(self, pair: Edge, clock: Clock) -> None:
        pair.call("emp", ADD, provider_xml("a1", day=DAY) + provider_xml("a2", day=LATER))
        other = Edge(pair.database, clock, Settings(clock_tolerance_s=0, secret_key="another " * 4))
        other.call("emp", ADD, provider_xml("b1", day=LATER))
        reply = other.call("cpo", GET)
        assert (reply.result, tokens(reply, "provider")) == ("partly", ["b1"])
        assert "1 endpoints cannot be read" in reply.description


def _readable(value: object) -> str:
    return bytes(value).decode("latin-1") if isinstance(value, memoryview) else str(value)
