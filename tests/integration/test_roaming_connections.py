"""Whose data flows to whom, asked of PostgreSQL."""

import itertools
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from ochp_chs.ochp.roles import FLOWS, Carries, Role
from ochp_chs.repository import connections, partners
from ochp_chs.repository.connections import Change, is_connected, sinks_of, sources_of
from ochp_chs.repository.constraints import ConstraintBroken
from ochp_chs.repository.engine import Database
from ochp_chs.repository.partners import Party
from ochp_chs.repository.tables import partner_party, roaming_connection

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)

EVERY_KIND = [kind for kind in Carries if kind is not Carries.TOKEN_LOOKUP]


def add(connection: sa.Connection, name: str, *roles: Role, party_id: str | None = None) -> int:
    """Add a partner that holds one party ID in each of its roles that can."""
    partner_id = partners.insert_partner(connection, name, "no hash")
    partners.add_roles(connection, partner_id, roles)
    if party_id is not None:
        parties = [Party(role, party_id, party_id) for role in roles if role is not Role.NSP]
        partners.add_parties(connection, partner_id, parties)
    return partner_id


def party_ids(connected: tuple[connections.Connected, ...]) -> list[tuple[str, Role]]:
    return sorted((each.party_id, each.role) for each in connected)


@pytest.fixture
def cpo_and_emp(database: Database) -> tuple[int, int]:
    with database.begin() as connection:
        cpo = add(connection, "cpo", Role.CPO, party_id="DECPO")
        emp = add(connection, "emp", Role.EMP, party_id="DEEMP")
        connections.connect(connection, cpo, emp)
        return cpo, emp


@pytest.mark.parametrize(("role_a", "role_b"), list(itertools.product(Role, Role)))
def test_each_kind_flows_between_exactly_the_roles_that_it_is_for(
    database: Database, role_a: Role, role_b: Role
) -> None:
    with database.begin() as connection:
        a = add(connection, "a", role_a, party_id="DEAAA")
        b = add(connection, "b", role_b, party_id="DEBBB")
        connections.connect(connection, b, a)
        for kind in EVERY_KIND:
            flows = any(
                (flow.carries, flow.source, flow.sink) == (kind, role_a, role_b) for flow in FLOWS
            )
            assert is_connected(connection, a, b, kind) is flows
            assert party_ids(sources_of(connection, b, kind)) == [("DEAAA", role_a)] * flows
            shows_sink = flows and role_b is not Role.NSP
            assert party_ids(sinks_of(connection, a, kind)) == [("DEBBB", role_b)] * shows_sink


def test_party_ids_of_other_roles_of_the_source_are_not_its_source_ids(database: Database) -> None:
    with database.begin() as connection:
        both = add(connection, "both", Role.CPO, Role.EMP, party_id="DEBTH")
        partners.add_parties(connection, both, [Party(Role.CPO, "DEOPR", "DE*OPR")])
        cpo = add(connection, "cpo", Role.CPO, party_id="DECPO")
        connections.connect(connection, both, cpo)
        assert party_ids(sources_of(connection, cpo, Carries.TOKENS)) == [("DEBTH", Role.EMP)]
        assert sources_of(connection, cpo, Carries.CHARGE_POINTS) == ()
        assert party_ids(sources_of(connection, both, Carries.CDRS)) == [("DECPO", Role.CPO)]


def test_a_party_id_is_given_once_though_it_flows_to_two_roles_of_the_receiver(
    database: Database,
) -> None:
    with database.begin() as connection:
        cpo = add(connection, "cpo", Role.CPO, party_id="DECPO")
        sink = add(connection, "sink", Role.EMP, Role.NSP, party_id="DEEMP")
        connections.connect(connection, cpo, sink)
        found = sources_of(connection, sink, (Carries.CHARGE_POINTS, Carries.LIVE_STATUS))
        assert party_ids(found) == [("DECPO", Role.CPO)]


