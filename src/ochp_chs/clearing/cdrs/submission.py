"""What a submitted CDR asks for, and what the status flow makes of it: no I/O."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from ochp_chs.ochp.cdr_flow import SUBMISSIONS, Actor, Event, next_status
from ochp_chs.ochp.identifiers import cdr_id_names_operator, evse_key, operator_of
from ochp_chs.ochp.records.cdr import Cdr, CdrStatus
from ochp_chs.ochp.violations import Reason, Violation
from ochp_chs.repository.cdrs import StoredCdr, Submitted


class Action(Enum):
    """What is to be done with one CDR of a message."""

    INSERT = "insert"
    REVISE = "revise"
    REJECT = "reject"
    #: It is there already: a client repeats after a timeout.
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class KeptCdr:
    """A final CDR whose content is not here as it was sent, and how its digest was made."""

    status: CdrStatus
    first_digest: bytes
    digest_of: Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class Refused:
    """The status flow has no step for it."""

    violation: Violation


def cdr_key(cdr_id: str, evse_id: str) -> str:
    """What makes a CDR the same CDR.

    A CDR-ID that begins with the operator's five characters is unique everywhere; one of an older
    system is unique per EVSE only (specification, "CdrId").
    """
    if cdr_id_names_operator(cdr_id, operator_of(evse_id)):
        return cdr_id
    return f"{cdr_id}@{evse_key(evse_id)}"


def wanted_action(
    submitted: Submitted, stored: StoredCdr | None, kept: KeptCdr | None = None
) -> Action | Refused:
    """What the submission leads to, given the CDR as it stands (None: not known).

    `kept` is what there is of a CDR that is archived, or whose personal data was erased.
    """
    event = SUBMISSIONS.get(submitted.cdr.status)
    if event is None:
        return Refused(_not_a_submission(submitted.cdr.status))
    state: CdrStatus | None
    if kept is not None:
        state = kept.status
        is_repeat = _is_repeat_of_kept(submitted, kept, event)
    else:
        state = None if stored is None else stored.status
        is_repeat = stored is not None and _is_repeat(submitted, stored, event)
    if is_repeat:
        return Action.NOTHING
    if next_status(state, Actor.ORIGINATOR, event) is None:
        return Refused(_no_step(submitted.cdr, state))
    return _ACTIONS[event]


_ACTIONS = {
    Event.SUBMIT: Action.INSERT,
    Event.REVISE: Action.REVISE,
    Event.REJECT: Action.REJECT,
}


def _is_repeat(submitted: Submitted, stored: StoredCdr, event: Event) -> bool:
    """Exactly what is there already.

    A late repeat of the first message may find the CDR further on: revised, approved. After a
    decline, the same content sent as revised is no repeat but the originator's answer.
    """
    if event is Event.SUBMIT:
        return submitted.payload == stored.first_payload
    if event is Event.REVISE:
        return stored.status is CdrStatus.REVISED and submitted.payload == stored.payload
    return stored.status is CdrStatus.REJECTED


def _is_repeat_of_kept(submitted: Submitted, kept: KeptCdr, event: Event) -> bool:
    """The same where only digests are left; such a CDR is final."""
    if event is Event.SUBMIT:
        return kept.digest_of(submitted.payload) == kept.first_digest
    return event is Event.REJECT and kept.status is CdrStatus.REJECTED


def _not_a_submission(status: CdrStatus) -> Violation:
    return Violation(
        "cdr-status",
        "status",
        status.value,
        "only the clearing house sets this status; send new, revised or rejected",
    )


def _no_step(cdr: Cdr, state: CdrStatus | None) -> Violation:
    if state is None:
        return Violation(
            "cdr-status-flow",
            "CdrId",
            cdr.cdr_id,
            f"there is no such CDR of yours that could be {cdr.status.value}",
            Reason.IDENTIFIER,
        )
    if cdr.status is CdrStatus.NEW:
        text = f"a CDR with this ID and other content is {state.value} already"
    else:
        text = f"the CDR is {state.value}, from which it cannot become {cdr.status.value}"
    return Violation("cdr-status-flow", "status", cdr.status.value, text)
