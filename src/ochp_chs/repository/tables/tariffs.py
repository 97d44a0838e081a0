"""Tariffs: what each recipient was given, from when until when."""

import sqlalchemy as sa

from ochp_chs.repository.tables.base import TIME, metadata

tariff = sa.Table(
    "tariff",
    metadata,
    # One row for each recipient of a tariff and each time that what it is given changed. Earlier
    # rows stay: they tell what a CDR of that time was to be billed by.
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("tariff_key", sa.Text, nullable=False),
    # A provider ID; empty: the default, for everybody who is not named.
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("operator", sa.Text, nullable=False),
    # As it was sent; it is compared by its key.
    sa.Column("tariff_id", sa.Text, nullable=False),
    # Place of the individual tariff in the tariff, from 1.
    sa.Column("position", sa.Integer, nullable=False),
    # The individual tariff as an element of its own, without recipients.
    sa.Column("payload", sa.Text, nullable=False),
    # From then on nothing of it holds any more; NULL: something of it has no end.
    sa.Column("ends_at", TIME),
    sa.Column("given_from", TIME, nullable=False),
    # NULL: still.
    sa.Column("given_until", TIME),
    # Of the change that began it, or ended it. Not a foreign key, for the reason given with tokens.
    sa.Column("change_id", sa.BigInteger, nullable=False),
    # Nobody is given two things at once. Serves the comparison with an uploaded tariff.
    sa.Index(
        "uq_tariff_tariff_key_recipient",
        "tariff_key",
        "recipient",
        unique=True,
        postgresql_where=sa.text("given_until IS NULL"),
    ),
    # Serves what was given at an earlier time: for CDRs, and for those who now see nothing.
    sa.Index("ix_tariff_tariff_key_recipient_given_from", "tariff_key", "recipient", "given_from"),
    # Serves full lists.
    sa.Index("ix_tariff_operator", "operator", postgresql_where=sa.text("given_until IS NULL")),
    # Serves deltas.
    sa.Index("ix_tariff_operator_change_id", "operator", "change_id"),
)
