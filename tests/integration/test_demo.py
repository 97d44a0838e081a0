"""The demo partners and the round trip, on the whole server without a socket."""

import pytest

from ochp_chs.clearing import connections, partners
from ochp_chs.clearing.connections import connect, disconnect
from ochp_chs.clearing.passwords import HashSettings, Passwords
from ochp_chs.demo.partners import PARTNERS, DemoUnwanted, load_partners, password_of
from ochp_chs.demo.round_trip import Played, play_round_trip
from ochp_chs.demo.step import Step
from ochp_chs.ochp.roles import Carries
from ochp_chs.repository.engine import Database
from ochp_chs.soap.services.registry import BUILT
from tests.support.edge import Edge

#: Verification is slow on purpose; here it only has to be right.
QUICK = Passwords(HashSettings(passes=1, memory_kib=64))


def load(database: Database, *, only_among_themselves: bool = False) -> None:
    load_partners(database, QUICK, only_among_themselves=only_among_themselves)


@pytest.fixture
def demo(edge: Edge) -> Edge:
    """A server with the demo partners."""
    load(edge.database)
    return edge


def play(demo: Edge) -> list[Played]:
    return play_round_trip(lambda path, content: demo.post(content, path).content)


def steps(played: list[Played]) -> list[Step]:
    return [step for chapter in played for step in chapter.steps]


def neighbours(database: Database, name: str) -> set[str]:
    joined = connections.list_connections(database, name)
    return {other for each in joined for other in (each.first, each.second)} - {name}


class TestPartners:
    @pytest.mark.parametrize(
        ("name", "roles", "party_ids", "connected_to"),
        [
            ("demo-cpo", {"cpo"}, {"DE*CPO"}, {"demo-emp", "demo-nsp", "demo-pso"}),
            ("demo-emp", {"emp"}, {"DE-EMP"}, {"demo-cpo", "demo-cpo2"}),
            ("demo-nsp", {"nsp"}, set(), {"demo-cpo", "demo-cpo2"}),
            ("demo-pso", {"pso"}, {"DE*PSO"}, {"demo-cpo"}),
            ("demo-cpo2", {"cpo"}, {"NL*CP2"}, {"demo-emp", "demo-nsp"}),
            ("demo-emp2", {"emp", "nsp"}, {"NL-EM2"}, set()),
        ],
    )
    def test_partner_is_as_the_readme_has_it(
        self,
        database: Database,
        name: str,
        roles: set[str],
        party_ids: set[str],
        connected_to: set[str],
    ) -> None:
        load(database)
        partner = partners.get_partner(database, name)
        assert partner.roles == roles
        assert {party.shown_as for party in partner.parties} == party_ids
        assert neighbours(database, name) == connected_to
        assert QUICK.verified(partner.password_hash, f"{name}-secret")

    def test_what_is_there_stays_as_it_is(self, database: Database) -> None:
        load(database)
        connect(database, "demo-emp", "demo-cpo", [Carries.TOKENS])
        partners.set_disabled(database, "demo-nsp", disabled=True)
        load(database)
        limited = connections.get_connection(database, "demo-emp", "demo-cpo")
        assert limited.carries == {Carries.TOKENS}
        assert partners.get_partner(database, "demo-nsp").disabled

    def test_missing_connection_comes_back(self, database: Database) -> None:
        load(database)
        disconnect(database, "demo-emp", "demo-cpo")
        load(database)
        assert "demo-cpo" in neighbours(database, "demo-emp")

    def test_nobody_is_added_to_an_operators_own_partners(self, edge: Edge) -> None:
        edge.partner("real", "cpo", "AT*REA")
        with pytest.raises(DemoUnwanted, match="'real'"):
            load(edge.database, only_among_themselves=True)
        assert [each.name for each in partners.list_partners(edge.database)] == ["real"]

    def test_operators_database_that_began_with_the_demo_is_welcome(self, edge: Edge) -> None:
        load(edge.database, only_among_themselves=True)
        edge.partner("real", "cpo", "AT*REA")
        load(edge.database, only_among_themselves=True)
        assert len(partners.list_partners(edge.database)) == len(PARTNERS) + 1


class TestRoundTrip:
    def test_every_step_goes_as_expected_again_and_again(self, demo: Edge) -> None:
        for _ in range(2):
            assert [step for step in steps(play(demo)) if not step.as_expected] == []

    def test_every_operation_that_is_built_is_shown(self, demo: Edge) -> None:
        built = {name for service in BUILT for name in service.public_methods}
        assert built - {step.operation for step in steps(play(demo))} == set()

    def test_step_that_goes_otherwise_says_what_came_instead(self, demo: Edge) -> None:
        disconnect(demo.database, "demo-emp", "demo-cpo")
        failed = [step for step in steps(play(demo)) if not step.as_expected]
        (asked,) = [step for step in failed if step.operation == "GetRoamingAuthorisationList"]
        assert (asked.who, asked.result) == ("demo-cpo", "roaming")
        assert "There is no roaming connection" in asked.shows

    def test_wrong_password_is_told_as_a_fault(self, demo: Edge) -> None:
        partners.set_password_hash(demo.database, "demo-emp", QUICK.hashed("changed-since"))
        (failed, *_) = [step for step in steps(play(demo)) if not step.as_expected]
        assert (failed.who, failed.result) == ("demo-emp", "fault")
        assert "password is wrong" in failed.shows


def test_password_is_the_name_with_secret_behind_it() -> None:
    assert password_of("demo-cpo") == "demo-cpo-secret"
