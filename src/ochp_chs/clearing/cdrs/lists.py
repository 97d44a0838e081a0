"""GetCDRs and CheckCDRs: CDRs to their owner, and back to their originator, the oldest first."""

from collections.abc import Sequence
from functools import partial

from lxml import etree

from ochp_chs.clearing.download import streamed_answer
from ochp_chs.clearing.errors import FrameRefused
from ochp_chs.clearing.exchange import Answer, Call, ClearingHouse, Message, no_connection
from ochp_chs.ochp.operations import NAMESPACE
from ochp_chs.ochp.records.cdr import CdrStatus
from ochp_chs.ochp.roles import Carries, Role
from ochp_chs.repository.cdr_lists import stream_for_originator, stream_for_owner
from ochp_chs.repository.connections import sinks_of, sources_of

_IN = f"{{{NAMESPACE}}}"

_FOR_OWNER = (CdrStatus.ACCEPTED, CdrStatus.REVISED, CdrStatus.APPROVED, CdrStatus.REJECTED)
_FOR_OWNER_DEFAULT = (CdrStatus.ACCEPTED, CdrStatus.REVISED)
_FOR_ORIGINATOR = (CdrStatus.DECLINED, CdrStatus.APPROVED, CdrStatus.REJECTED)
_FOR_ORIGINATOR_DEFAULT = (CdrStatus.DECLINED,)


def get_cdrs(house: ClearingHouse, call: Call, message: Message) -> Answer:
    """GetCDRs: CDRs of the caller's contracts; those that wait for it unless asked otherwise."""
    asked = _asked(message.parameters(call.partner.reading), _FOR_OWNER, _FOR_OWNER_DEFAULT)
    with house.database.begin() as connection:
        sources = sources_of(connection, call.partner.id, Carries.CDRS)
    if not sources:
        return no_connection(call.operation)
    read = partial(
        stream_for_owner,
        providers=call.partner.party_ids(Role.EMP),
        operators=[source.party_id for source in sources],
        statuses=asked,
        rows_max=call.partner.cdrs_per_answer_max,
    )
    return streamed_answer(house, read, "cdrInfoArray")


def check_cdrs(house: ClearingHouse, call: Call, message: Message) -> Answer:
    """CheckCDRs: what became of the caller's own CDRs; declined ones unless asked otherwise."""
    asked = _asked(
        message.parameters(call.partner.reading), _FOR_ORIGINATOR, _FOR_ORIGINATOR_DEFAULT
    )
    with house.database.begin() as connection:
        if not sinks_of(connection, call.partner.id, Carries.CDRS):
            return no_connection(call.operation)
    read = partial(
        stream_for_originator,
        operators=call.partner.party_ids(Role.CPO),
        statuses=asked,
        rows_max=call.partner.cdrs_per_answer_max,
    )
    return streamed_answer(house, read, "cdrInfoArray")


def _asked(
    request: etree._Element, allowed: Sequence[CdrStatus], default: Sequence[CdrStatus]
) -> Sequence[CdrStatus]:
    text = request.findtext(f"{_IN}cdrStatus/{_IN}CdrStatusType")
    if text is None:
        return default
    status = CdrStatus(text)
    if status not in allowed:
        names = ", ".join(allowed)
        raise FrameRefused(f"cdrStatus {text} cannot be asked for here; there are {names}.")
    return (status,)
