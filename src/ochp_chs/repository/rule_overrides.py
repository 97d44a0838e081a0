"""How strict the CDR rules are set, for everybody and for single roaming connections."""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from ochp_chs.repository.constraints import constraints_named
from ochp_chs.repository.tables import rule_override


@dataclass(frozen=True, slots=True)
class StoredOverride:
    """One rule's setting. Without partners it is for everybody; parameters are numbers as text."""

    low_partner_id: int | None
    high_partner_id: int | None
    rule: str
    severity: str | None
    parameters: Mapping[str, str]

    def other_partner(self, partner_id: int) -> int | None:
        """The partner on the other side of the connection, None for a global setting."""
        return self.high_partner_id if self.low_partner_id == partner_id else self.low_partner_id


def list_overrides(
    connection: sa.Connection, partner_id: int | None = None
) -> tuple[StoredOverride, ...]:
    """The global settings, and those of one partner's connections (None: of all)."""
    columns = rule_override.c
    statement = sa.select(
        columns.low_partner_id,
        columns.high_partner_id,
        columns.rule,
        columns.severity,
        columns.parameters,
    ).order_by(columns.rule, columns.low_partner_id, columns.high_partner_id)
    if partner_id is not None:
        statement = statement.where(
            sa.or_(
                columns.low_partner_id.is_(None),
                columns.low_partner_id == partner_id,
                columns.high_partner_id == partner_id,
            )
        )
    return tuple(StoredOverride(*row) for row in connection.execute(statement))


def upsert_override(
    connection: sa.Connection,
    scope: tuple[int, int] | None,
    rule: str,
    severity: str | None,
    parameters: Mapping[str, str],
) -> None:
    """Set one rule for everybody or for the connection of two partners; keeps other parameters.

    ConstraintBroken if the two partners are not connected.
    """
    low, high = sorted(scope) if scope else (None, None)
    insert = postgresql.insert(rule_override).values(
        low_partner_id=low,
        high_partner_id=high,
        rule=rule,
        severity=severity,
        parameters=dict(parameters),
    )
    statement = insert.on_conflict_do_update(
        constraint="uq_rule_override_scope",
        set_={
            "severity": sa.func.coalesce(insert.excluded.severity, rule_override.c.severity),
            "parameters": rule_override.c.parameters.op("||")(insert.excluded.parameters),
        },
    )
    with constraints_named():
        connection.execute(statement)


def delete_override(
    connection: sa.Connection, scope: tuple[int, int] | None, rule: str | None
) -> int:
    """Forget the setting of one rule (None: of all) in one scope; returns how many there were."""
    low, high = sorted(scope) if scope else (None, None)
    columns = rule_override.c
    statement = rule_override.delete().where(
        columns.low_partner_id.is_not_distinct_from(low),
        columns.high_partner_id.is_not_distinct_from(high),
    )
    if rule is not None:
        statement = statement.where(columns.rule == rule)
    return connection.execute(statement).rowcount
