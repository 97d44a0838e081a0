"""The server that is measured, a rival beside it, and what is done to its database directly."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from benchmarks import limits
from benchmarks.figure import Results, Sizes
from benchmarks.rival.models import create_tables
from tests.acceptance.harness import MemoryWatch, Server


@dataclass(slots=True)
class Rig:
    """What every benchmark works with."""

    server: Server
    folder: Path
    schema: Path
    url: str
    sizes: Sizes
    results: Results = field(default_factory=Results)
    #: The largest memory that one server process had in bulk measurements.
    peak_mib: float = 0

    def execute(self, *statements: str) -> None:
        """Run statements on the server's database, each committed by itself."""
        engine = sa.create_engine(self.url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def forget_tokens(self) -> None:
        """As if no token had ever been sent."""
        self.execute("TRUNCATE token, change, message CASCADE", "CHECKPOINT")

    def make_everything_old(self) -> None:
        """As if all that is stored had been sent long ago: no delta has any of it."""
        self.execute(
            "UPDATE change SET changed_at = '2001-01-01'",
            "UPDATE roaming_connection SET connected_at = '2001-01-01'",
            "UPDATE partner_party SET granted_at = '2001-01-01'",
        )

    @contextmanager
    def memory(self) -> Iterator[None]:
        """Watch the server's memory during a bulk measurement."""
        with MemoryWatch(self.server) as watch:
            yield
        self.peak_mib = max(self.peak_mib, watch.peak_mib)

    @contextmanager
    def rival(self) -> Iterator[str]:
        """The rival on a database of its own on the same PostgreSQL; its address."""
        name = f"rival_{uuid.uuid4().hex[:8]}"
        self.execute(f"CREATE DATABASE {name}")
        url = sa.make_url(self.url).set(database=name).render_as_string(hide_password=False)
        try:
            create_tables(url)
            with limits.gunicorn("benchmarks.rival.service:app", {"RIVAL_DATABASE_URL": url}) as at:
                yield at
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")


def add_partners(server: Server) -> None:
    """Add those whom the messages name."""
    server.partner("emp", "emp", "DE-EMP")
    server.partner("cpo", "cpo", "DE*CPO")
    server.partner("nsp", "nsp")
    server.connect("emp", "cpo")
    server.connect("cpo", "nsp")
