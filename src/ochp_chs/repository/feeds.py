"""What differs between the record types on their common road: a table, its key, and three clauses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

import sqlalchemy as sa

from ochp_chs.repository import tables

#: The part of a token's payload that its withdrawal rewrites; the time has a fixed length.
_EXPIRY_XML = "<expiryDate><DateTime>{}</DateTime></expiryDate>"
_EXPIRY_XML_LENGTH = len(_EXPIRY_XML.format("2011-06-01T11:45:30Z"))


class Lock(IntEnum):
    """First keys of the advisory locks; the numbers only have to differ from each other's."""

    PUBLISH = 140_001
    UPLOAD_TOKENS = 140_101


@dataclass(frozen=True, slots=True)
class Feed:
    """One record type that is uploaded, merged, followed by deltas and downloaded."""

    name: str
    #: Second key of the publishing lock.
    number: int
    upload_lock: Lock
    table: sa.Table
    key: tuple[str, ...]
    #: Column that holds the party ID whose record it is.
    owner: str
    #: Column by which a refused record's earlier version is found.
    retained: str
    #: What a Set does to a record that it leaves out, given the time of the Set.
    withdrawal: Callable[[datetime], Mapping[str, sa.ColumnElement[Any]]]
    #: Which records a full list has, given the time of the request.
    is_current: Callable[[datetime], sa.ColumnElement[bool]]


def _utc_text(moment: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    return sa.func.to_char(moment.op("AT TIME ZONE")("UTC"), 'YYYY-MM-DD"T"HH24:MI:SS"Z"')


def _withdraw_token(at: datetime) -> Mapping[str, sa.ColumnElement[Any]]:
    """Expired as of the time of the Set, unless it had expired before (PROTOCOL)."""
    columns = tables.token.c
    moment = sa.literal(at, columns.withdrawn_at.type)
    prefix, suffix = _EXPIRY_XML.split("{}")
    rewritten = (
        sa.func.left(columns.payload, -_EXPIRY_XML_LENGTH) + prefix + _utc_text(moment) + suffix
    )
    return {
        "withdrawn_at": moment,
        "expires_at": sa.func.least(columns.expires_at, moment),
        "payload": sa.case((columns.expires_at > moment, rewritten), else_=columns.payload),
    }


def _token_is_current(at: datetime) -> sa.ColumnElement[bool]:
    columns = tables.token.c
    return sa.and_(columns.withdrawn_at.is_(None), columns.expires_at > at)


TOKENS = Feed(
    name="tokens",
    number=1,
    upload_lock=Lock.UPLOAD_TOKENS,
    table=tables.token,
    key=("digest", "provider", "token_type", "representation"),
    owner="provider",
    retained="digest",
    withdrawal=_withdraw_token,
    is_current=_token_is_current,
)