def test_partners_that_are_connected_to_others_only_are_no_sources(
    database: Database, cpo_and_emp: tuple[int, int]
) -> None:
    cpo, _ = cpo_and_emp
    with database.begin() as connection:
        add(connection, "emp2", Role.EMP, party_id="DEEM2")
        nsp = add(connection, "nsp", Role.NSP)
        connections.connect(connection, nsp, cpo)
        assert party_ids(sources_of(connection, cpo, Carries.TOKENS)) == [("DEEMP", Role.EMP)]
        assert sources_of(connection, nsp, Carries.CDRS) == ()
        assert party_ids(sources_of(connection, nsp, Carries.LIVE_STATUS)) == [("DECPO", Role.CPO)]


@pytest.mark.parametrize("limit", EVERY_KIND)
def test_a_limited_connection_carries_only_what_it_is_limited_to(
    database: Database, cpo_and_emp: tuple[int, int], limit: Carries
) -> None:
    cpo, emp = cpo_and_emp
    with database.begin() as connection:
        connections.connect(connection, cpo, emp, [limit])
        for kind in EVERY_KIND:
            ways = [(cpo, emp), (emp, cpo)]
            carried = any(is_connected(connection, *way, kind) for way in ways)
            assert carried is (kind is limit)
            found = [sources_of(connection, caller, kind) for caller in cpo_and_emp]
            assert any(found) is (kind is limit)


class TestTokenLookUp:
    def test_follows_the_token_list(self, database: Database, cpo_and_emp: tuple[int, int]) -> None:
        cpo, emp = cpo_and_emp
        with database.begin() as connection:
            for limit in (None, [Carries.TOKENS]):
                connections.connect(connection, cpo, emp, limit)
                assert is_connected(connection, emp, cpo, Carries.TOKEN_LOOKUP)
                assert not is_connected(connection, cpo, emp, Carries.TOKEN_LOOKUP)

    def test_alone_leaves_the_list_denied(
        self, database: Database, cpo_and_emp: tuple[int, int]
    ) -> None:
        cpo, emp = cpo_and_emp
        with database.begin() as connection:
            connections.connect(connection, cpo, emp, [Carries.TOKEN_LOOKUP])
            assert sources_of(connection, cpo, Carries.TOKENS) == ()
            found = sources_of(connection, cpo, (Carries.TOKENS, Carries.TOKEN_LOOKUP))
            assert party_ids(found) == [("DEEMP", Role.EMP)]
            assert sources_of(connection, cpo, Carries.TOKEN_LOOKUP) == found

    def test_is_denied_by_a_limit_to_something_else(
        self, database: Database, cpo_and_emp: tuple[int, int]
    ) -> None:
        with database.begin() as connection:
            connections.connect(connection, *cpo_and_emp, [Carries.CDRS])
            assert sources_of(connection, cpo_and_emp[0], Carries.TOKEN_LOOKUP) == ()


def test_an_ended_connection_carries_nothing(
    database: Database, cpo_and_emp: tuple[int, int]
) -> None:
    cpo, emp = cpo_and_emp
    with database.begin() as connection:
        assert connections.disconnect(connection, emp, cpo)
        assert not connections.disconnect(connection, emp, cpo)
        assert sources_of(connection, cpo, Carries.TOKENS) == ()
        assert sinks_of(connection, cpo, Carries.CDRS) == ()
        assert not is_connected(connection, cpo, emp, Carries.CDRS)


def test_the_data_of_a_disabled_partner_flows_until_the_connection_ends(
    database: Database, cpo_and_emp: tuple[int, int]
) -> None:
    cpo, emp = cpo_and_emp
    with database.begin() as connection:
        partners.disable_partner(connection, emp)
        assert party_ids(sources_of(connection, cpo, Carries.TOKENS)) == [("DEEMP", Role.EMP)]


def test_a_partner_cannot_be_connected_to_itself(
    database: Database, cpo_and_emp: tuple[int, int]
) -> None:
    with pytest.raises(ConstraintBroken) as broken, database.begin() as connection:
        connections.connect(connection, cpo_and_emp[0], cpo_and_emp[0])
    assert broken.value.constraint == "ck_roaming_connection_order"


