"""Files that count for nothing are removed before anything else is done with the archive."""

from pathlib import Path

from ochp_chs.clearing.retention import files
from ochp_chs.repository import archives
from ochp_chs.repository.engine import Database


def clear_leftovers(database: Database, directory: Path) -> None:
    """Remove files that were begun and not finished, and those that others stand in for.

    The records of the former are all in the database still. The caller has the lock.
    """
    with database.begin() as connection:
        names = archives.list_leftovers(connection)
    for name in names:
        files.remove(directory, name)
    if names:
        with database.begin() as connection:
            archives.forget_leftovers(connection, names)
