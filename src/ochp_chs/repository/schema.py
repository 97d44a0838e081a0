"""Does the database have the schema that tables.py describes? Down to every constraint's text.

The expected schema is made in a scratch schema inside a transaction that is rolled back, and both
are described from PostgreSQL's catalogue: so nothing escapes the comparison, check constraints,
defaults and sequences included.
"""

import sqlalchemy as sa

from ochp_chs.repository.engine import Database
from ochp_chs.repository.tables import metadata

_SCRATCH = "ochp_chs_expected"

#: (kind, name) -> definition
_Objects = dict[tuple[str, str], str]

# Each object of one schema as (kind, name, definition). Names within the schema come without the
# schema's own name since it is the search path.
_DESCRIPTION = """
SELECT 'column', c.relname || '.' || a.attname,
       format_type(a.atttypid, a.atttypmod)
       || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
       || CASE a.attidentity WHEN 'a' THEN ' identity always' WHEN 'd' THEN ' identity' ELSE '' END
       || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
  FROM pg_attribute a
  JOIN pg_class c ON c.oid = a.attrelid
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE c.relnamespace = to_regnamespace(:schema) AND c.relkind IN ('r', 'p')
   AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'table', c.relname, coalesce(array_to_string(c.reloptions, ', '), '')
  FROM pg_class c
 WHERE c.relnamespace = to_regnamespace(:schema) AND c.relkind IN ('r', 'p')
UNION ALL
SELECT 'constraint', c.conrelid::regclass || '.' || c.conname, pg_get_constraintdef(c.oid)
  FROM pg_constraint c
 WHERE c.connamespace = to_regnamespace(:schema) AND c.contype <> 'n'
UNION ALL
SELECT 'index', c.relname, replace(pg_get_indexdef(c.oid), quote_ident(:schema) || '.', '')
  FROM pg_class c
 WHERE c.relnamespace = to_regnamespace(:schema) AND c.relkind IN ('i', 'I')
UNION ALL
SELECT 'sequence', s.seqrelid::regclass::text, format_type(s.seqtypid, NULL)
       || format(' start %s increment %s', s.seqstart, s.seqincrement)
  FROM pg_sequence s
  JOIN pg_class c ON c.oid = s.seqrelid
 WHERE c.relnamespace = to_regnamespace(:schema)
"""


def differences(database: Database) -> list[str]:
    """What differs, one sentence each, tables first. Needs the right to create a schema."""
    with database.begin() as connection:
        schema = connection.execute(sa.select(sa.func.current_schema())).scalar_one()
        found = _describe(connection, schema)
        connection.exec_driver_sql(f"CREATE SCHEMA {_SCRATCH}")
        connection.exec_driver_sql(f"SET LOCAL search_path = {_SCRATCH}")
        metadata.create_all(connection, checkfirst=False)
        expected = _describe(connection, _SCRATCH)
        connection.rollback()
        # The block commits what is open when it is left: nothing.
    return _named(expected, found)


def _named(expected: _Objects, found: _Objects) -> list[str]:
    texts = []
    for kind, name in sorted(expected.keys() | found.keys(), key=_whole_before_parts):
        if (kind, name) not in found:
            texts.append(f"{kind} {name} is missing")
        elif (kind, name) not in expected:
            texts.append(f"{kind} {name} is unknown")
        elif found[kind, name] != expected[kind, name]:
            texts.append(
                f"{kind} {name} is {found[kind, name]!r}, expected {expected[kind, name]!r}"
            )
    return texts


def _whole_before_parts(key: tuple[str, str]) -> tuple[bool, tuple[str, str]]:
    return (key[0] != "table", key)


def _describe(connection: sa.Connection, schema: str) -> _Objects:
    rows = connection.execute(sa.text(_DESCRIPTION), {"schema": schema})
    return {
        (kind, name): definition
        for kind, name, definition in rows
        if name.partition(".")[0] not in ("alembic_version", "alembic_version_pkc")
    }
