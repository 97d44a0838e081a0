"""Messages about the same CDRs at the same time: one order, true answers, nothing overwritten."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from ochp_chs.clearing.cdrs.history import get_accounts
from ochp_chs.repository.cdr_history import CdrHistory
from tests.support.cdrs import NOW, cdr_xml, confirmation_xml
from tests.support.edge import Clock, Edge, Reply

ROUNDS = 12


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def pair(edge: Edge) -> Edge:
    edge.partner("cpo", "cpo", "DE*CPO")
    edge.partner("emp", "emp", "DE-EMP")
    edge.connect("cpo", "emp")
    return edge


def record(cdr_id: str, status: str = "new", meter_id: str = "M1") -> str:
    return cdr_xml(cdr_id=cdr_id, evse_id=evse(cdr_id), status=status, meter_id=meter_id)


def confirmation(cdr_id: str, wish: str) -> str:
    return confirmation_xml(wish, cdr_id, evse(cdr_id))


def evse(cdr_id: str) -> str:
    return f"DE*CPO*E{cdr_id}"


def at_once(edge: Edge, *messages: tuple[str, str, str]) -> list[Reply]:
    """Send messages (partner, operation, content) at the same moment, each from its own thread."""
    barrier = Barrier(len(messages))

    def send(message: tuple[str, str, str]) -> Reply:
        barrier.wait(10)
        return edge.call(*message)

    with ThreadPoolExecutor(len(messages)) as pool:
        return list(pool.map(send, messages))


def history(edge: Edge, cdr_id: str) -> CdrHistory:
    (found,) = get_accounts(edge.database, cdr_id).cdrs
    return found


def path(found: CdrHistory) -> list[str]:
    """The states one after the other; every step begins where the one before ended."""
    assert found.steps[0].from_status is None
    for before, after in zip(found.steps, found.steps[1:], strict=False):
        assert after.from_status is before.to_status
    assert found.cdr.status is found.steps[-1].to_status
    return [step.to_status.value for step in found.steps]


def rounds(edge: Edge, prepare: Callable[[str], None]) -> Sequence[str]:
    """New CDRs, each prepared for one round."""
    ids = [f"DECPO{number:04}" for number in range(ROUNDS)]
    for cdr_id in ids:
        assert edge.call("cpo", "AddCDRs", record(cdr_id)).result == "ok"
        prepare(cdr_id)
    return ids


def stay(_cdr_id: str) -> None:
    """It is accepted and stays so."""


class TestOneCdr:
    def test_approved_and_declined(self, pair: Edge) -> None:
        for cdr_id in rounds(pair, stay):
            wishes = ("approved", "declined")
            replies = at_once(
                pair, *[("emp", "ConfirmCDRs", confirmation(cdr_id, wish)) for wish in wishes]
            )
            results = [reply.result for reply in replies]
            assert sorted(map(str, results)) == ["format", "ok"]
            won = wishes[results.index("ok")]
            assert path(history(pair, cdr_id)) == ["accepted", won]
            lost = replies[results.index("format")]
            assert f"the CDR is {won}" in lost.description

    def test_revised_and_approved(self, pair: Edge) -> None:
        for cdr_id in rounds(pair, stay):
            revision, approval = at_once(
                pair,
                ("cpo", "AddCDRs", record(cdr_id, "revised", "M2")),
                ("emp", "ConfirmCDRs", confirmation(cdr_id, "approved")),
            )
            found = history(pair, cdr_id)
            assert approval.result == "ok"
            if revision.result == "ok":
                assert path(found) == ["accepted", "revised", "approved"]
                assert found.steps[-1].version == len(found.versions) == 2
            else:
                assert "the CDR is approved" in revision.description
                assert path(found) == ["accepted", "approved"]
                assert len(found.versions) == 1

    def test_two_revisions(self, pair: Edge) -> None:
        for cdr_id in rounds(pair, stay):
            meters = ("M2", "M3")
            replies = at_once(
                pair, *[("cpo", "AddCDRs", record(cdr_id, "revised", meter)) for meter in meters]
            )
            results = [str(reply.result) for reply in replies]
            assert sorted(results) == ["format", "ok"]
            found = history(pair, cdr_id)
            assert path(found) == ["accepted", "revised"]
            assert f"<meterId>{meters[results.index('ok')]}<" in found.versions[-1].payload

    def test_revised_and_rejected(self, pair: Edge) -> None:
        def decline(cdr_id: str) -> None:
            pair.call("emp", "ConfirmCDRs", confirmation(cdr_id, "declined"))

        for cdr_id in rounds(pair, decline):
            statuses = ("revised", "rejected")
            replies = at_once(
                pair, *[("cpo", "AddCDRs", record(cdr_id, status, "M2")) for status in statuses]
            )
            results = [str(reply.result) for reply in replies]
            assert sorted(results) == ["format", "ok"]
            won = statuses[results.index("ok")]
            assert path(history(pair, cdr_id)) == ["accepted", "declined", won]


class TestManyCdrs:
    IDS = tuple(f"DECPO{number:04}" for number in range(250))

    def test_same_message_five_times(self, pair: Edge) -> None:
        content = "".join(map(record, self.IDS))
        replies = at_once(pair, *[("cpo", "AddCDRs", content)] * 5)
        assert [reply.result for reply in replies] == ["ok"] * 5
        found = pair.call("emp", "GetCDRs").elements("cdrInfoArray")
        assert len(found) == len(self.IDS)
        for cdr_id in self.IDS[::50]:
            assert path(history(pair, cdr_id)) == ["accepted"]

    def test_everybody_in_another_order(self, pair: Edge) -> None:
        pair.call("cpo", "AddCDRs", "".join(map(record, self.IDS)))
        backwards = self.IDS[::-1]
        approval, decline, revision = at_once(
            pair,
            ("emp", "ConfirmCDRs", "".join(confirmation(i, "approved") for i in self.IDS)),
            ("emp", "ConfirmCDRs", "".join(confirmation(i, "declined") for i in backwards)),
            ("cpo", "AddCDRs", "".join(record(i, "revised", "M2") for i in backwards)),
        )
        # Each message is done as a whole, with all of its steps or none: all CDRs go one way.
        assert {approval.result, decline.result, revision.result} <= {"ok", "format"}
        paths = {tuple(path(history(pair, cdr_id))) for cdr_id in self.IDS[::25]}
        assert len(paths) == 1
        (taken,) = paths
        assert (revision.result == "ok") == ("revised" in taken)
        assert (approval.result == "ok") == ("approved" in taken)
        assert (decline.result == "ok") == ("declined" in taken)
