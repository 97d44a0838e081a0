"""A clearing house with a past: CDRs, messages and tariffs that have grown old."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import sqlalchemy as sa

from ochp_chs.clearing.retention import files
from ochp_chs.clearing.retention.policy import Policy
from ochp_chs.clearing.retention.run import Retention
from ochp_chs.clearing.vault import Vault
from ochp_chs.repository.engine import Database
from tests.support.cdrs import cdr_xml, confirmation_xml
from tests.support.edge import Clock, Edge
from tests.support.endpoints import SECRET_KEY

#: As the edge of the tests has it.
VAULT = Vault(lambda: SECRET_KEY)

TEN_YEARS = 3653


def policy(archive: Path | None, **other: int) -> Policy:
    """CDRs for ten years, messages for 90 days."""
    days = {"cdr_days": TEN_YEARS, "message_days": 90, "live_status_days": 30}
    return Policy(archive, **(days | other))


def retention(database: Database, clock: Clock, archive: Path | None, **other: int) -> Retention:
    """What a run works with."""
    return Retention(database, policy(archive, **other), VAULT, clock)


def market(edge: Edge) -> Edge:
    """A CPO and an EMP, connected."""
    edge.partner("cpo", "cpo", "DE*CPO")
    edge.partner("emp", "emp", "DE-EMP")
    edge.connect("cpo", "emp")
    return edge


def cdr_id(number: int) -> str:
    """The ID of a CDR of the CPO."""
    return f"DECPO{number:010}"


def send_cdr(edge: Edge, number: int, **changes: object) -> str | None:
    """AddCDRs of one CDR; the result."""
    record = cdr_xml(cdr_id=cdr_id(number), **changes)  # type: ignore[arg-type]
    return edge.call("cpo", "AddCDRs", record).result


def confirm_cdr(edge: Edge, number: int, wish: str = "approved") -> str | None:
    """ConfirmCDRs of one CDR; the result."""
    return edge.call("emp", "ConfirmCDRs", confirmation_xml(wish, cdr_id(number))).result


def count(database: Database, table: str, where: str = "true") -> int:
    """How many rows a table has."""
    with database.begin() as connection:
        statement = sa.text(f"SELECT count(*) FROM {table} WHERE {where}")
        return int(connection.execute(statement).scalar_one())


def archived(archive: Path, kind: str) -> Iterator[dict[str, object]]:
    """Every record of a kind in whatever files there are."""
    for name in files.names_on_disk(archive):
        if name.startswith(f"{kind}/"):
            for line in files.read(archive, name):
                yield json.loads(line)


def dump(database: Database) -> str:
    """Every text that the database has, binary columns in hexadecimal."""
    with database.begin() as connection:
        tables = connection.execute(
            sa.text("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        ).scalars()
        return "\n".join(
            str(row)
            for table in tables
            for row in connection.execute(
                sa.text(f'SELECT to_jsonb(t)::text FROM "{table}" t')
            ).scalars()
        )


def day_in_name(name: str) -> date:
    """The day that a file's name tells."""
    return date.fromisoformat(name.rpartition("/")[2].split("-", 1)[1][:10])
