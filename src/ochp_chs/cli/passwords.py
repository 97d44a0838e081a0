"""Where a command gets a password from, so that it never stands on a command line."""

import sys
from typing import Annotated

import typer

from ochp_chs.clearing.errors import PasswordInvalid
from ochp_chs.clearing.passwords import (
    PASSWORD_CHARACTERS_MAX,
    checked_password,
    generated_password,
)
from ochp_chs.cli.options import CommandError

FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input, one line.")
]
Generate = Annotated[
    bool, typer.Option("--generate-password", help="Make a password up and print it once.")
]


def take_password(*, from_stdin: bool, generate: bool) -> tuple[str, bool]:
    """Give the password, and whether it was made up and must be shown.

    Asked for twice at a terminal; without one, made up. Raises CommandError.
    """
    if from_stdin and generate:
        raise CommandError("--password-stdin and --generate-password exclude each other")
    if not from_stdin and (generate or not sys.stdin.isatty()):
        return generated_password(), True
    try:
        return checked_password(_line_of_stdin() if from_stdin else _asked()), False
    except PasswordInvalid as invalid:
        raise CommandError(str(invalid)) from invalid


def _asked() -> str:
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


def _line_of_stdin() -> str:
    # Bytes, so that the locale does not decide what the password is; no more than a password needs.
    line = sys.stdin.buffer.readline(4 * PASSWORD_CHARACTERS_MAX + 2)
    try:
        return line.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise CommandError("the password on standard input is not UTF-8") from None
