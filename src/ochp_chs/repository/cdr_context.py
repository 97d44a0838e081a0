"""What the plausibility rules know beside the CDR, for a block of CDRs at a time."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from ochp_chs.ochp.records.cdr import CdrStatus
from ochp_chs.ochp.roles import Role
from ochp_chs.repository.tables import cdr, partner_party, token

_TEXTS = sa.ARRAY(sa.Text)


@dataclass(frozen=True, slots=True)
class StoredSession:
    """When a stored CDR says that an EVSE was in use."""

    evse_key: str
    cdr_id: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class ListedToken:
    """A token of an EMP's list, as far as it can be recognised in a CDR."""

    provider: str
    contract_key: str
    token_type: str
    digest: bytes
    digest_sha160: bytes | None


def provider_partners(connection: sa.Connection) -> Mapping[str, int]:
    """Every provider ID that an EMP speaks for, and that EMP."""
    statement = sa.select(partner_party.c.party_id, partner_party.c.partner_id).where(
        partner_party.c.role == Role.EMP.value
    )
    return {row.party_id: row.partner_id for row in connection.execute(statement)}


def stored_sessions(
    connection: sa.Connection, evse_keys: Collection[str], begin: datetime, end: datetime
) -> Iterator[StoredSession]:
    """Sessions on these EVSEs that share time with the interval, rejected ones left out.

    Served by ix_cdr_evse_key_starts_at.
    """
    statement = sa.select(cdr.c.evse_key, cdr.c.cdr_id, cdr.c.starts_at, cdr.c.ends_at).where(
        cdr.c.evse_key == sa.any_(sa.literal(list(evse_keys), _TEXTS)),
        cdr.c.starts_at < end,
        cdr.c.ends_at > begin,
        cdr.c.status != CdrStatus.REJECTED.value,
    )
    for evse_key, cdr_id, starts_at, ends_at in connection.execute(statement):
        yield StoredSession(evse_key, cdr_id, starts_at, ends_at)


def listed_tokens(
    connection: sa.Connection, digests: Collection[bytes], sha160: Collection[bytes]
) -> Iterator[ListedToken]:
    """Tokens with one of these digests, whoever's; withdrawn and expired ones included.

    A session of last month was right if its token was listed then. Served by pk_token and
    ix_token_digest_sha160.
    """
    binary = sa.ARRAY(sa.LargeBinary)
    columns = (
        token.c.provider,
        token.c.contract_id,
        token.c.token_type,
        token.c.digest,
        token.c.digest_sha160,
    )
    statement = sa.union_all(
        sa.select(*columns).where(token.c.digest == sa.any_(sa.literal(list(digests), binary))),
        sa.select(*columns).where(
            token.c.digest_sha160 == sa.any_(sa.literal(list(sha160), binary)),
        ),
    )
    for provider, contract_key, token_type, digest, digest_sha160 in connection.execute(statement):
        yield ListedToken(provider, contract_key, token_type, digest, digest_sha160)
