"""Statements that every request asks: compiled once, and sent by psycopg2 without a detour."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

_DIALECT = sa.make_url("postgresql+psycopg2://").get_dialect()()


class Query:
    """A statement that only reads; its parameters are numbers, texts, bytes, times and lists.

    `Database.ask` sends `text` as it is; within a transaction `statement` is executed as any other.
    """

    def __init__(self, statement: sa.Select[Any]) -> None:
        compiled = statement.compile(dialect=_DIALECT)
        self.statement = statement
        self.text = str(compiled)
        self._constants = {
            name: bind.effective_value for name, bind in compiled.binds.items() if not bind.required
        }

    def values(self, parameters: Mapping[str, object]) -> dict[str, object]:
        """What goes with `text`: the parameters, and the constants of the statement."""
        return {**self._constants, **parameters}
