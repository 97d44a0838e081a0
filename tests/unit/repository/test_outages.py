import errno

import psycopg2
import pytest
from sqlalchemy import exc

from ochp_chs.repository.engine import DatabaseUnavailable
from ochp_chs.repository.outages import is_passing


class Coded(psycopg2.OperationalError):
    """An error as PostgreSQL reports it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self._code = code

    @property
    def pgcode(self) -> str:
        return self._code


def raised_by_sqlalchemy(error: Exception) -> exc.DBAPIError:
    return exc.DBAPIError("SELECT 1", {}, error)


@pytest.mark.parametrize(
    "error",
    [
        DatabaseUnavailable("no answer"),
        exc.TimeoutError("no connection is free"),
        OSError(errno.ENOSPC, "No space left on device"),
        psycopg2.OperationalError("server closed the connection unexpectedly"),
        psycopg2.InterfaceError("connection already closed"),
        *map(Coded, ["08006", "53100", "53300", "57P01", "58030", "40P01", "55P03", "25006"]),
    ],
)
def test_what_passes(error: Exception) -> None:
    assert is_passing(error)
    if isinstance(error, psycopg2.Error):
        assert is_passing(raised_by_sqlalchemy(error))


@pytest.mark.parametrize(
    "error",
    [
        KeyError("a mistake of ours"),
        FileNotFoundError(errno.ENOENT, "No such file or directory"),
        psycopg2.ProgrammingError("without a code"),
        *map(Coded, ["23505", "42P01", "22012", "55000"]),
    ],
)
def test_what_stays(error: Exception) -> None:
    assert not is_passing(error)
    if isinstance(error, psycopg2.Error):
        assert not is_passing(raised_by_sqlalchemy(error))
