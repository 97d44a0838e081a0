"""What one partner can learn of another's tokens: every pair of roles, every kind of connection."""

import hashlib
from collections.abc import Collection, Iterator

import pytest

from ochp_chs.clearing.connections import disconnect
from ochp_chs.clearing.errors import NothingFlows
from ochp_chs.ochp.flows import flows_between
from ochp_chs.ochp.operations import OPERATIONS, Operation
from ochp_chs.ochp.roles import Carries, Role
from tests.support.edge import Edge, Reply
from tests.support.tokens import token_xml

SECRET = "04C0FFEE5EC4E7"
THEIR_CONTRACT = "DE-BBB-C00000001"
ROLES = tuple(Role)

#: None: without any limit.
Limit = Collection[Carries] | None

LIMITS: tuple[Limit, ...] = (
    None,
    *[(kind,) for kind in Carries],
    tuple(kind for kind in Carries if kind not in (Carries.TOKENS, Carries.TOKEN_LOOKUP)),
)

LIST = "GetRoamingAuthorisationList"
UPDATES = "GetRoamingAuthorisationListUpdates"
SINGLE = "GetSingleRoamingAuthorisation"
SET = "SetRoamingAuthorisationList"
UPDATE = "UpdateRoamingAuthorisationList"


def look_ups() -> Iterator[str]:
    data = SECRET.encode()
    texts = {
        "plain": SECRET,
        "sha-160": hashlib.sha1(data).hexdigest(),
        "sha-256": hashlib.sha256(data).hexdigest(),
    }
    for representation, text in texts.items():
        yield (
            f'<emtId representation="{representation}"><instance>{text}</instance>'
            "<tokenType>rfid</tokenType></emtId>"
        )


def walk(edge: Edge, caller: str) -> dict[str, list[Reply]]:
    """All that a partner can ask and try about another's token."""
    since = "<lastUpdate><DateTime>2000-01-01T00:00:00Z</DateTime></lastUpdate>"
    stolen = token_xml(SECRET, contract_id=THEIR_CONTRACT, expiry="2000-01-01T00:00:00Z")
    return {
        LIST: [edge.call(caller, LIST)],
        UPDATES: [edge.call(caller, UPDATES, since)],
        SINGLE: [edge.call(caller, SINGLE, asked) for asked in look_ups()],
        SET: [edge.call(caller, SET, stolen)],
        UPDATE: [edge.call(caller, UPDATE, stolen)],
    }


def texts(replies: dict[str, list[Reply]]) -> dict[str, list[bytes]]:
    return {name: [reply.content for reply in each] for name, each in replies.items()}


def stored(edge: Edge) -> list[tuple[object, ...]]:
    with edge.database.begin() as connection:
        rows = connection.exec_driver_sql("SELECT digest, provider, payload, change_id FROM token")
        return [tuple(row) for row in rows]


def connected(edge: Edge, limit: Limit) -> bool:
    """Connect the two as far as there is anything that such a connection could carry."""
    try:
        edge.connect("me", "them", limit)
    except NothingFlows:
        return False
    return True


def visible_operations(mine: Role, theirs: Role, limit: Limit) -> set[str]:
    if (mine, theirs) != (Role.CPO, Role.EMP):
        return set()
    if limit is None or Carries.TOKENS in limit:
        return {LIST, UPDATES, SINGLE}
    return {SINGLE} if Carries.TOKEN_LOOKUP in limit else set()


