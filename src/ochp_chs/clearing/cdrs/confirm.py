"""ConfirmCDRs: the owner approves and declines (PROTOCOL, "CDRs")."""

from collections.abc import Iterator
from contextlib import closing

from ochp_chs.clearing.exchange import Answer, Call, ClearingHouse, Message
from ochp_chs.clearing.message_log import log_message
from ochp_chs.clearing.spool import NoteSpool
from ochp_chs.ochp.identifiers import evse_key
from ochp_chs.ochp.operations import NAMESPACE
from ochp_chs.ochp.results import Result, Tally
from ochp_chs.ochp.roles import Role
from ochp_chs.ochp.violations import Reason, Violation
from ochp_chs.repository import cdr_confirmations as confirmations
from ochp_chs.repository.cdr_confirmations import Unconfirmed
from ochp_chs.repository.cdrs import Origin
from ochp_chs.repository.rows import stage_rows

_IN = f"{{{NAMESPACE}}}"


def confirm_cdrs(house: ClearingHouse, call: Call, message: Message) -> Answer:
    """Take every step that the flow allows; name the others. An empty message is `ok`."""
    tally = Tally()
    with closing(NoteSpool()) as refusals:
        result = _store(house, call, message, tally, refusals)
    return Answer(
        result,
        records_read=tally.read,
        records_refused=tally.refused,
        refusal_reasons=tally.rules,
    )


def _store(
    house: ClearingHouse, call: Call, message: Message, tally: Tally, refusals: NoteSpool
) -> Result:
    providers = call.partner.party_ids(Role.EMP)
    origin = Origin(call.partner.name, call.reference, call.received_at)
    # No transaction waits for a sender, however slow.
    message.collect()
    with house.database.begin() as connection:
        entries = stage_rows(
            connection,
            confirmations.ENTRIES,
            _entries(message, call, tally, refusals),
        )
        confirmations.lock_confirmed(connection, entries, providers)
        for unconfirmed in confirmations.list_unconfirmed(connection, entries, providers):
            _refuse(unconfirmed, tally, refusals)
        changed = confirmations.confirm(connection, entries, providers, origin)
        result = tally.result()
        log_message(
            connection,
            call,
            tally,
            result,
            changed=changed,
            refusals=refusals,
        )
    return result


def _entries(
    message: Message, call: Call, tally: Tally, refusals: NoteSpool
) -> Iterator[tuple[int, str, str, str, str]]:
    """Position, wish, CDR-ID, EVSE-ID as sent and as key, of every entry that is valid."""
    for position, wish, element, violations, _ in message.records(call.partner.reading):
        tally.read += 1
        cdr_id = element.findtext(f"{_IN}cdrId") or ""
        evse_id = element.findtext(f"{_IN}evseId") or ""
        if violations:
            tally.refuse(position, cdr_id, violations)
            refusals.append(position, cdr_id, violations)
        else:
            yield position, wish, cdr_id, evse_id, evse_key(evse_id)


def _refuse(unconfirmed: Unconfirmed, tally: Tally, refusals: NoteSpool) -> None:
    violations = [_reason(unconfirmed)]
    tally.refuse(unconfirmed.position, unconfirmed.cdr_id, violations)
    refusals.append(unconfirmed.position, unconfirmed.cdr_id, violations)


def _reason(unconfirmed: Unconfirmed) -> Violation:
    if unconfirmed.contradicted:
        return Violation(
            "cdr-contradiction",
            "cdrId",
            unconfirmed.cdr_id,
            "the same CDR stands among the approved and among the declined",
        )
    if unconfirmed.status is None:
        return Violation(
            "cdr-unknown",
            "cdrId",
            unconfirmed.cdr_id,
            f"there is no CDR of yours with this ID on EVSE {unconfirmed.evse_id}",
            Reason.IDENTIFIER,
        )
    return Violation(
        "cdr-status-flow",
        "cdrId",
        unconfirmed.cdr_id,
        f"the CDR is {unconfirmed.status.value}, from which it cannot become {unconfirmed.wish}",
    )
