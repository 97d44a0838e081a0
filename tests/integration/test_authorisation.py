"""Authorisation data end to end over the SOAP edge, on a real database."""

import hashlib
from collections.abc import Sequence

import pytest
from lxml import etree

from tests.support.edge import Clock, Edge, O
from tests.support.tokens import token_xml

LIST = "GetRoamingAuthorisationList"
UPDATES = "GetRoamingAuthorisationListUpdates"
SINGLE = "GetSingleRoamingAuthorisation"
SET = "SetRoamingAuthorisationList"
UPDATE = "UpdateRoamingAuthorisationList"


@pytest.fixture
def pair(edge: Edge) -> Edge:
    """An EMP and a CPO, connected."""
    edge.partner("emp", "emp", "DE-EMP")
    edge.partner("cpo", "cpo", "DE*CPO")
    edge.connect("emp", "cpo")
    return edge


def instances(records: Sequence[etree._Element]) -> list[str]:
    return sorted(record.findtext(f"{O}EmtId/{O}instance") or "" for record in records)


def full_list(edge: Edge) -> list[str]:
    reply = edge.call("cpo", LIST)
    assert reply.result == "ok"
    return instances(reply.elements("roamingAuthorisationInfoArray"))


def since(edge: Edge, moment: str = "2000-01-01T00:00:00Z") -> Sequence[etree._Element]:
    reply = edge.call("cpo", UPDATES, f"<lastUpdate><DateTime>{moment}</DateTime></lastUpdate>")
    assert reply.result == "ok"
    return reply.elements("roamingAuthorisationInfo")


def single(edge: Edge, instance: str, representation: str = "plain") -> tuple[str | None, int]:
    reply = edge.call(
        "cpo",
        SINGLE,
        f'<emtId representation="{representation}"><instance>{instance}</instance>'
        "<tokenType>rfid</tokenType></emtId>",
    )
    return reply.result, len(reply.elements("roamingAuthorisationInfo"))


class TestSet:
    def test_list_arrives_at_connected_cpo_as_it_was_sent(self, pair: Edge) -> None:
        sent = token_xml(
            "04AA", contract_id="de-emp-c00000001", printed_number="A &amp; &lt;B> ü\\\t"
        )
        assert pair.call("emp", SET, sent).result == "ok"
        (record,) = pair.call("cpo", LIST).elements("roamingAuthorisationInfoArray")
        assert record.findtext(f"{O}contractId") == "de-emp-c00000001"
        assert record.findtext(f"{O}printedNumber") == "A & <B> ü\\\t"

    def test_set_replaces_the_whole_list(self, pair: Edge) -> None:
        pair.call("emp", SET, token_xml("04AA") + token_xml("04BB"))
        pair.call("emp", SET, token_xml("04BB") + token_xml("04CC"))
        assert full_list(pair) == ["04BB", "04CC"]

    def test_what_a_set_leaves_out_is_expired_in_the_next_delta(
        self, pair: Edge, clock: Clock
    ) -> None:
        pair.call("emp", SET, token_xml("04AA") + token_xml("04BB"))
        clock.turn(hours=1)
        pair.call("emp", SET, token_xml("04BB"))
        expiries = {
            record.findtext(f"{O}EmtId/{O}instance"): record.findtext(f"{O}expiryDate/{O}DateTime")
            for record in since(pair)
        }
        assert expiries["04AA"] == clock.now.strftime("%Y-%m-%dT%H:%M:%SZ")
        assert expiries["04BB"] == "2099-12-31T23:59:59Z"

    def test_withdrawn_token_comes_back_when_it_is_set_again(self, pair: Edge) -> None:
        pair.call("emp", SET, token_xml("04AA") + token_xml("04BB"))
        pair.call("emp", SET, token_xml("04BB"))
        pair.call("emp", SET, token_xml("04AA") + token_xml("04BB"))
        assert full_list(pair) == ["04AA", "04BB"]

    def test_refused_record_leaves_the_earlier_version(self, pair: Edge) -> None:
        pair.call("emp", SET, token_xml("04AA") + token_xml("04BB"))
        reply = pair.call(
            "emp", SET, token_xml("04AA", expiry="2030-13-01T00:00:00Z") + token_xml("04BB")
        )
        assert reply.result == "partly"
        assert full_list(pair) == ["04AA", "04BB"]

    def test_nothing_is_withdrawn_when_every_record_is_refused(self, pair: Edge) -> None:
        pair.call("emp", SET, token_xml("04AA"))
        assert pair.call("emp", SET, token_xml("04BB", expiry="2030-13-01T00:00:00Z")).result == (
            "format"
        )
        assert full_list(pair) == ["04AA"]

    def test_empty_set_is_refused(self, pair: Edge) -> None:
        pair.call("emp", SET, token_xml("04AA"))
        assert pair.call("emp", SET).result == "format"
        assert full_list(pair) == ["04AA"]

    def test_a_list_longer_than_travels_inline(self, pair: Edge) -> None:
        tokens = [f"04{number:06X}" for number in range(450)]
        pair.call("emp", SET, "".join(map(token_xml, tokens)))
        assert full_list(pair) == tokens
        pair.call("emp", SET, "".join(map(token_xml, tokens[:-1])) + token_xml("04AA"))
        assert full_list(pair) == [*tokens[:-1], "04AA"]


