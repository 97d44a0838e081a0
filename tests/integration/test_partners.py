"""Partners in PostgreSQL: finding them, and what the database itself does not let in."""

import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from ochp_chs.clearing import errors
from ochp_chs.clearing.errors import (
    DomainError,
    NothingFlows,
    PartnerNameTaken,
    PartyIdInvalid,
    PartyIdTaken,
    SettingInvalid,
    constraints_explained,
)
from ochp_chs.clearing.partners import add_partner, is_partner_name
from ochp_chs.ochp.reading import Reading
from ochp_chs.ochp.roles import Role
from ochp_chs.repository import connections, partners
from ochp_chs.repository.constraints import ConstraintBroken
from ochp_chs.repository.engine import Database
from ochp_chs.repository.partners import Party
from ochp_chs.repository.tables import metadata


@pytest.fixture
def connection(database: Database) -> Iterator[sa.Connection]:
    with database.begin() as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def partner_id(connection: sa.Connection) -> int:
    return partners.insert_partner(connection, "cpo", "hash")


class TestFinding:
    def test_all_there_is_to_know_by_one_statement(
        self, connection: sa.Connection, partner_id: int
    ) -> None:
        partners.add_roles(connection, partner_id, [Role.EMP, Role.CPO])
        abc = Party(Role.CPO, "DEABC", "DE*ABC")
        xyz = Party(Role.EMP, "DEXYZ", "de-xyz")
        partners.add_parties(connection, partner_id, [xyz, abc])
        statements: list[str] = []

        def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
            statements.append(statement)

        sa.event.listen(connection, "before_cursor_execute", note)
        found = partners.find_partner(connection, "cpo")
        assert found is not None
        assert (found.id, found.name, found.password_hash) == (partner_id, "cpo", "hash")
        assert found.roles == {Role.CPO, Role.EMP}
        assert found.parties == (abc, xyz)
        assert found.reading is Reading.TOLERANT
        assert not found.empty_set_withdraws
        assert found.cdrs_per_answer_max is None
        assert not found.disabled
        assert len(statements) == 1

    def test_a_partner_without_roles_and_party_ids(
        self, connection: sa.Connection, partner_id: int
    ) -> None:
        found = partners.find_partner(connection, "cpo")
        assert found is not None
        assert found.id == partner_id
        assert (found.roles, found.parties) == (frozenset(), ())

    @pytest.mark.usefixtures("partner_id")
    @pytest.mark.parametrize("name", ["", "CPO", "cp", "cpo ", "%", "cp_", "' OR true --"])
    def test_only_by_its_exact_name(self, connection: sa.Connection, name: str) -> None:
        assert partners.find_partner(connection, name) is None

    def test_a_list_is_ordered_and_bounded(self, connection: sa.Connection) -> None:
        for name in ("c", "a", "b"):
            partners.insert_partner(connection, name, "hash")
        listed = partners.list_partners(connection, rows_max=2)
        assert [each.name for each in listed] == ["a", "b"]

    def test_whose_a_party_id_is(self, connection: sa.Connection, partner_id: int) -> None:
        partners.add_roles(connection, partner_id, [Role.CPO])
        partners.add_parties(connection, partner_id, [Party(Role.CPO, "DEABC", "DE*ABC")])
        found = partners.owners_of(connection, Role.CPO, ["DEABC", "DEXYZ"])
        assert found == {"DEABC": (partner_id, "cpo")}
        assert partners.owners_of(connection, Role.EMP, ["DEABC"]) == {}
        assert partners.owners_of(connection, Role.CPO, []) == {}


class TestConstraints:
    """What slips past the checks (two operators at once, say) ends in the same errors."""

    @pytest.mark.usefixtures("partner_id")
    def test_name_taken(self, connection: sa.Connection) -> None:
        with pytest.raises(PartnerNameTaken, match="'cpo'"), constraints_explained("cpo"):
            partners.insert_partner(connection, "cpo", "hash")

    def test_largest_number_of_cdrs_zero(self, connection: sa.Connection, partner_id: int) -> None:
        with pytest.raises(SettingInvalid), constraints_explained("cpo"):
            partners.update_settings(
                connection,
                partner_id,
                reading=Reading.STRICT,
                empty_set_withdraws=False,
                cdrs_per_answer_max=0,
            )

    def test_party_id_that_is_no_key(self, connection: sa.Connection, partner_id: int) -> None:
        with pytest.raises(PartyIdInvalid, match=r"'DE\*ABC'"), constraints_explained("DE*ABC"):
            partners.add_parties(connection, partner_id, [Party(Role.CPO, "DE*ABC", "DE*ABC")])

    def test_connected_to_itself(self, connection: sa.Connection, partner_id: int) -> None:
        with pytest.raises(NothingFlows, match="itself"), constraints_explained("cpo"):
            connections.connect(connection, partner_id, partner_id)

    def test_what_nobody_can_cause_is_a_bug(self, connection: sa.Connection) -> None:
        with pytest.raises(ConstraintBroken) as broken, constraints_explained("x"):
            connections.connect(connection, 1, 2)
        assert broken.value.constraint.startswith("fk_roaming_connection_")
        assert not isinstance(broken.value, DomainError)

    def test_every_explained_constraint_is_one_of_the_schema(self) -> None:
        names = {str(each.name) for table in metadata.tables.values() for each in table.constraints}
        names |= {
            f"uq_{table.name}_{column.name}"
            for table in metadata.tables.values()
            for column in table.columns
            if column.unique
        }
        assert errors._BY_CONSTRAINT.keys() <= names


def test_of_two_who_take_a_party_id_at_once_one_has_it(database: Database) -> None:
    ready = threading.Barrier(2)
    outcomes: list[str] = []

    def take(name: str) -> None:
        ready.wait(10)
        try:
            add_partner(database, name, "hash", roles=[Role.CPO], party_ids=["DE*ABC", "DE*ABD"])
            outcomes.append("has it")
        except PartyIdTaken as taken:
            outcomes.append(str(taken))

    threads = [threading.Thread(target=take, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.begin() as connection:
        (winner,) = partners.list_partners(connection)
    assert winner.party_ids(Role.CPO) == {"DEABC", "DEABD"}
    assert sorted(outcomes) == [
        f"The party ID DE*ABC belongs to the partner '{winner.name}' in the role cpo already.",
        "has it",
    ]


@pytest.mark.parametrize("name", ["a", "x" * 64, "Stadtwerke Köln", "user@example.org", "a-b_c.d"])
def test_names_that_a_partner_can_have(name: str) -> None:
    assert is_partner_name(name)


@pytest.mark.parametrize("name", ["", " ", " a", "a ", "-a", "x" * 65, "a\0", "a\tb", "\ud800"])
def test_names_that_no_partner_can_have(name: str) -> None:
    assert not is_partner_name(name)
