"""Passwords: argon2id hashes, at most a few computed at a time so that memory stays bounded."""

import secrets
import threading
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ochp_chs.clearing.errors import PasswordInvalid

PASSWORD_CHARACTERS_MIN = 8
PASSWORD_CHARACTERS_MAX = 1024

_GENERATED_BYTES = 24


@dataclass(frozen=True, slots=True)
class HashSettings:
    """Cost of one hash, and how many of them a process computes at once.

    The defaults are the smallest ones that OWASP's password storage guide recommends: a process
    that streams in little memory must not spend more than that on checking a password.
    """

    memory_kib: int = 19 * 1024
    passes: int = 2
    lanes: int = 1
    at_once: int = 1


class Passwords:
    """Hashes and verifies passwords; to be shared by the threads of a process."""

    def __init__(self, settings: HashSettings | None = None) -> None:
        settings = settings or HashSettings()
        self._hasher = PasswordHasher(
            time_cost=settings.passes,
            memory_cost=settings.memory_kib,
            parallelism=settings.lanes,
        )
        self._slots = threading.BoundedSemaphore(settings.at_once)

    def hashed(self, password: str) -> str:
        """Hash a password with a new salt (PHC text form)."""
        with self._slots:
            return self._hasher.hash(_encoded(password))

    def verified(self, password_hash: str, password: str) -> bool:
        """Tell whether the password belongs to the hash; a broken hash belongs to none."""
        with self._slots:
            try:
                return self._hasher.verify(password_hash, _encoded(password))
            except (VerificationError, InvalidHashError, UnicodeEncodeError):
                # The last one: argon2 takes a stored hash that is not ASCII for a bug.
                return False

    def is_outdated(self, password_hash: str) -> bool:
        """Tell whether the hash was made at another cost than new ones are."""
        return self._hasher.check_needs_rehash(password_hash)


def _encoded(password: str) -> bytes:
    # A lone surrogate cannot be sent in XML, but it must not be an error of the server either.
    return password.encode("utf-8", "surrogatepass")


def generated_password() -> str:
    """Make up a password of 192 random bits that can be pasted anywhere."""
    return secrets.token_urlsafe(_GENERATED_BYTES)


def checked_password(password: str) -> str:
    """Give the password back; PasswordInvalid if it could not be sent, or be guessed too easily."""
    if len(password) < PASSWORD_CHARACTERS_MIN:
        raise PasswordInvalid(
            f"The password is too short: {PASSWORD_CHARACTERS_MIN} characters are wanted at least."
        )
    if len(password) > PASSWORD_CHARACTERS_MAX:
        raise PasswordInvalid(
            f"The password is too long: {PASSWORD_CHARACTERS_MAX} characters are allowed at most."
        )
    if not password.isprintable():
        raise PasswordInvalid(
            "The password holds a character that cannot be sent in a message, such as a tab."
        )
    return password