@pytest.mark.parametrize("theirs", ROLES)
@pytest.mark.parametrize("mine", ROLES)
class TestPairOfRoles:
    """`me` has the role `mine`; `them` has the role `theirs`, and tokens where it is an EMP."""

    @pytest.fixture
    def two(self, edge: Edge, mine: Role, theirs: Role) -> Edge:
        edge.partner("me", mine, *([] if mine is Role.NSP else ["DE-AAA"]))
        edge.partner("them", theirs, *([] if theirs is Role.NSP else ["DE-BBB"]))
        # Somebody else's connections open nothing between the two.
        edge.partner("emp", "emp", "DE-EMP")
        edge.partner("cpo", "cpo", "DE*CPO")
        edge.connect("emp", "cpo")
        return edge

    def filled(self, edge: Edge, theirs: Role) -> None:
        reply = edge.call("them", SET, token_xml(SECRET, contract_id=THEIR_CONTRACT))
        assert reply.result == ("ok" if theirs is Role.EMP else "not-authorized")

    def test_without_connection(self, two: Edge, mine: Role, theirs: Role) -> None:
        without_tokens = walk(two, "me")
        self.filled(two, theirs)
        before = stored(two)
        assert texts(walk(two, "me")) == texts(without_tokens)
        assert stored(two) == before
        expected = {"roaming"} if mine is Role.CPO else {"not-authorized"}
        for operation in (LIST, UPDATES, SINGLE):
            assert {reply.result for reply in without_tokens[operation]} == expected
        expected = {"invalid-id"} if mine is Role.EMP else {"not-authorized"}
        for operation in (SET, UPDATE):
            assert {reply.result for reply in without_tokens[operation]} == expected

    def test_connected_with_every_limit(self, two: Edge, mine: Role, theirs: Role) -> None:
        limits = [limit for limit in LIMITS if connected(two, limit)]
        assert bool(limits) is bool(flows_between([mine], [theirs]))
        without_tokens = {}
        for limit in limits:
            two.connect("me", "them", limit)
            without_tokens[limit] = texts(walk(two, "me"))
        self.filled(two, theirs)
        before = stored(two)
        for limit in limits:
            two.connect("me", "them", limit)
            visible = visible_operations(mine, theirs, limit)
            for operation, replies in walk(two, "me").items():
                if operation in visible:
                    assert all(SECRET.encode() in reply.content for reply in replies), limit
                else:
                    contents = [reply.content for reply in replies]
                    assert contents == without_tokens[limit][operation], (limit, operation)
        assert stored(two) == before

    def test_ended_connection_is_as_none(self, two: Edge, mine: Role, theirs: Role) -> None:
        never = walk(two, "me")
        try:
            two.connect("me", "them")
        except NothingFlows:
            return
        self.filled(two, theirs)
        disconnect(two.database, "me", "them")
        assert texts(walk(two, "me")) == texts(never)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_operation_of_another_role_is_refused_with_the_role(
    edge: Edge, operation: Operation
) -> None:
    for role in ROLES:
        edge.partner(f"my-{role}", role, *([] if role is Role.NSP else ["DE-AAA"]))
        reply = edge.call(f"my-{role}", operation.name)
        code = reply.result or reply.body.findtext("detail/{*}resultCode")
        assert (code != "not-authorized") is (role in operation.roles)
        if role not in operation.roles:
            wanted = " or ".join(sorted(role.upper() for role in operation.roles))
            text = reply.fault or reply.description
            assert text == (
                f"{operation.name} is for the role {wanted}; my-{role} has {role.upper()}."
            )


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_no_operation_tells_a_stranger_anything_of_a_token(
    edge: Edge, operation: Operation
) -> None:
    edge.partner("them", "emp", "DE-BBB")
    edge.partner("me", "cpo emp nsp pso", "DE-AAA")
    before = edge.call("me", operation.name, valid=False)
    edge.call("them", SET, token_xml(SECRET, contract_id=THEIR_CONTRACT))
    after = edge.call("me", operation.name, valid=False)
    assert after.content == before.content


def test_own_set_leaves_the_others_alone(edge: Edge) -> None:
    for name, party in (("them", "DE-BBB"), ("me", "DE-AAA")):
        edge.partner(name, "emp", party)
    edge.partner("cpo", "cpo", "DE*CPO")
    edge.connect("them", "cpo")
    edge.call("them", SET, token_xml(SECRET, contract_id=THEIR_CONTRACT))
    assert edge.call("me", SET, token_xml(SECRET, contract_id="DE-AAA-C00000001")).result == "ok"
    (record,) = edge.call("cpo", LIST).elements("roamingAuthorisationInfoArray")
    assert record.findtext("{*}contractId") == THEIR_CONTRACT
