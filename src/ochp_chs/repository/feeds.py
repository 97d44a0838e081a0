"""What differs between the record types on their common road: a table, its key, two clauses."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any

import sqlalchemy as sa

from ochp_chs.ochp.roles import Role


class Lock(IntEnum):
    """First keys of the advisory locks; the numbers only have to differ from each other's."""

    PUBLISH = 140_001
    UPLOAD_TOKENS = 140_101
    UPLOAD_CHARGE_POINTS = 140_102
    UPLOAD_TARIFFS = 140_103
    UPLOAD_LIVE_STATUS = 140_104
    UPLOAD_CDRS = 140_105
    UPLOAD_ENDPOINTS = 140_106
    RETENTION = 140_201


@dataclass(frozen=True, slots=True)
class Feed:
    """One record type that is uploaded, merged, followed by deltas and downloaded."""

    name: str
    #: Second key of the publishing lock.
    number: int
    upload_lock: Lock
    table: sa.Table
    key: tuple[str, ...]
    #: Column that holds the party ID whose record it is.
    owner: str
    #: Column by which a refused record's earlier version is found.
    retained: str
    #: Which records a full list has, given the time of the request.
    is_current: Callable[[datetime], sa.ColumnElement[bool]]
    #: What a Set does to a record that it leaves out, given the time of the Set; None where there
    #: is no Set, and no `withdrawn_at` in the table.
    withdrawal: Callable[[datetime], Mapping[str, sa.ColumnElement[Any]]] | None = None
    #: What is given out of a record, given the time of the request; None: its payload.
    shown: Callable[[datetime], sa.ColumnElement[str]] | None = None
    #: Which records became others between two moments though nobody sent them; None: none ever.
    elapsed: Callable[[datetime, datetime], sa.ColumnElement[bool]] | None = None
    #: Which records of the table are this feed's, where it shares the table; None: all.
    only: sa.ColumnElement[bool] | None = None
    #: Partners in which roles the records come from; None: whoever the roles let (FLOWS).
    sources: frozenset[Role] | None = None
    #: Payloads begin with the record's attributes; see clearing/exchange.py.
    with_attributes: bool = False
    #: Partners follow it by deltas: each upload that changes something is a change with a time.
    followed: bool = True
    #: Columns that are staged without being the table's, where a store takes records apart.
    staged: Mapping[str, sa.types.TypeEngine[Any]] = field(default_factory=dict)

    def type_of(self, column: str) -> sa.types.TypeEngine[Any]:
        """The type of a column of staged rows."""
        return self.staged[column] if column in self.staged else self.table.c[column].type

    def given_out(self, at: datetime) -> sa.ColumnElement[str]:
        """What a record is in an answer of that time."""
        payload: sa.ColumnElement[str] = self.table.c.payload
        return payload if self.shown is None else self.shown(at)

    def belongs_to(self, parties: Sequence[str]) -> sa.ColumnElement[bool]:
        """Which records of this feed are the parties'."""
        owned = self.table.c[self.owner].in_(parties)
        return owned if self.only is None else sa.and_(self.only, owned)


def utc_text(moment: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """A moment as DateTimeType writes it."""
    return sa.func.to_char(moment.op("AT TIME ZONE")("UTC"), 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
