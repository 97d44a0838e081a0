"""Service endpoints of OCHP direct 0.2 (PROTOCOL, "Service endpoints")."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from functools import partial
from itertools import groupby
from typing import cast

import structlog

from ochp_chs.clearing.exchange import (
    Answer,
    Blocks,
    Call,
    ClearingHouse,
    Elements,
    Message,
    no_connection,
)
from ochp_chs.clearing.intake import Judge
from ochp_chs.clearing.upload import Finding, Upload, receive
from ochp_chs.ochp.records.codec import Judgement
from ochp_chs.ochp.records.endpoint import (
    EndpointCodec,
    EndpointRow,
    Kind,
    first_day_kept,
    first_day_taken,
)
from ochp_chs.ochp.results import Result, ResultCode
from ochp_chs.ochp.roles import Carries
from ochp_chs.ochp.violations import Reason, Violation
from ochp_chs.repository import endpoints
from ochp_chs.repository.connections import Source, sources_of
from ochp_chs.repository.endpoints import ENDPOINTS
from ochp_chs.repository.engine import Connection, Database
from ochp_chs.repository.partners import Partner
from ochp_chs.repository.staging import SizedIterable, Staged

log = structlog.get_logger(__name__)


def add_endpoints(house: ClearingHouse, call: Call, message: Message) -> Answer:
    """AddServiceEndpoints: for each day and kind that is in the message, replace the caller's set.

    Providers' and operators' endpoints stay apart, because a partner in both roles may run two
    systems that know nothing of each other. A day of which every endpoint is refused stays as it
    was.
    """
    upload = Upload(
        ENDPOINTS,
        EndpointCodec(house.vault),
        _judge(call.partner, first_day_taken(call.received_at)),
        owners=(),
        replaces=True,
        check=partial(_refuse_taken_tokens, call.partner.id),
        store=partial(_replace_days, call.partner.id),
    )
    return receive(house, call, message, upload)


def get_endpoints(house: ClearingHouse, call: Call, message: Message) -> Answer:
    """GetServiceEndpoints: those of connected partners whose token is valid now or later."""
    message.parameters(call.partner.reading)
    at = house.clock()
    with house.database.begin() as connection:
        sources = sources_of(connection, call.partner.id, Carries.ENDPOINTS)
        if not sources:
            return no_connection(call.operation)
        missing = endpoints.count_sealed_otherwise(
            connection, _partner_ids(sources), at, house.vault.key_id
        )
    kinds = _Kinds(_stream(house, sources, at))
    return Answer(
        _result(missing, call.reference),
        [Elements(kind.element, kinds.blocks(kind)) for kind in Kind],
    )


def erase_expired(database: Database, at: datetime) -> int:
    """Erase the endpoints whose token no longer counts; how many that were.

    Any number of nodes may call this at any time; the tokens are gone from the database then.
    """
    with database.begin() as connection:
        erased = endpoints.erase_before(connection, first_day_kept(at)) or 0
    if erased:
        log.info("expired service endpoints erased", endpoints=erased)
    return erased


def _judge(partner: Partner, first_day: date) -> Judge:
    """Role, ownership and day; what the record alone tells, its codec has looked at."""

    def judge(values: tuple[object, ...]) -> Judgement | None:
        row = cast(EndpointRow, values)
        refusals = [*_wrong_party(row, partner), *_wrong_day(row, first_day)]
        return Judgement(refusals=refusals) if refusals else None

    return judge


def _wrong_party(row: EndpointRow, partner: Partner) -> list[Violation]:
    """The caller has the role, and every pattern begins with one of its IDs in that role."""
    kind = Kind(row.kind)
    if kind.role not in partner.roles:
        text = f"{kind} endpoints are for the role {kind.role.upper()}, which you do not have"
        return [Violation("endpoint-role", "", "", text, Reason.IDENTIFIER)]
    own = partner.party_ids(kind.role)
    foreign = [party for party in row.party_ids.split() if party not in own]
    if not foreign:
        return []
    text = f"patterns must begin with one of your IDs ({', '.join(sorted(own)) or 'none'})"
    shown = ", ".join(foreign)
    return [Violation("endpoint-pattern", "whitelist, blacklist", shown, text, Reason.IDENTIFIER)]


def _wrong_day(row: EndpointRow, first_day: date) -> list[Violation]:
    """The day is today or later, in UTC."""
    if row.valid_date >= first_day.isoformat():
        return []
    text = f"the day is over; today is {first_day} in UTC"
    return [Violation("endpoint-day", "validDate", row.valid_date, text)]


def _refuse_taken_tokens(
    partner_id: int, connection: Connection, staged: Staged
) -> Iterable[Finding]:
    """No two partners use the same token; whose it is, is nobody's business."""
    endpoints.lock_tokens(connection)
    return [
        Finding(position, row.named(), _TOKEN_TAKEN, refuses=True)
        for position, row in endpoints.tokens_of_others(connection, staged, partner_id)
    ]


_TOKEN_TAKEN = Violation(
    "endpoint-token-unique",
    "accessToken",
    "",
    "this access token is not unique; send the endpoint with a newly made one",
)


def _replace_days(
    partner_id: int,
    connection: Connection,
    staged: Staged,
    retained: SizedIterable,
    _change_id: int,
) -> tuple[int, int]:
    return endpoints.replace_days(connection, staged, partner_id, retained)


def _partner_ids(sources: Iterable[Source]) -> frozenset[int]:
    return frozenset(source.partner_id for source in sources)


def _result(missing: int, reference: str) -> Result:
    if not missing:
        return Result(ResultCode.OK, "Complete.")
    # A short list must not look whole; the others' endpoints are of use all the same.
    log.error(
        "service endpoints were sealed with another key: is OCHP_CHS_SECRET_KEY the same on all"
        " nodes? They can be read again once their partners have sent them anew",
        endpoints=missing,
        reference=reference,
    )
    return Result(
        ResultCode.PARTLY,
        f"{missing} endpoints cannot be read and are missing; they come back once the partners"
        f" that they belong to have sent them again. Reference: {reference}",
    )


def _stream(
    house: ClearingHouse, sources: Sequence[Source], at: datetime
) -> Iterator[tuple[Kind, Sequence[str]]]:
    """Blocks of records of one kind each, all from one snapshot."""
    granted = {(source.role, source.partner_id, source.party_id) for source in sources}
    with house.database.snapshot() as connection:
        for rows in endpoints.stream_current(
            connection, _partner_ids(sources), at, house.vault.key_id
        ):
            # The patterns may name an ID that was taken from the partner since, and a partner
            # with two roles may be connected in only one.
            visible = (
                row
                for row in rows
                if all((Kind(row[0]).role, row[1], party) in granted for party in row[2].split())
            )
            for kind, group in groupby(visible, key=lambda row: Kind(row[0])):
                yield kind, [house.vault.open(bytes(row[3])) for row in group]


class _Kinds:
    """One stream, sorted by kind, as one stream for each kind, to be read in that order."""

    def __init__(self, blocks: Iterator[tuple[Kind, Sequence[str]]]) -> None:
        self._blocks = blocks
        # Now, so that what fails at once fails before the answer has begun.
        self._next = next(blocks, None)

    def blocks(self, kind: Kind) -> Blocks:
        """The blocks of this kind."""
        try:
            while self._next is not None and self._next[0] is kind:
                yield self._next[1]
                self._next = next(self._blocks, None)
        except BaseException:
            # Above all when the client went away: the snapshot must not stay open.
            self._blocks.close()  # type: ignore[attr-defined]
            raise
