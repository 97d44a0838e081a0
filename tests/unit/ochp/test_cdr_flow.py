"""docs/cdr-status.md draws and lists exactly the steps that there are."""

import re
from pathlib import Path

import pytest

from ochp_chs.clearing.cdrs import lists
from ochp_chs.ochp.cdr_flow import STEPS, SUBMISSIONS, Actor, Event, next_status, states_before
from ochp_chs.ochp.records.cdr import CdrStatus

TEXT = (Path(__file__).parents[3] / "docs" / "cdr-status.md").read_text(encoding="utf-8")

#: As PROTOCOL has them, apart from the code and from the document.
FINAL = {CdrStatus.APPROVED, CdrStatus.REJECTED}


class TestDocument:
    def test_picture(self) -> None:
        picture = TEXT[TEXT.index("```mermaid") : TEXT.index("```\n\n")]
        drawn = re.findall(r"^    (\S+) --> (\w+): (\w+) (\w+)s$", picture, re.MULTILINE)
        assert drawn == [(s.state or "[*]", s.to, s.actor, s.event) for s in STEPS]
        ends = set(re.findall(r"^    (\w+) --> \[\*\]$", picture, re.MULTILINE))
        assert ends == {status.value for status in FINAL}

    def test_table(self) -> None:
        rows = re.findall(
            r"^\| (\S+) \| (\w+) \| (\w+) \| (\w+) \| (\w+), (?:status|list) `(\w+)`(.*) \|$",
            TEXT,
            re.MULTILINE,
        )
        assert rows == [
            (
                step.state or "-",
                step.actor,
                step.event,
                step.to,
                *_message(step.event),
                ", if the CDR is plausible" if step.event in (Event.SUBMIT, Event.REVISE) else "",
            )
            for step in STEPS
        ]

    def test_what_can_be_asked_for(self) -> None:
        rows = re.findall(r"^\| (\w+) \(\w+\) \| ([a-z, ]+) \| ([a-z, ]+) \|$", TEXT, re.MULTILINE)
        assert rows == [
            ("GetCDRs", ", ".join(lists._FOR_OWNER_DEFAULT), ", ".join(lists._FOR_OWNER)),
            (
                "CheckCDRs",
                ", ".join(lists._FOR_ORIGINATOR_DEFAULT),
                ", ".join(lists._FOR_ORIGINATOR),
            ),
        ]


def _message(event: Event) -> tuple[str, str]:
    statuses = {event: status for status, event in SUBMISSIONS.items()}
    if event in statuses:
        return "AddCDRs", statuses[event]
    return "ConfirmCDRs", {Event.APPROVE: "approved", Event.DECLINE: "declined"}[event]


class TestFlow:
    @pytest.mark.parametrize("state", sorted(FINAL))
    def test_nothing_leads_out_of_a_final_state(self, state: CdrStatus) -> None:
        assert all(next_status(state, actor, event) is None for actor in Actor for event in Event)

    def test_every_step_is_found(self) -> None:
        assert all(next_status(s.state, s.actor, s.event) is s.to for s in STEPS)

    def test_nobody_takes_the_others_steps(self) -> None:
        for step in STEPS:
            (other,) = set(Actor) - {step.actor}
            assert next_status(step.state, other, step.event) is None

    def test_states_before_an_event(self) -> None:
        assert states_before(Actor.OWNER, Event.APPROVE) == (CdrStatus.ACCEPTED, CdrStatus.REVISED)
        assert states_before(Actor.ORIGINATOR, Event.REJECT) == (CdrStatus.DECLINED,)
        assert states_before(Actor.ORIGINATOR, Event.SUBMIT) == ()
