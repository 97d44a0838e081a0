"""A long list is merged in parts while it is read; what comes of it is what a short one brings."""

from collections.abc import Mapping, Sequence

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ochp_chs.repository import flow, tables
from ochp_chs.repository.engine import Database
from tests.support.edge import Edge, Reply
from tests.support.tokens import token_xml

SET = "SetRoamingAuthorisationList"
UPDATE = "UpdateRoamingAuthorisationList"
LIST = "GetRoamingAuthorisationList"

#: More than is parsed as a whole, so that a list is read in parts.
LONG = 300


@pytest.fixture(autouse=True)
def _short_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "_PART_ROWS", 64)


@pytest.fixture
def pair(edge: Edge) -> Edge:
    edge.partner("emp", "emp", "DE-EMP")
    edge.partner("cpo", "cpo", "DE*CPO")
    edge.connect("emp", "cpo")
    return edge


def token(number: int, printed: str = "first", **changes: str) -> str:
    return token_xml(f"04{number:012X}", printed_number=printed, **changes)


def send(edge: Edge, operation: str, records: Sequence[str]) -> Reply:
    # Space between records costs the sender something, and nobody else.
    content = "".join(record + " " * (300 if len(records) < LONG else 0) for record in records)
    return edge.call("emp", operation, content)


def listed(edge: Edge) -> Mapping[str, str]:
    records = edge.call("cpo", LIST).elements("roamingAuthorisationInfoArray")
    return {
        record.findtext("{*}EmtId/{*}instance") or "": record.findtext("{*}printedNumber") or ""
        for record in records
    }


def instance(number: int) -> str:
    return f"04{number:012X}"


@pytest.mark.parametrize("operation", [SET, UPDATE])
def test_first_list(pair: Edge, operation: str) -> None:
    reply = send(pair, operation, [token(number) for number in range(LONG)])
    assert (reply.result, reply.description) == ("ok", f"{LONG} records accepted.")
    assert listed(pair) == {instance(number): "first" for number in range(LONG)}


@pytest.mark.parametrize("operation", [SET, UPDATE])
def test_only_what_differs_is_replaced(pair: Edge, database: Database, operation: str) -> None:
    send(pair, SET, [token(number) for number in range(LONG)])
    records = [token(number, "second" if number % 50 == 7 else "first") for number in range(LONG)]
    assert send(pair, operation, records).result == "ok"
    expected = {instance(number) for number in range(7, LONG, 50)}
    assert {key for key, text in listed(pair).items() if text == "second"} == expected
    with database.snapshot() as connection:
        newest = sa.select(sa.func.count()).where(
            tables.token.c.change_id
            == sa.select(sa.func.max(tables.token.c.change_id)).scalar_subquery()
        )
        assert connection.execute(newest).scalar_one() == len(expected)


def test_set_withdraws_what_it_leaves_out_and_update_does_not(pair: Edge) -> None:
    send(pair, SET, [token(number) for number in range(LONG)])
    rest = [token(number) for number in range(20, LONG + 20)]
    assert send(pair, UPDATE, rest).result == "ok"
    assert len(listed(pair)) == LONG + 20
    assert send(pair, SET, rest).result == "ok"
    assert set(listed(pair)) == {instance(number) for number in range(20, LONG + 20)}


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("distance", [1, 100, 299])
def test_last_of_repeated_records_counts_however_far_away(
    pair: Edge, distance: int, *, stored: bool
) -> None:
    if stored:
        send(pair, SET, [token(1, "stored")])
    records = [token(number) for number in range(LONG)]
    records.insert(distance, token(0, "again"))
    reply = send(pair, SET, records)
    assert reply.result == "ok"
    assert reply.description.startswith(f"{LONG + 1} records accepted. Warning: #")
    assert "repeated-record" in reply.description
    assert listed(pair) == {
        instance(number): "again" if number == 0 else "first" for number in range(LONG)
    }


def test_refused_records_keep_their_earlier_version(pair: Edge) -> None:
    send(pair, SET, [token(number) for number in range(LONG)])
    records = [token(number, "second") for number in range(LONG)]
    records[10] = token(10, "second", contract_id="DE-ALF-C00000001")
    records[150] = token(150, "second", expiry="2099-99-99T00:00:00Z")
    reply = send(pair, SET, records)
    assert reply.result == "partly"
    assert reply.description.startswith(f"{LONG - 2} of {LONG} records accepted, 2 refused.")
    kept = {key for key, text in listed(pair).items() if text == "first"}
    assert kept == {instance(10), instance(150)}


def test_nothing_of_a_list_of_which_all_is_refused(pair: Edge) -> None:
    send(pair, SET, [token(number) for number in range(LONG)])
    foreign = [token(number, contract_id="DE-ALF-C00000001") for number in range(LONG)]
    assert send(pair, SET, foreign).result == "invalid-id"
    assert len(listed(pair)) == LONG


def test_nothing_of_a_list_that_breaks_off(pair: Edge) -> None:
    content = "".join(token(number) for number in range(LONG)) + "<roamingAuthorisationInfoArray>"
    assert pair.call("emp", SET, content).fault is not None
    assert listed(pair) == {}


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    lists=st.lists(
        st.tuples(
            st.sampled_from([SET, UPDATE]),
            st.lists(
                st.tuples(st.integers(0, 90), st.sampled_from(["one", "two", "three"])),
                min_size=1,
                max_size=150,
            ),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_any_lists_one_after_the_other(
    pair: Edge, lists: Sequence[tuple[str, Sequence[tuple[int, str]]]]
) -> None:
    # Each example begins with a list of its own; what was there before is withdrawn.
    model = {instance(1000): "only"}
    send(pair, SET, [token(1000, "only")])
    for operation, records in lists:
        sent = {instance(number): printed for number, printed in records}
        model = sent if operation == SET else model | sent
        content = "".join(token(*record) + " " * 1000 for record in records) + " " * 70_000
        assert pair.call("emp", operation, content).result == "ok"
        assert listed(pair) == model
