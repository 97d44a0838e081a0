"""Messages sent again, and in another order: what was there before does not come back.

OCHP has no sequence and the protocol's nonces are optional, so a replay is answered as a message of
its own; what must hold is that no state is reached that its own partner could not have reached.
"""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from tests.support import valid_requests
from tests.support.cdrs import cdr_xml, confirmation_xml, period_xml
from tests.support.charge_points import charge_point_xml
from tests.support.edge import Edge, Reply
from tests.support.tokens import token_xml


@pytest.fixture
def everybody(edge: Edge) -> Edge:
    valid_requests.add_partner(edge)
    return edge


def cdr(status: str = "new", meter_id: str = "first") -> str:
    start = datetime.now(UTC).replace(microsecond=0, second=0, minute=0) - timedelta(days=1)
    begin, end = ((start + timedelta(hours=hours)).isoformat() for hours in (0, 1))
    return cdr_xml(
        contract_id="NL-EMP-C00000001",
        status=status,
        start=begin,
        end=end,
        duration=None,
        meter_id=meter_id,
        periods=[period_xml(cost="3.00", start=begin, end=end)],
    )


def add(edge: Edge, content: str) -> Reply:
    return edge.call("all", "AddCDRs", content)


def confirm(edge: Edge, wish: str) -> Reply:
    return edge.call("other", "ConfirmCDRs", confirmation_xml(wish))


def status(edge: Edge) -> Sequence[str | None]:
    """The CDR's status wherever it is given out."""
    with edge.database.begin() as connection:
        return list(connection.exec_driver_sql("SELECT status FROM cdr").scalars())


def test_cdr_that_comes_twice_is_there_once(everybody: Edge) -> None:
    for _ in range(3):
        assert add(everybody, cdr()).result == "ok"
    assert len(everybody.call("other", "GetCDRs").elements("cdrInfoArray")) == 1


def test_cdr_of_before_does_not_undo_its_revision(everybody: Edge) -> None:
    assert add(everybody, cdr()).result == "ok"
    assert confirm(everybody, "declined").result == "ok"
    assert add(everybody, cdr("revised", "second")).result == "ok"
    add(everybody, cdr())
    (given,) = everybody.call("other", "GetCDRs").elements("cdrInfoArray")
    assert given.findtext("{*}meterId") == "second"


def test_decision_of_before_does_not_touch_what_is_final(everybody: Edge) -> None:
    assert add(everybody, cdr()).result == "ok"
    assert confirm(everybody, "approved").result == "ok"
    for attempt in (
        lambda: confirm(everybody, "declined"),
        lambda: add(everybody, cdr("rejected")),
        lambda: add(everybody, cdr("revised", "third")),
    ):
        assert attempt().result != "ok"
        assert status(everybody) == ["approved"]
    assert confirm(everybody, "approved").result == "ok"


def test_revision_before_there_is_anything(everybody: Edge) -> None:
    assert add(everybody, cdr("revised")).result != "ok"
    assert add(everybody, cdr("rejected")).result != "ok"
    assert confirm(everybody, "approved").result == "invalid-id"
    assert status(everybody) == []


def test_older_charge_point_is_outdated(everybody: Edge) -> None:
    newer, older = (
        charge_point_xml(timestamp=f"20{year}-01-01T00:00:00Z", name=f"of {year}")
        for year in (21, 20)
    )
    assert everybody.call("all", "UpdateChargePointList", newer).result == "ok"
    assert "outdated" in everybody.call("all", "UpdateChargePointList", older).description
    (seen,) = everybody.call("other", "GetChargePointList").elements("chargePointInfoArray")
    assert seen.findtext("{*}locationName") == "of 21"


def test_list_that_comes_again_changes_nothing(everybody: Edge) -> None:
    tokens = token_xml("04AA") + token_xml("04BB")
    assert everybody.call("all", "SetRoamingAuthorisationList", tokens).result == "ok"
    before = changes(everybody)
    for _ in range(3):
        assert everybody.call("all", "SetRoamingAuthorisationList", tokens).result == "ok"
    assert changes(everybody) == before


def changes(edge: Edge) -> int:
    with edge.database.begin() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM change").scalar_one())


@pytest.mark.parametrize("seed", range(3))
def test_any_order_of_all_requests_is_answered(everybody: Edge, seed: int) -> None:
    requests = list(valid_requests.contents().items()) * 2
    random.Random(seed).shuffle(requests)
    for operation, content in requests:
        reply = everybody.call("all", operation, content)
        assert reply.fault is None
        assert reply.result != "server", (operation, reply.description)
