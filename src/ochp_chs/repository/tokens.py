"""Tokens as a feed, and the single look-up."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from ochp_chs.ochp.records.token import TokenKey
from ochp_chs.repository.engine import Database
from ochp_chs.repository.feeds import Feed, Lock, utc_text
from ochp_chs.repository.query import Query
from ochp_chs.repository.tables import token
from ochp_chs.repository.tables.base import TIME

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


def _token_is_current(at: datetime | sa.BindParameter[datetime]) -> sa.ColumnElement[bool]:
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
    database: Database, key: TokenKey, providers: Sequence[str], at: datetime
) -> str | None:
    """The payload of the token that one of the providers lets in now, None if there is none.

    Should two records match (a plain and a hashed one, or two providers'), the one that changed
    last is it. Served by the primary key and by the index on the SHA-1.
    """
    rows = database.ask(
        _FIND,
        {
            "digests": list(key.digests),
            "digest_sha160": key.digest_sha160,
            "token_type": key.token_type,
            "providers": list(providers),
            "at": at,
        },
    )
    return rows[0][0] if rows else None


def _find_statement() -> sa.Select[str]:
    columns = token.c
    digests = sa.bindparam("digests", type_=ARRAY(sa.LargeBinary))
    providers = sa.bindparam("providers", type_=ARRAY(sa.Text))
    return (
        sa.select(columns.payload)
        .where(
            # PostgreSQL drops the second half where it is compared with NULL.
            sa.or_(
                columns.digest == sa.any_(digests),
                columns.digest_sha160 == sa.bindparam("digest_sha160", type_=sa.LargeBinary),
            ),
            columns.token_type == sa.bindparam("token_type"),
            columns.provider == sa.any_(providers),
            _token_is_current(sa.bindparam("at", type_=TIME)),
        )
        .order_by(columns.change_id.desc())
        .limit(1)
    )


_FIND = Query(_find_statement())
