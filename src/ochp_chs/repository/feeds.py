"""What differs between the record types on their common road: a table, its key, two clauses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

import sqlalchemy as sa


class Lock(IntEnum):
    """First keys of the advisory locks; the numbers only have to differ from each other's."""

    PUBLISH = 140_001
    UPLOAD_TOKENS = 140_101
    UPLOAD_CHARGE_POINTS = 140_102
    UPLOAD_TARIFFS = 140_103
    UPLOAD_LIVE_STATUS = 140_104
    UPLOAD_CDRS = 140_105
    UPLOAD_ENDPOINTS = 140_106


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
    #: What a Set does to a record that it leaves out, given the time of the Set.
    withdrawal: Callable[[datetime], Mapping[str, sa.ColumnElement[Any]]]
    #: Which records a full list has, given the time of the request.
    is_current: Callable[[datetime], sa.ColumnElement[bool]]


def utc_text(moment: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """A moment as DateTimeType writes it."""
    return sa.func.to_char(moment.op("AT TIME ZONE")("UTC"), 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
