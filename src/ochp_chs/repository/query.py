"""Statements that every request asks: compiled once, prepared once for each connection."""

import itertools
from typing import Any

import sqlalchemy as sa
from psycopg2.extensions import adapt

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
        asked = [name for name, bind in binds.items() if bind.required]
        # What is always the same is part of the text: it need not be sent, and is planned with.
        constants = {
            name: adapt(bind.effective_value).getquoted().decode().replace("%", "%%")
            for name, bind in binds.items()
            if not bind.required
        }
        text = str(compiled).replace("%%", "%%%%")
        self.statement = statement
        self.plain = text % {**constants, **{name: f"%({name})s" for name in asked}}
        #: Of this process alone, as are the sessions that it is prepared in.
        self.name = f"ochp_chs_{next(_numbers)}"
        numbered = self.plain % {name: f"${n}" for n, name in enumerate(asked, 1)}
        arguments = ", ".join(f"%({name})s" for name in asked)
        self.execute = f"EXECUTE {self.name} ({arguments})" if asked else f"EXECUTE {self.name}"
        self.prepare = f"PREPARE {self.name} AS {numbered}"