class TestUpdate:
    def test_adds_and_changes_and_keeps_the_rest(self, pair: Edge) -> None:
        pair.call("emp", SET, token_xml("04AA"))
        assert pair.call("emp", UPDATE, token_xml("04BB")).result == "ok"
        assert full_list(pair) == ["04AA", "04BB"]

    def test_past_expiry_revokes_and_reaches_the_delta(self, pair: Edge) -> None:
        pair.call("emp", SET, token_xml("04AA"))
        pair.call("emp", UPDATE, token_xml("04AA", expiry="2020-01-01T00:00:00Z"))
        assert full_list(pair) == []
        assert instances(since(pair)) == ["04AA"]

    def test_unchanged_content_is_no_change(self, pair: Edge) -> None:
        pair.call("emp", SET, token_xml("04AA"))
        with pair.database.begin() as connection:
            connection.exec_driver_sql("UPDATE change SET changed_at = '2001-01-01'")
            # A connection that is new to the CPO brings the whole list with it.
            connection.exec_driver_sql("UPDATE roaming_connection SET connected_at = '2001-01-01'")
            connection.exec_driver_sql("UPDATE partner_party SET granted_at = '2001-01-01'")
        pair.call("emp", UPDATE, token_xml("04AA"))
        assert since(pair, "2002-01-01T00:00:00Z") == []

    @pytest.mark.parametrize("records", [2, 402])
    def test_twice_in_one_message_the_last_wins_with_a_note(self, pair: Edge, records: int) -> None:
        others = [token_xml(f"05{number:06X}") for number in range(records - 2)]
        first = token_xml("04AA", contract_id="DE-EMP-C00000001")
        last = token_xml("04AA", contract_id="DE-EMP-C00000002")
        reply = pair.call("emp", UPDATE, first + "".join(others) + last)
        assert reply.result == "ok"
        assert "repeated-record" in reply.description
        listed = pair.call("cpo", LIST).elements("roamingAuthorisationInfoArray")
        contracts = {
            record.findtext(f"{O}contractId")
            for record in listed
            if record.findtext(f"{O}EmtId/{O}instance") == "04AA"
        }
        assert contracts == {"DE-EMP-C00000002"}


class TestRefusals:
    def test_token_of_a_foreign_provider(self, pair: Edge) -> None:
        reply = pair.call("emp", UPDATE, token_xml(contract_id="DE-XYZ-C00000001"))
        assert reply.result == "invalid-id"
        assert len(reply.elements("refusedRoamingAuthorisationInfo")) == 1
        assert "DEXYZ" in reply.description

    def test_remote_token(self, pair: Edge) -> None:
        reply = pair.call("emp", UPDATE, token_xml(token_type="remote"))
        assert reply.result == "format"
        assert "token-type-remote" in reply.description

    def test_record_that_does_not_validate_is_named_but_not_echoed(self, pair: Edge) -> None:
        reply = pair.call("emp", UPDATE, token_xml("04AA") + token_xml("04BB", contract_id="X"))
        assert reply.result == "partly"
        assert "#2 token 04BB of X: contractId 'X' (schema)" in reply.description
        assert reply.elements("refusedRoamingAuthorisationInfo") == []

    def test_hash_of_the_wrong_length(self, pair: Edge) -> None:
        reply = pair.call("emp", UPDATE, token_xml("abc", representation="sha-256"))
        assert reply.result == "format"
        assert "64 hexadecimal digits" in reply.description

    def test_wrong_check_character_is_a_warning(self, pair: Edge) -> None:
        reply = pair.call("emp", UPDATE, token_xml(contract_id="DE-EMP-C00000001-0"))
        assert reply.result == "ok"
        assert "contract-check-character" in reply.description


class TestSingle:
    PLAIN = "04A1B2C3"
    SHA1 = hashlib.sha1(PLAIN.encode()).hexdigest()
    SHA256 = hashlib.sha256(PLAIN.encode()).hexdigest()

    @pytest.mark.parametrize(
        ("stored", "asked", "found"),
        [
            ("plain", "plain", True),
            ("plain", "sha-160", True),
            ("plain", "sha-256", True),
            ("sha-160", "plain", True),
            ("sha-160", "sha-160", True),
            # Neither can be computed from the other.
            ("sha-160", "sha-256", False),
            ("sha-256", "plain", True),
            ("sha-256", "sha-256", True),
            ("sha-256", "sha-160", False),
        ],
    )
    def test_found_whatever_the_representation(
        self, pair: Edge, stored: str, asked: str, found: bool
    ) -> None:
        texts = {"plain": self.PLAIN, "sha-160": self.SHA1, "sha-256": self.SHA256}
        pair.call("emp", SET, token_xml(texts[stored], representation=stored))
        text = texts[asked] if asked == "plain" else texts[asked].upper()
        assert single(pair, text, asked) == (("ok", 1) if found else ("invalid-id", 0))

    def test_unknown_expired_and_withdrawn_are_alike(self, pair: Edge, clock: Clock) -> None:
        pair.call("emp", SET, token_xml("04AA") + token_xml("04BB", expiry="2020-01-01T00:00:00Z"))
        pair.call("emp", SET, token_xml("04BB", expiry="2020-01-01T00:00:00Z"))
        for instance in ("04AA", "04BB", "04CC"):
            assert single(pair, instance) == ("invalid-id", 0)

    def test_without_any_connection(self, edge: Edge) -> None:
        edge.partner("cpo", "cpo", "DE*CPO")
        assert single(edge, "04AA") == ("roaming", 0)
