"""The single look-up of a token."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from ochp_chs.ochp.records.token import TokenKey
from ochp_chs.repository.feeds import TOKENS
from ochp_chs.repository.tables import token


def find_current_token(
    connection: sa.Connection, key: TokenKey, providers: Sequence[str], at: datetime
) -> str | None:
    """The payload of the token that one of the providers lets in now, None if there is none.

    Should two records match (a plain and a hashed one, or two providers'), the one that changed
    last is it. Served by the primary key and by the index on the SHA-1.
    """
    matches = token.c.digest.in_(key.digests)
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
