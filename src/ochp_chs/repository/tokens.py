"""Tokens as a feed, and the single look-up."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ochp_chs.ochp.records.token import TokenKey
from ochp_chs.repository.feeds import Feed, Lock, utc_text
from ochp_chs.repository.tables import token

#: The part of a token's payload that its withdrawal rewrites; the time has a fixed length.
_EXPIRY_XML = "<expiryDate><DateTime>{}</DateTime></expiryDate>"
_EXPIRY_XML_LENGTH = len(_EXPIRY_XML.format("2011-06-01T11:45:30Z"))


def _withdraw_token(at: datetime) -> Mapping[str, sa.ColumnElement[Any]]:
    """Expired as of the time of the Set, unless it had expired before (PROTOCOL)."""
    columns = token.c
    moment = sa.literal(at, columns.withdrawn_at.type)
    prefix, suffix = _EXPIRY_XML.split("{}")
    rewritten = (
        sa.func.left(columns.payload, -_EXPIRY_XML_LENGTH) + prefix + utc_text(moment) + suffix
    )
    return {
        "withdrawn_at": moment,
        "expires_at": sa.func.least(columns.expires_at, moment),
        "payload": sa.case((columns.expires_at > moment, rewritten), else_=columns.payload),
    }


def _token_is_current(at: datetime) -> sa.ColumnElement[bool]:
    columns = token.c
    return sa.and_(columns.withdrawn_at.is_(None), columns.expires_at > at)


TOKENS = Feed(
    name="tokens",
    number=1,
    upload_lock=Lock.UPLOAD_TOKENS,
    table=token,
    key=("digest", "provider", "token_type", "representation"),
    owner="provider",
    retained="digest",
    withdrawal=_withdraw_token,
    is_current=_token_is_current,
)


def find_current_token(
    connection: sa.Connection, key: TokenKey, providers: Sequence[str], at: datetime
) -> str | None:
    """The payload of the token that one of the providers lets in now, None if there is none.

    Should two records match (a plain and a hashed one, or two providers'), the one that changed
    last is it. Served by the primary key and by the index on the SHA-1.
    """
    matches: sa.ColumnElement[bool] = token.c.digest.in_(key.digests)
    if key.digest_sha160 is not None:
        matches = sa.or_(matches, token.c.digest_sha160 == key.digest_sha160)
    statement = (
        sa.select(token.c.payload)
        .where(
            matches,
            token.c.token_type == key.token_type,
            token.c.provider.in_(providers),
            TOKENS.is_current(at),
        )
        .order_by(token.c.change_id.desc())
        .limit(1)
    )
    return connection.execute(statement).scalar_one_or_none()
