"""Service endpoints of OCHP direct, and whose access token is whose."""

import sqlalchemy as sa

from ochp_chs.repository.tables.base import metadata

endpoint_token = sa.Table(
    "endpoint_token",
    metadata,
    # A token opens the endpoints of one partner only: the key is what keeps it so. What is kept of
    # a token here is a keyed digest.
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    # The index serves the download, and finding what a new set replaces.
    sa.Column(
        "partner_id",
        sa.ForeignKey("partner.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
)

service_endpoint = sa.Table(
    "service_endpoint",
    metadata,
    # One partner may use one token for several endpoints.
    sa.Column(
        "token_digest",
        sa.ForeignKey("endpoint_token.digest", ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("valid_date", sa.Date, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("url", sa.Text, primary_key=True),
    sa.Column("namespace_url", sa.Text, primary_key=True),
    # Whom the patterns name, with blanks between: rows are staged in columns of scalars.
    sa.Column("party_ids", sa.Text, nullable=False),
    # Which secret the record was sealed with.
    sa.Column("key_id", sa.Text, nullable=False),
    # The record itself, encrypted: it holds the access token.
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.CheckConstraint("kind IN ('provider', 'operator')", name="kind"),
    # Serves the erasure of what is over.
    sa.Index(None, "valid_date"),
)
