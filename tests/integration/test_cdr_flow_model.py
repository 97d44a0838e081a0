"""CPO, EMPs and strangers at random, against a model of the status flow (PROTOCOL, "CDRs").

No sequence of calls reaches a state that the flow does not have, loses a CDR, overwrites a version
of one, or shows one to a stranger.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from ochp_chs.clearing.cdrs.history import get_accounts
from ochp_chs.ochp.cdr_flow import STEPS
from tests.support.cdrs import NOW, cdr_xml, confirmation_xml
from tests.support.edge import Clock, Edge, O

IDS = ("DECPO1", "DECPO2", "DECPO3")
EVSES = {cdr_id: f"DE*CPO*E{cdr_id}" for cdr_id in IDS}

#: Owners of contracts, connected to the CPO, and who is not.
CONTRACTS = {"emp": "DE-EMP-C00000001", "emp2": "NL-EM2-C00000001"}
STRANGER, FOREIGN_CPO = "emp3", "cpo2"

#: The flow as the protocol's document has it, written down once more: who may do what when.
FLOW = {
    ("accepted", "revised"): "revised",
    ("declined", "revised"): "revised",
    ("declined", "rejected"): "rejected",
    ("accepted", "approve"): "approved",
    ("revised", "approve"): "approved",
    ("accepted", "decline"): "declined",
    ("revised", "decline"): "declined",
}
WISHES = {"approved": "approve", "declined": "decline"}


@dataclass(frozen=True)
class Content:
    """What differs in the versions of a CDR: whose contract it is, and what the meter says."""

    owner: str
    meter: str


@dataclass
class Known:
    """A CDR as it should stand."""

    status: str
    versions: list[Content]
    steps: list[tuple[str | None, str]] = field(default_factory=list)

    def go(self, to: str) -> None:
        self.steps.append((self.status, to))
        self.status = to


@dataclass(frozen=True)
class Sent:
    """One record of an AddCDRs."""

    cdr_id: str
    status: str
    content: Content

    @property
    def xml(self) -> str:
        return cdr_xml(
            cdr_id=self.cdr_id,
            evse_id=EVSES[self.cdr_id],
            contract_id=CONTRACTS[self.content.owner],
            status=self.status,
            meter_id=self.content.meter,
        )


@dataclass(frozen=True)
class Entry:
    """One entry of a ConfirmCDRs."""

    cdr_id: str
    wish: str

    @property
    def xml(self) -> str:
        return confirmation_xml(self.wish, self.cdr_id, EVSES[self.cdr_id])


contents = st.builds(Content, st.sampled_from(list(CONTRACTS)), st.sampled_from(["M1", "M2"]))
records = st.builds(Sent, st.sampled_from(IDS), st.sampled_from(["new", "revised"]), contents)
rejections = st.builds(Sent, st.sampled_from(IDS), st.just("rejected"), contents)
entries = st.builds(Entry, st.sampled_from(IDS), st.sampled_from(list(WISHES)))


def result_of(read: int, refusals: Sequence[str]) -> str:
    """The result code for a message of so many records, by the reasons of those refused."""
    if not refusals:
        return "ok"
    if len(refusals) < read:
        return "partly"
    return "invalid-id" if set(refusals) == {"invalid-id"} else "format"


class Flow(RuleBasedStateMachine):
    """The real server beside the model."""

    edge: Edge
    clock: Clock

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[str, Known] = {}
        with self.edge.database.begin() as connection:
            connection.exec_driver_sql("TRUNCATE cdr, message CASCADE")

    @rule(sent=st.lists(records | rejections, min_size=1, max_size=3))
    def add(self, sent: list[Sent]) -> None:
        self.clock.turn(seconds=1)
        reply = self.edge.call("cpo", "AddCDRs", "".join(each.xml for each in sent))
        refused = [
            (each.cdr_id, reason) for each in sent if (reason := self._added(each)) is not None
        ]
        assert reply.result == result_of(len(sent), [reason for _, reason in refused])
        implausible = [str(each.text) for each in reply.elements("implausibleCdrsArray")]
        assert sorted(implausible) == sorted(cdr_id for cdr_id, _ in refused)

    def _added(self, sent: Sent) -> str | None:
        """Do it in the model; why it is refused, None if it is not."""
        known = self.known.get(sent.cdr_id)
        if known is None:
            if sent.status != "new":
                return "invalid-id"
            self.known[sent.cdr_id] = Known("accepted", [sent.content], [(None, "accepted")])
            return None
        if sent.status == "new":
            return None if sent.content == known.versions[0] else "format"
        if sent.status == known.status == "rejected":
            return None
        if sent.status == known.status == "revised" and sent.content == known.versions[-1]:
            return None
        to = FLOW.get((known.status, sent.status))
        if to is None:
            return "format"
        known.go(to)
        if to == "revised":
            known.versions.append(sent.content)
        return None

    @rule(
        who=st.sampled_from([*CONTRACTS, STRANGER]),
        asked=st.lists(entries, min_size=1, max_size=3),
    )
    def confirm(self, who: str, asked: list[Entry]) -> None:
        self.clock.turn(seconds=1)
        reply = self.edge.call("emp3" if who == STRANGER else who, "ConfirmCDRs", _sorted(asked))
        refusals = [reason for reason in self._confirmed(who, asked) if reason is not None]
        assert reply.result == result_of(len(asked), refusals)

    def _confirmed(self, who: str, asked: list[Entry]) -> Iterator[str | None]:
        wishes: dict[str, set[str]] = {}
        for entry in asked:
            wishes.setdefault(entry.cdr_id, set()).add(entry.wish)
        for entry in asked:
            known = self.known.get(entry.cdr_id)
            if len(wishes[entry.cdr_id]) > 1:
                yield "format"
            elif known is None or known.versions[-1].owner != who:
                yield "invalid-id"
            elif known.status == entry.wish:
                yield None
            elif (to := FLOW.get((known.status, WISHES[entry.wish]))) is None:
                yield "format"
            else:
                known.go(to)
                yield None

    @rule(sent=records | rejections, own_evse=st.booleans())
    def add_as_a_stranger(self, sent: Sent, own_evse: bool) -> None:
        content = sent.xml
        if own_evse:
            content = content.replace(EVSES[sent.cdr_id], "NL*CP2*E1")
        reply = self.edge.call(FOREIGN_CPO, "AddCDRs", content)
        assert reply.result in ("format", "invalid-id", "roaming")

    @invariant()
    def everybody_sees_what_is_theirs(self) -> None:
        for emp in CONTRACTS:
            own = {i: k for i, k in self.known.items() if k.versions[-1].owner == emp}
            waiting = self._seen(emp, "GetCDRs")
            assert waiting == _expected(own, "accepted", "revised")
            for final in ("approved", "rejected"):
                assert self._seen(emp, "GetCDRs", final) == _expected(own, final)
        for status in ("declined", "approved", "rejected"):
            assert self._seen("cpo", "CheckCDRs", status) == _expected(self.known, status)

    @invariant()
    def strangers_see_nothing(self) -> None:
        for status in ("accepted", "revised", "approved", "rejected"):
            assert self._seen(STRANGER, "GetCDRs", status) == {}
        for status in ("declined", "approved", "rejected"):
            assert self._seen(FOREIGN_CPO, "CheckCDRs", status) == {}

    @invariant()
    def every_version_and_step_is_kept(self) -> None:
        allowed = {(step.state, step.to) for step in STEPS}
        for cdr_id, known in self.known.items():
            (history,) = get_accounts(self.edge.database, cdr_id).cdrs
            assert history.cdr.status == known.status
            assert [(step.from_status, step.to_status) for step in history.steps] == known.steps
            assert set(known.steps) <= allowed
            assert len(history.versions) == history.cdr.version == len(known.versions)
            for version, content in zip(history.versions, known.versions, strict=True):
                assert f"<meterId>{content.meter}</meterId>" in version.payload
                assert CONTRACTS[content.owner] in version.payload

    def _seen(
        self, who: str, operation: str, status: str | None = None
    ) -> dict[str, tuple[str, str]]:
        """What a partner is given: status and meter by CDR-ID, each of which comes once."""
        asked = f"<cdrStatus><CdrStatusType>{status}</CdrStatusType></cdrStatus>" if status else ""
        found = self.edge.call(who, operation, asked).elements("cdrInfoArray")
        seen = {
            str(cdr.findtext(f"{O}CdrId")): (
                str(cdr.findtext(f"{O}status/{O}CdrStatusType")),
                str(cdr.findtext(f"{O}meterId")),
            )
            for cdr in found
        }
        assert len(seen) == len(found)
        return seen


def _sorted(asked: list[Entry]) -> str:
    # The contract has all approved ones first.
    return "".join(each.xml for each in sorted(asked, key=lambda each: each.wish))


def _expected(known: dict[str, Known], *statuses: str) -> dict[str, tuple[str, str]]:
    return {
        cdr_id: (each.status, each.versions[-1].meter)
        for cdr_id, each in known.items()
        if each.status in statuses
    }


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


def test_no_sequence_leaves_the_flow(edge: Edge, clock: Clock) -> None:
    edge.partner("cpo", "cpo", "DE*CPO")
    edge.partner("emp", "emp", "DE-EMP")
    edge.partner("emp2", "emp", "NL-EM2")
    edge.partner(FOREIGN_CPO, "cpo", "NL*CP2")
    edge.partner(STRANGER, "emp", "FR-EM3")
    edge.connect("cpo", "emp")
    edge.connect("cpo", "emp2")
    edge.connect(FOREIGN_CPO, STRANGER)

    class OnThisServer(Flow):
        pass

    OnThisServer.edge, OnThisServer.clock = edge, clock
    run_state_machine_as_test(
        OnThisServer,
        settings=settings(
            max_examples=12,
            stateful_step_count=20,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
