"""Is the server well? For load balancers and for people."""

from ochp_chs.repository import migrate
from ochp_chs.repository.engine import Database, DatabaseUnavailable


def why_not_ready(database: Database) -> str | None:
    """None if requests can be served, else the reason in one line.

    Never tells the database's address: this is for everybody.
    """
    try:
        database.ping()
        with database.begin() as connection:
            current = migrate.current_revision(connection)
    except DatabaseUnavailable:
        return "the database does not answer"
    head = migrate.head_revision()
    # A newer schema is no reason: migrations leave the release before them working, which must go
    # on serving until the last node has been replaced.
    if current is None or current < head:
        return f"the database is at {current or 'no migration'}, not at {head}"
    return None
