"""Failures that are of the moment: the same request may well be served in a while."""

import errno

import psycopg2
from sqlalchemy import exc

from ochp_chs.repository.engine import DatabaseUnavailable

#: Too little room or too many files, wherever that was met.
_NO_ROOM = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
)

#: How the codes begin that PostgreSQL gives to what passes (its manual, appendix A).
_PASSING_CODES = (
    "08",  # the connection
    "53",  # disk, memory or connections exhausted
    "57",  # somebody intervened: a shutdown, a restart, a cancelled query
    "58",  # the system below it
    "40",  # a deadlock
    "55P03",  # a lock that could not be had in time
    "25P03",  # a transaction that was idle for too long
    "25006",  # the database is a replica, as during a failover
)


def is_passing(error: BaseException) -> bool:
    """Whether a failure is likely to be over when the request is sent once more."""
    if isinstance(error, DatabaseUnavailable | exc.TimeoutError):
        return True
    if isinstance(error, OSError):
        return error.errno in _NO_ROOM
    cause = error.orig if isinstance(error, exc.DBAPIError) else error
    if not isinstance(cause, psycopg2.Error):
        return False
    # A connection that broke, or that could not be made, has no code.
    if cause.pgcode is None:
        return isinstance(cause, psycopg2.OperationalError | psycopg2.InterfaceError)
    return cause.pgcode.startswith(_PASSING_CODES)
