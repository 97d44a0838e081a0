"""Which archive files there are, which one is being written, and who is at it.

A file's row is committed before the file is begun, as `writing`, and becomes `done` in the
transaction that erases its records. So whatever happens in between, the row tells: `writing` means
that the records are all in the database still and the file may be removed, `done` that they are in
the file and nowhere else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from ochp_chs.repository.feeds import Lock
from ochp_chs.repository.tables import archive_file, retention_run

_WRITING, _DONE, _DISCARDED = "writing", "done", "discarded"


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """A finished archive file; `name` is below the archive's directory."""

    id: int
    kind: str
    day: date
    name: str
    records: int
    bytes: int
    sha256: str
    done_at: datetime


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of retention did."""

    started_at: datetime
    finished_at: datetime
    node: str
    counts: Mapping[str, int]


def try_lock(connection: sa.Connection) -> bool:
    """Be the only one who archives, prunes and erases, until the transaction ends."""
    lock = sa.func.pg_try_advisory_xact_lock(int(Lock.RETENTION), 0)
    return bool(connection.execute(sa.select(lock)).scalar_one())


def keep_lock(connection: sa.Connection) -> None:
    """Say something on the connection of `try_lock`, which must not be idle for too long.

    Fails if it broke, and the lock with it.
    """
    connection.execute(sa.select(1))


def begin_file(connection: sa.Connection, kind: str, day: date, name: str, at: datetime) -> int:
    """Announce a file before it is begun; returns its id."""
    statement = archive_file.insert().values(
        kind=kind, day=day, name=name, state=_WRITING, begun_at=at
    )
    identifier: int = connection.execute(statement.returning(archive_file.c.id)).scalar_one()
    return identifier


def lock_begun(connection: sa.Connection, identifier: int) -> bool:
    """Hold the row of a file that was begun; False if somebody has cleared it away."""
    statement = (
        sa.select(archive_file.c.id)
        .where(archive_file.c.id == identifier, archive_file.c.state == _WRITING)
        .with_for_update()
    )
    return connection.execute(statement).first() is not None


def finish_file(
    connection: sa.Connection,
    identifier: int,
    *,
    records: int,
    size: int,
    sha256: str,
    at: datetime,
) -> None:
    """The file is whole; its records are erased in the same transaction."""
    connection.execute(
        archive_file.update()
        .where(archive_file.c.id == identifier)
        .values(state=_DONE, records=records, bytes=size, sha256=sha256, done_at=at)
    )


def supersede_file(
    connection: sa.Connection, begun: int, old: ArchiveFile, *, size: int, sha256: str
) -> None:
    """Let the file that was begun stand in for an old one, which is to be removed."""
    name = connection.execute(
        archive_file.delete().where(archive_file.c.id == begun).returning(archive_file.c.name)
    ).scalar_one()
    connection.execute(
        archive_file.update()
        .where(archive_file.c.id == old.id)
        .values(name=name, bytes=size, sha256=sha256, replaces=old.name)
    )


def discard_files(connection: sa.Connection, kind: str, before: date) -> tuple[int, int]:
    """Give files of days before this one up, to be removed; how many, and records in them."""
    columns = archive_file.c
    discarded = connection.execute(
        archive_file.update()
        .where(columns.kind == kind, columns.day < before, columns.state == _DONE)
        .values(state=_DISCARDED, replaces=columns.name)
        .returning(columns.records)
    ).scalars()
    records = list(discarded)
    return len(records), sum(records)


def list_leftovers(connection: sa.Connection) -> Sequence[str]:
    """Names of files that count for nothing: begun and not finished, or replaced."""
    begun = sa.select(archive_file.c.name).where(archive_file.c.state == _WRITING)
    replaced = sa.select(archive_file.c.replaces).where(archive_file.c.replaces.is_not(None))
    return connection.execute(sa.union_all(begun, replaced)).scalars().all()


def forget_leftovers(connection: sa.Connection, names: Sequence[str]) -> None:
    """The files of `list_leftovers` are removed."""
    connection.execute(
        archive_file.delete().where(
            archive_file.c.state == _WRITING, archive_file.c.name.in_(names)
        )
    )
    connection.execute(
        archive_file.update().where(archive_file.c.replaces.in_(names)).values(replaces=None)
    )


def list_files(connection: sa.Connection) -> Sequence[ArchiveFile]:
    """All finished files, the oldest day first: some for each day, so there is no bound."""
    columns = archive_file.c
    statement = (
        sa.select(
            columns.id,
            columns.kind,
            columns.day,
            columns.name,
            columns.records,
            columns.bytes,
            columns.sha256,
            columns.done_at,
        )
        .where(columns.state == _DONE)
        .order_by(columns.kind, columns.day, columns.id)
    )
    return [ArchiveFile(*row) for row in connection.execute(statement)]


def insert_run(connection: sa.Connection, run: Run, keep: timedelta) -> None:
    """Log a run, and forget those that are over for longer than `keep`."""
    connection.execute(
        retention_run.delete().where(retention_run.c.finished_at < run.finished_at - keep)
    )
    connection.execute(
        retention_run.insert().values(
            started_at=run.started_at,
            finished_at=run.finished_at,
            node=run.node,
            counts=dict(run.counts),
        )
    )


def find_last_run(connection: sa.Connection) -> Run | None:
    """The run that ended last."""
    columns = retention_run.c
    statement = sa.select(columns.started_at, columns.finished_at, columns.node, columns.counts)
    row = connection.execute(statement.order_by(columns.id.desc()).limit(1)).first()
    return None if row is None else Run(*row)
