"""Live status of EVSEs and parking spots (PROTOCOL, "Live status")."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from ochp_chs.clearing.combined_status import combined_status
from ochp_chs.clearing.download import full_list, updates
from ochp_chs.clearing.exchange import Answer, Call, ClearingHouse, Message
from ochp_chs.clearing.intake import Judge
from ochp_chs.clearing.parameters import optional_time
from ochp_chs.clearing.upload import Finding, Upload, receive
from ochp_chs.ochp.operations import NAMESPACE
from ochp_chs.ochp.records.codec import Judgement
from ochp_chs.ochp.records.status import Kind, StatusCodec, StatusRow, shown_identifier
from ochp_chs.ochp.roles import Carries, Role
from ochp_chs.ochp.times import format_date_time
from ochp_chs.ochp.violations import Reason, Violation
from ochp_chs.repository import live_status as store
from ochp_chs.repository.engine import Connection
from ochp_chs.repository.feeds import Feed
from ochp_chs.repository.live_status import EVSE_STATUS, LIVE_STATUS, PARKING_STATUS
from ochp_chs.repository.staging import Staged

_CODEC = StatusCodec()

#: What a statusType asks for, by its name, which is the name of the answer's elements too.
_FEEDS: Mapping[str, Feed] = {Kind.EVSE: EVSE_STATUS, Kind.PARKING: PARKING_STATUS}
_COMBINED = "combined"


def update_status(house: ClearingHouse, call: Call, message: Message) -> Answer:
    """UpdateStatus: the newest state of each EVSE and parking spot that is named."""
    owners = {
        Kind.EVSE: frozenset(call.partner.party_ids(Role.CPO)),
        Kind.PARKING: frozenset(call.partner.party_ids(Role.PSO))
        | frozenset(call.partner.party_ids(Role.CPO)),
    }
    upload = Upload(
        LIVE_STATUS,
        _CODEC,
        _judge(owners, call.received_at),
        owners=(),
        replaces=False,
        check=_Check(message, call),
    )
    return receive(house, call, message, upload)


def get_status(house: ClearingHouse, call: Call, message: Message) -> Answer:
    """GetStatus: all states of one kind, or what changed or expired since startDateTime."""
    request = message.parameters(call.partner.reading)
    since = optional_time(request, "startDateTime")
    wanted = request.findtext(f"{{{NAMESPACE}}}statusType") or Kind.EVSE
    if wanted == _COMBINED:
        return combined_status(house, call, since)
    feed = _FEEDS[wanted]
    if since is None:
        return full_list(house, call, feed, Carries.LIVE_STATUS, wanted)
    return updates(house, call, feed, Carries.LIVE_STATUS, wanted, since)


def _judge(owners: Mapping[Kind, Collection[str]], received_at: datetime) -> Judge:
    """The EVSE or the parking spot must be the caller's; an end in the past is a warning."""
    own = {kind.value: parties for kind, parties in owners.items()}

    def judge(values: tuple[object, ...]) -> Judgement | None:
        row = cast(StatusRow, values)
        if row.operator not in own[row.kind]:
            return Judgement(refusals=[_foreign(row, own[row.kind])])
        if row.expires_at is not None and row.expires_at <= received_at:
            return Judgement(warnings=[_already_over(format_date_time(row.expires_at))])
        return None

    return judge


def _foreign(row: StatusRow, own: Collection[str]) -> Violation:
    what = "evseId" if row.kind == Kind.EVSE else "parkingId"
    return Violation(
        "status-operator",
        what,
        shown_identifier(row.payload),
        f"operator {row.operator} is not one of yours ({', '.join(sorted(own)) or 'none'})",
        Reason.IDENTIFIER,
    )


def _already_over(ttl: str) -> Violation:
    return Violation("status-expired", "ttl", ttl, "this is over: the state is unknown at once")


@dataclass(frozen=True, slots=True)
class _Check:
    """What the request says after its records, and what charge point data says of them."""

    message: Message
    call: Call

    def __call__(self, connection: Connection, staged: Staged) -> Iterable[Finding]:
        ttl = optional_time(self.message.parameters(self.call.partner.reading), "ttl")
        if ttl is not None:
            text = format_date_time(ttl)
            if ttl <= self.call.received_at:
                bare = store.list_without_ttl(connection, staged.source)
                yield from _findings(bare, lambda _: _already_over(text))
            staged.source = store.with_default_ttl(staged.source, ttl, text)
        yield from _findings(store.list_unknown_evses(connection, staged.source), _unknown_evse)


def _findings(named: store.Named, says: Callable[[str], Violation]) -> Iterator[Finding]:
    more = named.count - len(named.rows)
    for position, payload in named.rows:
        identifier = shown_identifier(payload)
        yield Finding(position, identifier, says(identifier), refuses=False, more=more)
        more = 0


def _unknown_evse(evse_id: str) -> Violation:
    return Violation(
        "evse-unknown", "evseId", evse_id, "charge point data does not know this EVSE; taken"
    )