def test_a_listed_connection_names_both_partners_and_its_limits(
    database: Database, cpo_and_emp: tuple[int, int]
) -> None:
    cpo, emp = cpo_and_emp
    with database.begin() as connection:
        nsp = add(connection, "nsp", Role.NSP)
        connections.connect(connection, nsp, cpo, [Carries.LIVE_STATUS])
        listed = connections.list_connections(connection)
        assert [(each.first, each.second, each.carries) for each in listed] == [
            ("cpo", "emp", None),
            ("cpo", "nsp", frozenset({Carries.LIVE_STATUS})),
        ]
        assert listed[1].first_roles == {Role.CPO}
        assert listed[1].second_roles == {Role.NSP}
        assert connections.list_connections(connection, emp) == listed[:1]
        assert connections.list_connections(connection, rows_max=1) == listed[:1]


class TestVisibleSince:
    """From when on all of a source's data counts as new to the receiver."""

    @pytest.fixture
    def old(self, database: Database, cpo_and_emp: tuple[int, int]) -> tuple[int, int]:
        """Date everything back, so that what is renewed can be told apart."""
        with database.begin() as connection:
            connection.execute(sa.update(roaming_connection).values(connected_at=LONG_AGO))
            connection.execute(sa.update(partner_party).values(granted_at=LONG_AGO))
        return cpo_and_emp

    def since(self, database: Database, partner_id: int, kind: Carries) -> datetime:
        with database.begin() as connection:
            (source,) = sources_of(connection, partner_id, kind)
            return source.visible_since

    def test_nothing_changed(self, database: Database, old: tuple[int, int]) -> None:
        assert self.since(database, old[0], Carries.TOKENS) == LONG_AGO

    def test_connected_again_as_before(self, database: Database, old: tuple[int, int]) -> None:
        with database.begin() as connection:
            assert connections.connect(connection, *old) is Change.UNCHANGED
        assert self.since(database, old[0], Carries.TOKENS) == LONG_AGO

    def test_ended_and_connected_again(self, database: Database, old: tuple[int, int]) -> None:
        with database.begin() as connection:
            connections.disconnect(connection, *old)
            assert connections.connect(connection, *old) is Change.CONNECTED
        assert self.since(database, old[0], Carries.TOKENS) > LONG_AGO

    def test_limit_changed(self, database: Database, old: tuple[int, int]) -> None:
        with database.begin() as connection:
            changed = connections.connect(connection, *old, [Carries.TOKENS])
            assert changed is Change.CHANGED
        assert self.since(database, old[0], Carries.TOKENS) > LONG_AGO

    def test_party_id_of_the_source_added_later(
        self, database: Database, old: tuple[int, int]
    ) -> None:
        cpo, emp = old
        with database.begin() as connection:
            partners.add_parties(connection, emp, [Party(Role.EMP, "DEEM2", "DE-EM2")])
            connection.execute(sa.update(roaming_connection).values(connected_at=LONG_AGO))
            since = {
                each.party_id: each.visible_since
                for each in sources_of(connection, cpo, Carries.TOKENS)
            }
        assert since["DEEMP"] == LONG_AGO
        assert since["DEEM2"] > LONG_AGO

    def test_role_of_the_receiver_added_later(
        self, database: Database, old: tuple[int, int]
    ) -> None:
        with database.begin() as connection:
            partners.add_roles(connection, old[1], [Role.NSP])
        assert self.since(database, old[1], Carries.CHARGE_POINTS) > LONG_AGO

    def test_provider_id_of_the_receiver_removed(
        self, database: Database, old: tuple[int, int]
    ) -> None:
        # A tariff that named this provider is no longer the receiver's: its next delta must show
        # what it gets instead.
        with database.begin() as connection:
            partners.remove_parties(connection, old[1], [(Role.EMP, "DEEMP")])
        assert self.since(database, old[1], Carries.TARIFFS) > LONG_AGO
