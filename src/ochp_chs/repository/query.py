"""Statements that every request asks: compiled once, prepared once for each connection."""

import itertools
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

_DIALECT = sa.make_url("postgresql+psycopg2://").get_dialect()()
_numbers = itertools.count(1)


class Query:
    """A statement that only reads; its parameters are numbers, texts, bytes, times and lists.

    `Database.ask` sends `plain`, or, without values, `prepare` and from then on `execute`; within a
    transaction `statement` is executed as any other.
    """

    def __init__(self, statement: sa.Select[Any]) -> None:
        compiled = statement.compile(dialect=_DIALECT)
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        self.statement = statement
        self.plain = str(compiled)
        #: Of this process alone, as are the sessions that it is prepared in.
        self.name = f"ochp_chs_{next(_numbers)}"
        numbered = self.plain % {name: f"${n}" for n, name in enumerate(binds, 1)}
        arguments = ", ".join(f"%({name})s" for name in binds)
        self.execute = f"EXECUTE {self.name} ({arguments})" if binds else f"EXECUTE {self.name}"
        self.prepare = f"PREPARE {self.name} AS {numbered}"
        self._constants = {
            name: bind.effective_value for name, bind in binds.items() if not bind.required
        }

    def values(self, parameters: Mapping[str, object]) -> dict[str, object]:
        """What goes with each of the texts: the parameters, and the constants of the statement."""
        return {**self._constants, **parameters}
