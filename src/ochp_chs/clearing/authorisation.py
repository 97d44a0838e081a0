"""Authorisation data: tokens from EMPs to CPOs (PROTOCOL, "Authorisation data")."""

from collections.abc import Collection
from typing import Any

from ochp_chs.clearing.download import full_list, updates
from ochp_chs.clearing.exchange import (
    Ahead,
    Answer,
    Call,
    ClearingHouse,
    Columns,
    Elements,
    Message,
    PlainReading,
    ReadRun,
    no_connection,
)
from ochp_chs.clearing.intake import Judge
from ochp_chs.clearing.parameters import last_update
from ochp_chs.clearing.upload import Upload, receive
from ochp_chs.ochp.identifiers import check_contract_id
from ochp_chs.ochp.records.codec import Judgement, RecordRefused
from ochp_chs.ochp.records.token import TokenCodec, TokenRow, lookup_key
from ochp_chs.ochp.records.token_plain import plain_tokens
from ochp_chs.ochp.results import Result, ResultCode
from ochp_chs.ochp.roles import Carries, Role
from ochp_chs.ochp.violations import Reason, Violation
from ochp_chs.repository.partners import Partner
from ochp_chs.repository.tokens import TOKENS, LookedUp, find_current_token

_CODEC = TokenCodec()


def set_list(house: ClearingHouse, call: Call, message: Message) -> Answer:
    """SetRoamingAuthorisationList: replace the caller's whole list."""
    return receive(house, call, message, _upload(call, replaces=True))


def update_list(house: ClearingHouse, call: Call, message: Message) -> Answer:
    """UpdateRoamingAuthorisationList: add and change; a past expiry revokes."""
    return receive(house, call, message, _upload(call, replaces=False))


def get_list(house: ClearingHouse, call: Call, message: Message) -> Answer:
    """GetRoamingAuthorisationList: all current, unexpired tokens of connected EMPs."""
    message.parameters(call.partner.reading)
    return full_list(house, call, TOKENS, Carries.TOKENS, "roamingAuthorisationInfoArray")


def get_list_updates(house: ClearingHouse, call: Call, message: Message) -> Answer:
    """GetRoamingAuthorisationListUpdates: what changed since, withdrawn and expired included."""
    since = last_update(message.parameters(call.partner.reading))
    return updates(house, call, TOKENS, Carries.TOKENS, "roamingAuthorisationInfo", since)


def get_single(house: ClearingHouse, call: Call, message: Message) -> Answer:
    """GetSingleRoamingAuthorisation: the one token, whatever its representation."""
    emt_id = message.parameters(call.partner.reading)[0]
    try:
        key = lookup_key(emt_id)
    except RecordRefused as refusal:
        return Answer(Result(ResultCode.FORMAT, f"emtId: {refusal}"))
    _, found = find_current_token(house.database, key, call.partner.name, house.clock())
    return _single_answer(call, found)


def get_single_ahead(house: ClearingHouse, message: Message) -> Ahead | None:
    """The same, asking for the token and the caller at once; None: the message needs more care."""
    request = message.valid_parameters()
    if request is None:
        return None
    try:
        key = lookup_key(request[0])
    except RecordRefused:
        return None
    found = LookedUp(is_connected=False, payload=None)

    def find(name: str) -> Partner | None:
        nonlocal found
        partner, found = find_current_token(house.database, key, name, house.clock())
        return partner

    return Ahead(find, lambda call: _single_answer(call, found))


def _single_answer(call: Call, found: LookedUp) -> Answer:
    if not found.is_connected:
        return no_connection(call.operation)
    if found.payload is None:
        return Answer(
            Result(ResultCode.INVALID_ID, "No connected provider lets this token in now.")
        )
    return Answer(
        Result(ResultCode.OK, "The token is valid."),
        [Elements("roamingAuthorisationInfo", iter([[found.payload]]))],
    )


def _upload(call: Call, *, replaces: bool) -> Upload:
    providers = call.partner.party_ids(Role.EMP)
    return Upload(
        TOKENS,
        _CODEC,
        _judge(providers),
        providers,
        replaces,
        plain=_plain(providers),
    )


def _judge(providers: Collection[str]) -> Judge:
    """A token's contract must be one of the caller's; a wrong check character is a warning."""

    def judge(values: tuple[Any, ...]) -> Judgement | None:
        row = TokenRow._make(values)
        if row.provider not in providers:
            return Judgement(refusals=[_foreign_contract(row, providers)])
        warning = check_contract_id(row.contract_id)
        return Judgement(warnings=[warning]) if warning else None

    return judge


def _plain(providers: Collection[str]) -> PlainReading:
    """Tokens that are written plainly, of which `_judge` has nothing to say."""
    own = frozenset(providers)

    def plain(prefix: str, name: str) -> ReadRun:
        tokens = plain_tokens(prefix, name)

        def read(written: str) -> Columns | None:
            columns = tokens.read(written)
            if columns is None or not own.issuperset(columns.provider):
                return None
            return None if any(map(check_contract_id, columns.contract_id)) else columns

        return read

    return plain


def _foreign_contract(row: TokenRow, providers: Collection[str]) -> Violation:
    own = ", ".join(sorted(providers)) or "none"
    return Violation(
        "contract-provider",
        "contractId",
        row.contract_id,
        f"provider {row.provider} is not one of yours ({own})",
        Reason.IDENTIFIER,
    )
