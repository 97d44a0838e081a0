"""The status flow of a CDR: every step there is, as one table (PROTOCOL, "CDRs").

docs/cdr-status.md draws the same table; a test keeps the two equal.
"""

from dataclasses import dataclass
from enum import StrEnum

from ochp_chs.ochp.records.cdr import CdrStatus


class Actor(StrEnum):
    """Who takes a step: the CPO that sent the CDR, or the EMP whose contract it is."""

    ORIGINATOR = "originator"
    OWNER = "owner"


class Event(StrEnum):
    """What makes a step: AddCDRs with a status, or ConfirmCDRs with a list."""

    SUBMIT = "submit"
    REVISE = "revise"
    REJECT = "reject"
    APPROVE = "approve"
    DECLINE = "decline"


@dataclass(frozen=True, slots=True)
class Step:
    """In this state, this actor's event leads to that state. None: the CDR is not known yet."""

    state: CdrStatus | None
    actor: Actor
    event: Event
    to: CdrStatus


STEPS: tuple[Step, ...] = (
    # Only what the clearing house found plausible takes this step.
    Step(None, Actor.ORIGINATOR, Event.SUBMIT, CdrStatus.ACCEPTED),
    Step(CdrStatus.ACCEPTED, Actor.ORIGINATOR, Event.REVISE, CdrStatus.REVISED),
    Step(CdrStatus.ACCEPTED, Actor.OWNER, Event.APPROVE, CdrStatus.APPROVED),
    Step(CdrStatus.ACCEPTED, Actor.OWNER, Event.DECLINE, CdrStatus.DECLINED),
    Step(CdrStatus.DECLINED, Actor.ORIGINATOR, Event.REVISE, CdrStatus.REVISED),
    Step(CdrStatus.DECLINED, Actor.ORIGINATOR, Event.REJECT, CdrStatus.REJECTED),
    Step(CdrStatus.REVISED, Actor.OWNER, Event.APPROVE, CdrStatus.APPROVED),
    Step(CdrStatus.REVISED, Actor.OWNER, Event.DECLINE, CdrStatus.DECLINED),
)

_NEXT = {(step.state, step.actor, step.event): step.to for step in STEPS}

#: What AddCDRs asks for by the status of a record.
SUBMISSIONS = {
    CdrStatus.NEW: Event.SUBMIT,
    CdrStatus.REVISED: Event.REVISE,
    CdrStatus.REJECTED: Event.REJECT,
}


def next_status(state: CdrStatus | None, actor: Actor, event: Event) -> CdrStatus | None:
    """The state that the event leads to; None: there is no such step."""
    return _NEXT.get((state, actor, event))


def states_before(actor: Actor, event: Event) -> tuple[CdrStatus, ...]:
    """The states in which the actor can do this to a CDR that is known."""
    return tuple(
        step.state
        for step in STEPS
        if step.actor is actor and step.event is event and step.state is not None
    )
