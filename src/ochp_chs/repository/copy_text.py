"""Rows as PostgreSQL's COPY reads them, encoded column by column.

A column of a few hundred values is looked over at once for what would have to be escaped; almost
none has any of it, and the rest is joining.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import sqlalchemy as sa

_NULL = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})

#: A column's values to their texts, in order.
_Encode = Callable[[Sequence[Any]], Iterable[str]]


class LineEncoder:
    """Writes rows of some columns as lines of COPY's text format."""

    def __init__(self, columns: Iterable[sa.Column[Any]]) -> None:
        self._encoders = [_encoder(column) for column in columns]

    def lines(self, columns: Sequence[Sequence[object]]) -> list[str]:
        """The lines of rows that come as columns, without their line feeds.

        A few hundred rows at a time do best.
        """
        encoded = [encode(values) for encode, values in zip(self._encoders, columns, strict=True)]
        return list(map("\t".join, zip(*encoded, strict=True)))


def together(lines: Iterable[str]) -> bytes:
    """Lines as COPY reads them."""
    return "\n".join([*lines, ""]).encode()


def _encoder(column: sa.Column[Any]) -> _Encode:
    if column.name == "payload":
        return _payloads
    if isinstance(column.type, sa.Integer | sa.TIMESTAMP):
        return _plain
    return _bytes if isinstance(column.type, sa.LargeBinary) else _texts


def _payloads(values: Sequence[str]) -> Iterable[str]:
    # Canonical XML has nothing that COPY would need escaped: see ochp/xml.py.
    return values


def _plain(values: Sequence[object]) -> Iterable[str]:
    if None in values:
        return [_NULL if value is None else str(value) for value in values]
    return map(str, values)


def _bytes(values: Sequence[bytes | None]) -> Iterable[str]:
    return [_NULL if value is None else f"\\\\x{value.hex()}" for value in values]


def _texts(values: Sequence[object]) -> Iterable[str]:
    try:
        together = "".join(values)  # type: ignore[arg-type] # it may hold others, which raises
    except TypeError:
        return [_NULL if value is None else _escaped(str(value)) for value in values]
    if "\\" in together or "\t" in together or "\n" in together or "\r" in together:
        return [_escaped(str(value)) for value in values]
    return values  # type: ignore[return-value] # texts, for they could be joined


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)
