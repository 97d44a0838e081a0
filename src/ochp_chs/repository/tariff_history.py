"""What recipients of tariffs were given, and when: for rating CDRs, and for people."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from ochp_chs.ochp.records.tariff import IndividualTariff
from ochp_chs.ochp.records.tariff_codec import EVERYBODY_ELSE, read_individual
from ochp_chs.repository.tables import tariff

TARIFFS_LISTED_MAX = 100_000

_TEXTS = ARRAY(sa.Text)


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody was given for one tariff, from one moment until another (None: still)."""

    given_from: datetime
    given_until: datetime | None
    tariff: IndividualTariff


def tariffs_for(
    connection: sa.Connection,
    wanted: Collection[tuple[str, str]],
    begin: datetime,
    end: datetime,
) -> Mapping[tuple[str, str], Sequence[Given]]:
    """What providers were given at times of an interval, by tariff key and provider ID.

    The pairs for which there is nothing are absent. What names the provider comes before defaults
    and may overlap them: the first that holds at a moment is what the provider was given then.
    One statement, served by ix_tariff_tariff_key_recipient_given_from.
    """
    keys = {tariff_key for tariff_key, _ in wanted}
    recipients = {provider for _, provider in wanted} | {EVERYBODY_ELSE}
    columns = tariff.c
    statement = (
        sa.select(
            columns.tariff_key,
            columns.recipient,
            columns.given_from,
            columns.given_until,
            columns.payload,
        )
        .where(
            columns.tariff_key == sa.any_(sa.literal(sorted(keys), _TEXTS)),
            columns.recipient == sa.any_(sa.literal(sorted(recipients), _TEXTS)),
            columns.given_from <= end,
            sa.or_(columns.given_until.is_(None), columns.given_until > begin),
        )
        .order_by(columns.given_from)
    )
    given: dict[tuple[str, str], list[Given]] = defaultdict(list)
    for tariff_key, recipient, given_from, given_until, payload in connection.execute(statement):
        given[tariff_key, recipient].append(
            Given(given_from, given_until, read_individual(payload))
        )
    found = {
        (tariff_key, provider): [
            *given.get((tariff_key, provider), ()),
            *given.get((tariff_key, EVERYBODY_ELSE), ()),
        ]
        for tariff_key, provider in wanted
    }
    return {pair: versions for pair, versions in found.items() if versions}


@dataclass(frozen=True, slots=True)
class Listed:
    """A tariff as a list shows it; no recipient: the default alone."""

    tariff_id: str
    operator: str
    recipients: Sequence[str]
    has_default: bool
    changed_at: datetime


def list_tariffs(
    connection: sa.Connection,
    operators: Collection[str] | None = None,
    *,
    rows_max: int = TARIFFS_LISTED_MAX,
) -> Sequence[Listed]:
    """The tariffs that somebody is given, of these operators or (None) of all, by key."""
    columns = tariff.c
    is_default = columns.recipient == EVERYBODY_ELSE
    named = sa.func.array_agg(columns.recipient, type_=_TEXTS).filter(~is_default)
    statement = (
        sa.select(
            sa.func.min(columns.tariff_id),
            columns.operator,
            sa.func.coalesce(named, sa.cast([], _TEXTS)),
            sa.func.bool_or(is_default),
            sa.func.max(columns.given_from),
        )
        .where(columns.given_until.is_(None))
        .group_by(columns.tariff_key, columns.operator)
        .order_by(columns.tariff_key)
        .limit(rows_max)
    )
    if operators is not None:
        statement = statement.where(columns.operator.in_(operators))
    return [
        Listed(tariff_id, operator, sorted(recipients), has_default, changed_at)
        for tariff_id, operator, recipients, has_default, changed_at in connection.execute(
            statement
        )
    ]


@dataclass(frozen=True, slots=True)
class GivenToRecipient:
    """What one recipient (None: everybody else) was given, and under which spelling of the ID."""

    recipient: str | None
    tariff_id: str
    given: Given


def versions_of(
    connection: sa.Connection, tariff_key: str, *, ended: bool = False
) -> Sequence[GivenToRecipient]:
    """What every recipient is given of one tariff, and with `ended` was given, the newest first."""
    columns = tariff.c
    statement = (
        sa.select(
            columns.recipient,
            columns.tariff_id,
            columns.given_from,
            columns.given_until,
            columns.payload,
        )
        .where(columns.tariff_key == tariff_key)
        .order_by(columns.given_from.desc(), columns.position, columns.recipient)
    )
    if not ended:
        statement = statement.where(columns.given_until.is_(None))
    return [
        GivenToRecipient(
            recipient or None, tariff_id, Given(given_from, given_until, read_individual(payload))
        )
        for recipient, tariff_id, given_from, given_until, payload in connection.execute(statement)
    ]
