"""Erasures: who had what done, tokens on their last way to the partners, and what is left to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ochp_chs.repository.outdated import FINAL
from ochp_chs.repository.personal import StoredToken
from ochp_chs.repository.rows import rows_source
from ochp_chs.repository.tables import (
    cdr,
    erasure_cdr,
    erasure_token,
    partner_party,
    privacy_action,
    token,
)
from ochp_chs.repository.tables.base import TIME
from ochp_chs.repository.tokens import TOKENS, withdraw_token

_KEY = TOKENS.key
_PRINTED_NUMBER = "<printedNumber>[^<]*</printedNumber>"


@dataclass(frozen=True, slots=True)
class Action:
    """One entry of the log: who had a contract reported or erased, and how much that was."""

    at: datetime
    action: str
    by: str
    reason: str | None
    counts: Mapping[str, int]


def insert_action(connection: sa.Connection, action: Action, subject: bytes) -> int:
    """Log what was done; returns the entry's id."""
    identifier: int = connection.execute(
        privacy_action.insert()
        .values(
            at=action.at,
            action=action.action,
            by=action.by,
            reason=action.reason,
            subject=subject,
            counts=dict(action.counts),
        )
        .returning(privacy_action.c.id)
    ).scalar_one()
    return identifier


def insert_rest_action(
    connection: sa.Connection, erasure: int, by: str, counts: Mapping[str, int], at: datetime
) -> None:
    """Log that something was erased that an earlier erasure had to leave."""
    columns = privacy_action.c
    connection.execute(
        privacy_action.insert().from_select(
            ["at", "action", "by", "subject", "counts"],
            sa.select(
                sa.literal(at, TIME),
                sa.literal("erase-rest"),
                sa.literal(by),
                columns.subject,
                sa.literal(dict(counts), columns.counts.type),
            ).where(columns.id == erasure),
        )
    )


def list_actions(connection: sa.Connection, subject: bytes) -> Sequence[Action]:
    """What was done about a contract before, the first first."""
    columns = privacy_action.c
    statement = (
        sa.select(columns.at, columns.action, columns.by, columns.reason, columns.counts)
        .where(columns.subject == subject)
        .order_by(columns.id)
    )
    return [Action(*row) for row in connection.execute(statement)]


def find_owner(connection: sa.Connection, provider: str) -> int | None:
    """The partner whose tokens a provider's are."""
    statement = sa.select(partner_party.c.partner_id).where(
        partner_party.c.role == "emp", partner_party.c.party_id == provider
    )
    return connection.execute(statement).scalar()


def withdraw_tokens(
    connection: sa.Connection, tokens: Sequence[StoredToken], change_id: int, at: datetime
) -> None:
    """Withdraw these as a Set does that leaves them out; the caller publishes the change."""
    connection.execute(
        token.update()
        .where(*_same(token, _rows(tokens)))
        .values(change_id=change_id, **withdraw_token(at))
    )


def drop_printed_numbers(connection: sa.Connection, tokens: Sequence[StoredToken]) -> None:
    """Take out what nobody needs to know which token is withdrawn."""
    bare = sa.func.regexp_replace(token.c.payload, _PRINTED_NUMBER, "")
    connection.execute(token.update().where(*_same(token, _rows(tokens))).values(payload=bare))


def delete_tokens(connection: sa.Connection, tokens: Sequence[StoredToken]) -> None:
    """Erase tokens for good."""
    rows = _rows(tokens)
    for table in (token, erasure_token):
        connection.execute(table.delete().where(*_same(table, rows)))


def delete_later(
    connection: sa.Connection, tokens: Sequence[StoredToken], erasure: int, due_at: datetime
) -> None:
    """Erase tokens when those who follow have heard that they are withdrawn."""
    rows = _rows(tokens)
    names = [*_KEY, "action", "change_id", "due_at"]
    current = sa.select(
        *[token.c[name] for name in _KEY],
        sa.literal(erasure, sa.BigInteger),
        token.c.change_id,
        sa.literal(due_at, TIME),
    ).where(*_same(token, rows))
    statement = insert(erasure_token).from_select(names, current)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(_KEY),
            set_={name: statement.excluded[name] for name in names[len(_KEY) :]},
        )
    )


def delete_due_tokens(connection: sa.Connection, at: datetime) -> Mapping[int, int]:
    """Erase the tokens whose time has come; how many, by erasure.

    One that has changed since was sent again by its provider, and is none of the erasure's.
    """
    due = (
        erasure_token.delete()
        .where(erasure_token.c.due_at <= at)
        .returning(*[erasure_token.c[name] for name in (*_KEY, "change_id", "action")])
        .cte("due")
    )
    statement = (
        token.delete()
        .where(*_same(token, due), token.c.change_id == due.c.change_id)
        .returning(due.c.action)
    )
    counts: dict[int, int] = {}
    for erasure in connection.execute(statement).scalars():
        counts[erasure] = counts.get(erasure, 0) + 1
    return counts


def erase_cdrs_later(connection: sa.Connection, ids: Sequence[int], erasure: int) -> None:
    """Keep in mind that these CDRs are to lose their personal data when they are final."""
    rows = rows_source("open", {"cdr": (sa.BigInteger(), ids)})
    statement = insert(erasure_cdr).from_select(
        ["cdr", "action"], sa.select(rows.c.cdr, sa.literal(erasure, sa.BigInteger))
    )
    connection.execute(statement.on_conflict_do_nothing(index_elements=["cdr"]))


def list_due_cdrs(connection: sa.Connection, rows_max: int) -> Mapping[int, Sequence[int]]:
    """CDRs that were left and are final now, by erasure."""
    statement = (
        sa.select(erasure_cdr.c.action, erasure_cdr.c.cdr)
        .join(cdr, cdr.c.id == erasure_cdr.c.cdr)
        .where(cdr.c.status.in_(FINAL))
        .order_by(erasure_cdr.c.action, erasure_cdr.c.cdr)
        .limit(rows_max)
    )
    found: dict[int, list[int]] = {}
    for erasure, identifier in connection.execute(statement):
        found.setdefault(erasure, []).append(identifier)
    return found


def forget_cdrs(connection: sa.Connection, ids: Sequence[int]) -> None:
    """Nothing is left to be done about these."""
    wanted = erasure_cdr.c.cdr == sa.any_(sa.literal(list(ids), sa.ARRAY(sa.BigInteger)))
    connection.execute(erasure_cdr.delete().where(wanted))


def count_left(connection: sa.Connection) -> tuple[int, int]:
    """How many CDRs and how many tokens of erased contracts are still to be erased."""
    cdrs, tokens = (
        sa.select(sa.func.count()).select_from(table).scalar_subquery()
        for table in (erasure_cdr, erasure_token)
    )
    row = connection.execute(sa.select(cdrs, tokens)).one()
    return row[0], row[1]


def _rows(tokens: Sequence[StoredToken]) -> sa.FromClause:
    columns: dict[str, tuple[sa.types.TypeEngine[Any], Sequence[object]]] = {
        name: (token.c[name].type, [each.key[place] for each in tokens])
        for place, name in enumerate(_KEY)
    }
    return rows_source("erased", columns)


def _same(table: sa.Table, rows: sa.FromClause) -> list[sa.ColumnElement[bool]]:
    return [table.c[name] == rows.c[name] for name in _KEY]
