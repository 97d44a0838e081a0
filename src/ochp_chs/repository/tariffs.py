"""Tariffs: what each recipient is given, was given, and what a caller therefore sees."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from ochp_chs.ochp.records.tariff_codec import EVERYBODY_ELSE
from ochp_chs.repository.feeds import Feed, Lock
from ochp_chs.repository.tables import tariff
from ochp_chs.repository.tables.base import TIME

_LISTED_MAX = 100

# Staged as one row for each tariff, so that a tariff that comes twice replaces the first one as a
# whole; `replace` takes it apart.
TARIFFS = Feed(
    name="tariffs",
    number=3,
    upload_lock=Lock.UPLOAD_TARIFFS,
    table=tariff,
    key=("tariff_key",),
    owner="operator",
    retained="tariff_key",
    is_current=lambda _at: tariff.c.given_until.is_(None),
    staged={"individual": JSONB()},
)

_PARTS = ("tariff_key", "recipient", "operator", "tariff_id", "position", "payload", "ends_at")


def replace(connection: sa.Connection, source: sa.FromClause, change_id: int, at: datetime) -> int:
    """Put the staged tariffs, each as a whole, in the place of what there was of them.

    What a recipient is given stays untouched where it is the same. Returns how many tariffs
    changed.
    """
    parts = _parts(source).cte("parts")
    same_recipient = sa.and_(
        parts.c.tariff_key == tariff.c.tariff_key, parts.c.recipient == tariff.c.recipient
    )
    same = sa.and_(
        same_recipient,
        parts.c.tariff_id == tariff.c.tariff_id,
        parts.c.payload == tariff.c.payload,
    )
    is_staged = tariff.c.tariff_key.in_(sa.select(source.c.tariff_key))
    connection.execute(_end(change_id, at).where(is_staged, ~sa.exists().where(same)))
    stays = sa.exists().where(same_recipient, tariff.c.given_until.is_(None))
    new = sa.select(
        *[parts.c[name] for name in _PARTS], sa.literal(at, TIME), sa.literal(change_id)
    ).where(~stays)
    connection.execute(tariff.insert().from_select([*_PARTS, "given_from", "change_id"], new))
    changed = sa.select(sa.func.count(tariff.c.tariff_key.distinct())).where(
        is_staged, tariff.c.change_id == change_id
    )
    return int(connection.execute(changed).scalar_one())


def remove(connection: sa.Connection, tariff_key: str, change_id: int, at: datetime) -> bool:
    """Give a tariff to nobody any more; False if nobody was given it."""
    statement = _end(change_id, at).where(tariff.c.tariff_key == tariff_key)
    return connection.execute(statement).rowcount > 0


def _end(change_id: int, at: datetime) -> sa.Update:
    return (
        tariff.update()
        .where(tariff.c.given_until.is_(None))
        .values(given_until=at, change_id=change_id)
    )


def _parts(source: sa.FromClause) -> sa.Select[Any]:
    """Staged tariffs as rows of the table, one for each recipient."""
    individual = (
        sa.func.jsonb_to_recordset(source.c.individual)
        .table_valued(
            sa.column("recipients", ARRAY(sa.Text)),
            sa.column("position", sa.Integer),
            sa.column("payload", sa.Text),
            sa.column("ends_at", TIME),
            name="individual",
        )
        .render_derived(with_types=True)
        .lateral()
    )
    recipient = (
        sa.func.unnest(individual.c.recipients)
        .table_valued(sa.column("recipient", sa.Text), name="named")
        .render_derived()
        .lateral()
    )
    return sa.select(
        source.c.position.label("message_position"),
        source.c.tariff_key,
        recipient.c.recipient,
        source.c.operator,
        source.c.tariff_id,
        individual.c.position,
        individual.c.payload,
        individual.c.ends_at,
    ).select_from(source.join(individual, sa.true()).join(recipient, sa.true()))


@dataclass(frozen=True, slots=True)
class UnknownRecipients:
    """Recipients in one staged tariff that will not be given it."""

    position: int
    tariff_id: str
    recipients: Sequence[str]


def unknown_recipients(
    connection: sa.Connection, source: sa.FromClause, known: Collection[str]
) -> tuple[Sequence[UnknownRecipients], int]:
    """The first few staged tariffs that name others than the `known`, and how many do."""
    parts = _parts(source).subquery("parts")
    statement = (
        sa.select(
            parts.c.message_position,
            parts.c.tariff_id,
            sa.func.array_agg(parts.c.recipient, type_=ARRAY(sa.Text)),
            sa.func.count().over(),
        )
        .where(parts.c.recipient.not_in([EVERYBODY_ELSE, *known]))
        .group_by(parts.c.message_position, parts.c.tariff_id)
        .order_by(parts.c.message_position)
        .limit(_LISTED_MAX)
    )
    rows = connection.execute(statement).all()
    found = [UnknownRecipients(row[0], row[1], sorted(row[2])) for row in rows]
    return found, rows[0][3] if rows else 0
