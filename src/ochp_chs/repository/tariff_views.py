"""What one caller sees of tariffs: all that is valid, or what became another since a moment.

Of each tariff a caller sees the individual tariffs that name one of its provider IDs, else the
default, else nothing (PROTOCOL, "Tariffs").
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from ochp_chs.ochp.records.tariff_codec import EVERYBODY_ELSE, ended, tariff_xml
from ochp_chs.repository.delta import BLOCK_ROWS, changes_since
from ochp_chs.repository.tables import tariff
from ochp_chs.repository.tables.base import TIME
from ochp_chs.repository.tariffs import TARIFFS


@dataclass(frozen=True, slots=True)
class View:
    """Whose tariffs are asked for, and by whom: operator IDs and the caller's provider IDs."""

    operators: Sequence[str]
    providers: Sequence[str]


@dataclass(frozen=True, slots=True)
class Since:
    """What limits an answer: to changes since a moment, and to all of the new operators."""

    moment: datetime
    new_operators: Sequence[str]


def stream_seen(
    connection: sa.Connection, view: View, at: datetime, since: Since | None
) -> Iterator[Sequence[str]]:
    """The payloads, in blocks; see `seen` and `seen_since`."""
    statement = seen(view, at) if since is None else seen_since(view, at, since)
    result = connection.execution_options(stream_results=True, max_row_buffer=BLOCK_ROWS).execute(
        statement
    )
    for rows in result.partitions(BLOCK_ROWS):
        yield [_record(*row) for row in rows]


def _record(tariff_id: str, payloads: Sequence[str], ended_at: datetime | None) -> str:
    if ended_at is not None:
        payloads = [ended(payload, ended_at) for payload in payloads]
    return tariff_xml(tariff_id, payloads)


def seen(view: View, at: datetime) -> sa.Select[Any]:
    """All that the caller sees and that is not over: Tariff-ID, individual tariffs, NULL.

    What begins later is there: nothing changes when it begins, and no delta would bring it.
    """
    chosen = _chosen(view).cte("chosen")
    return _records(_columns(chosen, sa.null()).where(_is_valid(chosen, at)))


def seen_since(view: View, at: datetime, since: Since) -> sa.Select[Any]:
    """What the caller sees of each tariff of which it sees something else since then.

    Of a tariff of which it sees nothing any more, that is what it saw last and when that ended.
    Of the new operators it is all that is valid besides.
    """
    touched = _touched(view, since).cte("touched")
    among: sa.ColumnElement[bool] = tariff.c.tariff_key.in_(sa.select(touched.c.tariff_key))
    if since.new_operators:
        among = sa.or_(among, tariff.c.operator.in_(since.new_operators))
    chosen = _chosen(view, among).cte("chosen")
    last = _last_seen(view, touched, chosen).subquery("last")
    # What others are given does not change what the caller sees, nor does a new default for those
    # who have their own.
    is_another = sa.or_(
        touched.c.own_changed, sa.and_(touched.c.tariff_key.is_not(None), ~chosen.c.is_own)
    )
    is_new = sa.and_(chosen.c.operator.in_(since.new_operators), _is_valid(chosen, at))
    now = (
        _columns(chosen, sa.null())
        .select_from(chosen.outerjoin(touched, touched.c.tariff_key == chosen.c.tariff_key))
        .where(sa.or_(is_another, is_new))
    )
    no_more = _columns(last, last.c.given_until).where(last.c.place == 1)
    return _records(sa.union_all(now, no_more))


def _is_for_caller(view: View) -> sa.ColumnElement[bool]:
    return sa.and_(
        tariff.c.operator.in_(view.operators),
        tariff.c.recipient.in_([EVERYBODY_ELSE, *view.providers]),
    )


def _is_own(rows: sa.FromClause) -> sa.ColumnElement[bool]:
    return rows.c.recipient != EVERYBODY_ELSE


def _is_valid(rows: sa.FromClause, at: datetime) -> sa.ColumnElement[bool]:
    return sa.or_(rows.c.ends_at.is_(None), rows.c.ends_at > at)


def _chosen(view: View, *among: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Rows of what the caller sees now, of all tariffs or among some of them, whole ones.

    Served by ix_tariff_operator, or by uq_tariff_tariff_key_recipient.
    """
    has_own = sa.func.bool_or(_is_own(tariff)).over(partition_by=tariff.c.tariff_key)
    given = (
        sa.select(tariff, _is_own(tariff).label("is_own"), has_own.label("has_own"))
        .where(_is_for_caller(view), tariff.c.given_until.is_(None), *among)
        .subquery("given")
    )
    return sa.select(given).where(given.c.is_own == given.c.has_own)


def _touched(view: View, since: Since) -> sa.Select[Any]:
    """Tariffs of which anything for the caller changed. Served by ix_tariff_operator_change_id."""
    changes = changes_since(TARIFFS, since.moment)
    return (
        sa.select(tariff.c.tariff_key, sa.func.bool_or(_is_own(tariff)).label("own_changed"))
        .join(changes, changes.c.id == tariff.c.change_id)
        .where(_is_for_caller(view))
        .group_by(tariff.c.tariff_key)
    )


def _last_seen(view: View, touched: sa.CTE, chosen: sa.CTE) -> sa.Select[Any]:
    """Rows of touched tariffs of which the caller sees nothing; at place 1, what it saw last."""
    # Its own and the default may have ended at different times: the later one was seen last.
    place = sa.func.rank().over(
        partition_by=tariff.c.tariff_key,
        order_by=[tariff.c.change_id.desc(), _is_own(tariff).desc()],
    )
    return (
        sa.select(tariff, place.label("place"))
        .join(touched, touched.c.tariff_key == tariff.c.tariff_key)
        .where(
            _is_for_caller(view),
            ~sa.exists().where(chosen.c.tariff_key == tariff.c.tariff_key),
        )
    )


def _columns(rows: sa.FromClause, ended_at: sa.ColumnElement[Any]) -> sa.Select[Any]:
    return sa.select(
        rows.c.tariff_key,
        rows.c.tariff_id,
        rows.c.position,
        rows.c.payload,
        sa.cast(ended_at, TIME).label("ended_at"),
    )


def _records(rows: sa.Select[Any] | sa.CompoundSelect[Any]) -> sa.Select[Any]:
    """One row for each tariff; what is given to several of the caller's IDs is given once."""
    every = rows.subquery("every")
    names = ("tariff_key", "tariff_id", "payload", "ended_at")
    once = (
        sa.select(*[every.c[name] for name in names], sa.func.min(every.c.position).label("place"))
        .group_by(*[every.c[name] for name in names])
        .subquery("once")
    )
    payloads = aggregate_order_by(once.c.payload, once.c.place, once.c.payload)
    return sa.select(
        once.c.tariff_id, sa.func.array_agg(payloads, type_=ARRAY(sa.Text)), once.c.ended_at
    ).group_by(once.c.tariff_key, once.c.tariff_id, once.c.ended_at)
