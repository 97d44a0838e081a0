"""What of a text or an error may go into a log: never what a partner sent.

Errors quote what they stumble over, and so it would be in the log: a token's UID, a contract, a
password. PostgreSQL names the row that broke a constraint, its driver the statement with all values
in it, Python the key that is missing. What helps is the kind of the error, where it happened, and
the names of things that are ours; what was sent is found in the database by the reference.
"""

import re
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any

_CHARACTERS_MAX = 300
_MASK = "***"

#: From the first mark to the last: what is quoted may hold such marks itself. And whole messages.
_QUOTED = re.compile(r"""(?<!\w)['"`].*['"`]|<.*>""", re.DOTALL)
#: An apostrophe within a word is none.
_BEGINNING = re.compile(r"""(?:[^:'"`<]|(?<=\w)'(?=\w))*""")
#: A word that no sentence has: UIDs, contract and card numbers, tokens.
_CODE = re.compile(r"(?=[\w*+/=-]*\d)[\w*+/=-]{8,}")
_NAME = re.compile(r'"[^"]*"')

#: Classes of SQLSTATE whose messages name what is ours: connections, constraints, transactions,
#: resources, operators. Not data (22) and not syntax (42), which quote.
_NAMING_OURS = ("08", "23", "25", "40", "53", "54", "55", "57", "58")
_CONNECTION_ERRORS = frozenset({"OperationalError", "InterfaceError"})

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def masked(text: str) -> str:
    """A text of unknown making without what it quotes, shortened."""
    return _CODE.sub(_MASK, _QUOTED.sub(_MASK, text[: 4 * _CHARACTERS_MAX]))[:_CHARACTERS_MAX]


def beginning(text: str) -> str:
    """A text of ours as far as it quotes nothing: to the first colon or quotation mark."""
    found = _BEGINNING.match(text)
    return masked(found[0].rstrip()) if found is not None else ""


def described(error: BaseException) -> str:
    """What an error says, in one line, as far as it can be said."""
    return " ".join(_description(error).split())


def _description(error: BaseException) -> str:
    cause = getattr(error, "orig", None)
    if isinstance(cause, BaseException):
        return f"{type(cause).__name__}: {_description(cause)}"
    diagnostics = getattr(error, "diag", None)
    if diagnostics is not None:
        return _database_error(error, diagnostics)
    if isinstance(error, OSError) and error.strerror:
        # Without the name of the file.
        return f"[Errno {error.errno}] {error.strerror}"
    return masked(str(error))


def _database_error(error: BaseException, diagnostics: Any) -> str:
    code = getattr(error, "pgcode", None)
    if code is None:
        # Nothing came from the database: there was no connection, or no longer.
        if type(error).__name__ in _CONNECTION_ERRORS:
            return _NAME.sub(f'"{_MASK}"', str(error))[:_CHARACTERS_MAX]
        return masked(str(error))
    message = diagnostics.message_primary or ""
    said = message if code.startswith(_NAMING_OURS) else masked(message)
    names = {
        "constraint": diagnostics.constraint_name,
        "table": diagnostics.table_name,
        "column": diagnostics.column_name,
    }
    where = "".join(f", {what} {name}" for what, name in names.items() if name)
    return f"SQLSTATE {code}: {said}{where}"


def traceback_text(exc_info: ExceptionInfo) -> str:
    """The traceback of an error and of what led to it, each with no more than its description."""
    return "\n".join(_told(exc_info[1]))


def _told(error: BaseException) -> Iterator[str]:
    chain = [error]
    while True:
        last = chain[-1]
        before = last.__cause__ or (None if last.__suppress_context__ else last.__context__)
        if before is None or before in chain:
            break
        chain.append(before)
    for each in reversed(chain):
        # Lines of code, and no values of variables.
        yield "Traceback (most recent call last):"
        yield "".join(traceback.format_tb(each.__traceback__)).rstrip()
        yield f"{type(each).__qualname__}: {described(each)}"
