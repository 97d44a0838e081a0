"""Tokens as a feed, and the single look-up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ochp_chs.ochp.records.token import TokenKey
from ochp_chs.ochp.roles import Carries
from ochp_chs.repository.connections import connected_statement
from ochp_chs.repository.engine import Database
from ochp_chs.repository.feeds import Feed, Lock, utc_text
from ochp_chs.repository.partners import Partner, named_partner_statement, partner_of
from ochp_chs.repository.query import Query
from ochp_chs.repository.tables import token
from ochp_chs.repository.tables.base import TIME

#: The part of a token's payload that its withdrawal rewrites; the time has a fixed length.
_EXPIRY_XML = "<expiryDate><DateTime>{}</DateTime></expiryDate>"
_EXPIRY_XML_LENGTH = len(_EXPIRY_XML.format("2011-06-01T11:45:30Z"))


def withdraw_token(at: datetime) -> Mapping[str, sa.ColumnElement[Any]]:
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
    withdrawal=withdraw_token,
    is_current=_token_is_current,
)


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What came of a single look-up."""

    #: Some partner's tokens, or single look-ups of them, flow to the caller.
    is_connected: bool
    #: The token's; None: no connected provider lets it in now.
    payload: str | None


def find_current_token(
    database: Database, key: TokenKey, partner_name: str, at: datetime
) -> tuple[Partner | None, LookedUp]:
    """Look for a token that a provider connected to the partner lets in now, and for the partner.

    Asked together, they cost half of what they cost one after the other. Should two records match
    (a plain and a hashed one, or two providers'), the one that changed last is it. Served by the
    primary key and by the index on the SHA-1.
    """
    digest, other_digest = (*key.digests, None)[:2]
    parameters = {
        "digest": digest,
        "other_digest": other_digest,
        "digest_sha160": key.digest_sha160,
        "token_type": key.token_type,
        "name": partner_name,
        "at": at,
    }
    for *caller, is_connected, payload in database.ask(_FIND, parameters):
        return partner_of(caller), LookedUp(is_connected, payload)
    return None, LookedUp(is_connected=False, payload=None)


def _find_statement() -> sa.Select[Any]:
    columns = token.c
    kinds = (Carries.TOKENS, Carries.TOKEN_LOOKUP)
    caller = named_partner_statement().cte("caller")
    me = sa.select(caller.c.id).scalar_subquery()
    provider = connected_statement(kinds, to_partner=True, me=me).cte("connected_provider")
    digest, other_digest, digest_sha160 = (
        sa.bindparam(name, type_=sa.LargeBinary)
        for name in ("digest", "other_digest", "digest_sha160")
    )
    payload = (
        sa.select(columns.payload)
        .where(
            sa.or_(
                columns.digest == digest,
                columns.digest == other_digest,
                columns.digest_sha160 == digest_sha160,
            ),
            columns.token_type == sa.bindparam("token_type"),
            # Not by the provider's index: as long as the table is not analysed after a first list,
            # PostgreSQL would look through all tokens of a provider.
            columns.provider.concat("").in_(sa.select(provider.c.party_id)),
            _token_is_current(sa.bindparam("at", type_=TIME)),
        )
        .order_by(columns.change_id.desc())
        .limit(1)
    )
    return sa.select(caller, sa.exists().select_from(provider), payload.scalar_subquery())


_FIND = Query(_find_statement())
