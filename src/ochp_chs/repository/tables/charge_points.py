"""Charge points: what operators publish of each EVSE."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from ochp_chs.repository.tables.base import TIME, metadata

charge_point = sa.Table(
    "charge_point",
    metadata,
    sa.Column("evse_key", sa.Text, primary_key=True),
    sa.Column("operator", sa.Text, nullable=False),
    # The EVSE-ID as it was sent; it is compared by its key.
    sa.Column("evse_id", sa.Text, nullable=False),
    sa.Column("location_id", sa.Text, nullable=False),
    # The operator's own time of the record, NULL if it gives none.
    sa.Column("timestamp", TIME),
    sa.Column("latitude", sa.Numeric(8, 6), nullable=False),
    sa.Column("longitude", sa.Numeric(9, 6), nullable=False),
    # Equal for addresses that differ in notation only: ochp/records/charge_point.py.
    sa.Column("address_fingerprint", sa.BigInteger, nullable=False),
    # A name of tzdata; NULL if none was sent, or one that is not known.
    sa.Column("time_zone", sa.Text),
    # As sent, without any schedule; NULL if none was sent.
    sa.Column("status", sa.Text),
    # [start, end or null, status] of each scheduled status; NULL if there is none.
    sa.Column("status_schedule", JSONB),
    # The keys of the parking spots; NULL if there are none.
    sa.Column("parking_keys", ARRAY(sa.Text)),
    # [standard, format, tariff ID as sent or null] of each connector.
    sa.Column("connectors", JSONB, nullable=False),
    sa.Column("charge_point_type", sa.Text, nullable=False),
    # In kW.
    sa.Column("maximum_power", sa.Numeric),
    sa.Column("payload", sa.Text, nullable=False),
    # Where in the payload the timestamp stands, and status and schedule or their place, counted
    # in characters: what a withdrawal rewrites (repository/charge_points.py).
    sa.Column("timestamp_from", sa.Integer, nullable=False),
    sa.Column("timestamp_to", sa.Integer, nullable=False),
    sa.Column("status_from", sa.Integer, nullable=False),
    sa.Column("status_to", sa.Integer, nullable=False),
    sa.Column("withdrawn_at", TIME),
    # Not a foreign key, for the reason given with tokens.
    sa.Column("change_id", sa.BigInteger, nullable=False),
    sa.CheckConstraint("latitude BETWEEN -90 AND 90", name="latitude"),
    sa.CheckConstraint("longitude BETWEEN -180 AND 180", name="longitude"),
    sa.CheckConstraint("charge_point_type IN ('AC', 'DC')", name="charge_point_type"),
    # Serves full lists by its first column, deltas by both.
    sa.Index("ix_charge_point_operator_change_id", "operator", "change_id"),
    # Serves the comparison of EVSEs at one location when some of them are updated.
    sa.Index("ix_charge_point_operator_location_id", "operator", "location_id"),
    # Serves the EVSEs whose parking spots changed, for the combined live status.
    sa.Index(
        "ix_charge_point_parking_keys",
        "parking_keys",
        postgresql_using="gin",
        postgresql_where=sa.text("parking_keys IS NOT NULL"),
    ),
)
