"""Authorisation tokens."""

import sqlalchemy as sa

from ochp_chs.repository.tables.base import TIME, metadata

token = sa.Table(
    "token",
    metadata,
    # A token is known by provider, type, representation and instance; of the instance, the digest
    # is kept (ochp/records/token.py), which is what every look-up has in hand. It leads the key,
    # so that one index serves both.
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("provider", sa.Text, primary_key=True),
    sa.Column("token_type", sa.Text, primary_key=True),
    sa.Column("representation", sa.Text, primary_key=True),
    sa.Column("digest_sha160", sa.LargeBinary),
    sa.Column("contract_id", sa.Text, nullable=False),
    sa.Column("expires_at", TIME, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("withdrawn_at", TIME),
    # Not a foreign key: the change row is written after the records, and may be erased before
    # them when it is older than any delta that can be asked for.
    sa.Column("change_id", sa.BigInteger, nullable=False),
    # Serves look-ups by SHA-1 of plain tokens.
    sa.Index(
        "ix_token_digest_sha160",
        "digest_sha160",
        postgresql_where=sa.text("digest_sha160 IS NOT NULL"),
    ),
    # Serves full lists by its first column, deltas by both.
    sa.Index("ix_token_provider_change_id", "provider", "change_id"),
)
