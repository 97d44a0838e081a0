"""Charge points as a feed, what stored ones say against uploaded ones, and look-ups for others."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from ochp_chs.ochp.records.cdr import Connector
from ochp_chs.repository.feeds import Feed, Lock, utc_text
from ochp_chs.repository.tables import charge_point

_CLOSED = "Closed"
_CLOSED_XML = f"<status><ChargePointStatusType>{_CLOSED}</ChargePointStatusType></status>"

#: Rows fetched at a time where there may be as many as were uploaded.
_BLOCK_ROWS = 500


def _withdraw_charge_point(at: datetime) -> Mapping[str, sa.ColumnElement[Any]]:
    """Closed as of the time of the Set (PROTOCOL, "Charge points").

    A schedule overrides the status where it matches, so that it goes: a reader would take an EVSE
    for operative that its operator no longer lists. The timestamp, where there is one, becomes
    that of the Set: the contract wants it to change with any value, and readers that go by it
    would pass over the closing. The column keeps the operator's: what it sends next is compared
    with what it sent.
    """
    columns = charge_point.c
    moment = sa.literal(at, columns.withdrawn_at.type)
    time_xml = (
        sa.literal("<timestamp><DateTime>")
        + utc_text(sa.func.greatest(moment, columns.timestamp))
        + "</DateTime></timestamp>"
    )
    payload, between = columns.payload, columns.status_from - columns.timestamp_to
    rewritten = (
        sa.func.left(payload, columns.timestamp_from)
        + sa.case((columns.timestamp.is_not(None), time_xml), else_="")
        + sa.func.substr(payload, columns.timestamp_to + 1, between)
        + _CLOSED_XML
        + sa.func.substr(payload, columns.status_to + 1)
    )
    return {
        "withdrawn_at": moment,
        "status": sa.literal(_CLOSED),
        "status_schedule": sa.null(),
        "payload": rewritten,
    }


def _charge_point_is_current(_at: datetime) -> sa.ColumnElement[bool]:
    return charge_point.c.withdrawn_at.is_(None)


CHARGE_POINTS = Feed(
    name="charge-points",
    number=2,
    upload_lock=Lock.UPLOAD_CHARGE_POINTS,
    table=charge_point,
    key=("evse_key",),
    owner="operator",
    retained="evse_key",
    withdrawal=_withdraw_charge_point,
    is_current=_charge_point_is_current,
)


class StaleRecord(NamedTuple):
    """A staged record whose timestamp is not later than that of the version it would replace."""

    position: int
    evse_id: str
    evse_key: str
    timestamp: datetime
    stored_timestamp: datetime
    #: It is earlier; False: it is the same with other content.
    is_outdated: bool
    #: Of an outdated record.
    payload: str


def stale_records(
    connection: sa.Connection, source: sa.FromClause, plausible_until: datetime
) -> Iterator[StaleRecord]:
    """The staged records with a timestamp that is not later than the stored one, in order.

    A stored timestamp later than `plausible_until` does not count: a clock that was wrong once
    would lock the record until then. Nor does one of a withdrawn record, which is not replaced.
    """
    stored = charge_point.alias("stored")
    outdated = stored.c.timestamp > source.c.timestamp
    statement = (
        sa.select(
            source.c.position,
            source.c.evse_id,
            source.c.evse_key,
            source.c.timestamp,
            stored.c.timestamp,
            outdated,
            sa.case((outdated, source.c.payload), else_=""),
        )
        .select_from(source.join(stored, stored.c.evse_key == source.c.evse_key))
        .where(
            stored.c.withdrawn_at.is_(None),
            stored.c.timestamp >= source.c.timestamp,
            stored.c.timestamp <= plausible_until,
            stored.c.payload != source.c.payload,
        )
        .order_by(source.c.position)
    )
    return (StaleRecord._make(row) for row in _rows(connection, statement, source))


def _rows(
    connection: sa.Connection, statement: sa.Select[Any], source: sa.FromClause
) -> Iterator[sa.Row[Any]]:
    # By a server-side cursor from a staging table: it may be every record of a large upload.
    options = {"stream_results": isinstance(source, sa.Table), "max_row_buffer": _BLOCK_ROWS}
    yield from connection.execute(statement, execution_options=options)


class Deviation(NamedTuple):
    """A location whose EVSEs have more than one address or position."""

    location_id: str
    #: The first staged record that deviates, and how many more do.
    position: int
    evse_id: str
    more: int
    #: What they were compared with.
    other_evse_id: str
    address_differs: bool
    position_differs: bool


def deviating_locations(
    connection: sa.Connection,
    source: sa.FromClause,
    left_out: Sequence[int],
    *,
    with_stored: bool,
) -> Iterator[Deviation]:
    """The locations at which staged EVSEs do not have one address and one position.

    They are compared with the stored EVSEs of the location that are not staged (an Update), else
    with the first staged one. `left_out` are positions of staged records that will be refused.
    """
    staged = _staged_places(source, left_out)
    places: sa.Select[Any] | sa.CompoundSelect[Any] = sa.select(staged)
    if with_stored:
        places = sa.union_all(places, _stored_places(staged))
    located = _beside_the_first(places.subquery("places"))
    address = located.c.address_fingerprint != located.c.first_address_fingerprint
    point = sa.or_(
        located.c.latitude != located.c.first_latitude,
        located.c.longitude != located.c.first_longitude,
    )
    position = sa.func.min(located.c.position)
    evse_ids = aggregate_order_by(located.c.evse_id, located.c.position)
    statement = (
        sa.select(
            located.c.location_id,
            position,
            sa.func.array_agg(evse_ids, type_=ARRAY(sa.Text))[1],
            sa.func.count() - 1,
            located.c.first_evse_id,
            sa.func.bool_or(address),
            sa.func.bool_or(point),
        )
        .where(located.c.position > _STORED, sa.or_(address, point))
        .group_by(located.c.operator, located.c.location_id, located.c.first_evse_id)
        .order_by(position)
    )
    return (Deviation._make(row) for row in _rows(connection, statement, source))


def _beside_the_first(places: sa.Subquery) -> sa.Subquery:
    """Each place beside the first one of its location, which the others are compared with."""
    firsts = [
        sa.func.first_value(places.c[name])
        .over(
            partition_by=[places.c.operator, places.c.location_id],
            order_by=[places.c.position, places.c.evse_key],
        )
        .label(f"first_{name}")
        for name in ("evse_id", "latitude", "longitude", "address_fingerprint")
    ]
    return sa.select(places, *firsts).subquery("located")


#: The position of stored records, before those of all staged ones.
_STORED = 0

_PLACE = ("evse_id", "operator", "location_id", "latitude", "longitude", "address_fingerprint")


def _staged_places(source: sa.FromClause, left_out: Sequence[int]) -> sa.CTE:
    chosen = sa.select(source.c.position, source.c.evse_key, *[source.c[name] for name in _PLACE])
    if left_out:
        refused = sa.cast(sa.literal(list(left_out), sa.ARRAY(sa.Integer)), sa.ARRAY(sa.Integer))
        chosen = chosen.where(source.c.position.not_in(sa.select(sa.func.unnest(refused))))
    return chosen.cte("staged")


def _stored_places(staged: sa.CTE) -> sa.Select[Any]:
    stored = charge_point.alias("stored")
    at_a_staged_location = sa.tuple_(stored.c.operator, stored.c.location_id).in_(
        sa.select(staged.c.operator, staged.c.location_id)
    )
    return sa.select(
        sa.literal(_STORED), stored.c.evse_key, *[stored.c[name] for name in _PLACE]
    ).where(
        at_a_staged_location,
        stored.c.withdrawn_at.is_(None),
        ~sa.exists().where(staged.c.evse_key == stored.c.evse_key),
    )


class KnownChargePoint(NamedTuple):
    """What charge point data says of an EVSE that a CDR names."""

    #: A name of tzdata, None if none is known.
    time_zone: str | None
    connectors: tuple[Connector, ...]
    #: In kW.
    maximum_power: Decimal | None
    #: AC or DC.
    charge_point_type: str


def evses_known(
    connection: sa.Connection, evse_keys: Sequence[str]
) -> Mapping[str, KnownChargePoint]:
    """Those of the EVSEs that charge point data knows, by key; one statement, by primary key.

    Withdrawn ones included: the CDR of a session may come when its EVSE is gone.
    """
    columns = charge_point.c
    keys = sa.cast(sa.literal(list(evse_keys), sa.ARRAY(sa.Text)), sa.ARRAY(sa.Text))
    statement = sa.select(
        columns.evse_key,
        columns.time_zone,
        columns.connectors,
        columns.maximum_power,
        columns.charge_point_type,
    ).where(columns.evse_key == sa.any_(keys))
    return {
        row.evse_key: KnownChargePoint(
            row.time_zone,
            tuple(Connector(*connector) for connector in row.connectors),
            row.maximum_power,
            row.charge_point_type,
        )
        for row in connection.execute(statement)
    }
