"""Access tokens at rest: encrypted, and compared by a keyed digest.

Both keys are derived from one secret: OCHP_CHS_SECRET_KEY, else a file that is made on first use.
It is never kept in the database, so that a copy of the database or its backup opens nothing.
"""

import base64
import hmac
import os
import secrets
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cryptography.fernet import Fernet

#: A secret shorter than this could be found by trying.
SECRET_CHARACTERS_MIN = 32

_FILE_NAME = "secret-key"


class SecretUnavailable(Exception):
    """The secret cannot be read or made; the text says why and never holds it."""


@dataclass(frozen=True, slots=True)
class _Keys:
    fernet: Fernet = field(repr=False)
    digest: bytes = field(repr=False)
    key_id: str


class Vault:
    """Seals texts and opens them again; the secret is asked for when it is first needed."""

    def __init__(self, secret: Callable[[], str]) -> None:
        self._secret = secret

    @property
    def key_id(self) -> str:
        """Names the key without telling anything of it: 16 hexadecimal digits."""
        return self._keys.key_id

    def digest(self, text: str) -> bytes:
        """The text's keyed digest, 32 bytes."""
        return hmac.digest(self._keys.digest, text.encode(), "sha256")

    def seal(self, text: str) -> bytes:
        """The text, encrypted and authenticated."""
        return self._keys.fernet.encrypt(text.encode())

    def open(self, sealed: bytes) -> str:
        """The text that was sealed with this key; raises `cryptography.fernet.InvalidToken`."""
        return self._keys.fernet.decrypt(sealed).decode()

    @cached_property
    def _keys(self) -> _Keys:
        secret = self._secret().encode()

        def derived(purpose: str) -> bytes:
            return hmac.digest(secret, f"ochp-chs {purpose}".encode(), "sha256")

        return _Keys(
            Fernet(base64.urlsafe_b64encode(derived("seal"))),
            derived("digest"),
            derived("key id")[:8].hex(),
        )


def vault_of(given: str | None, directory: Path) -> Vault:
    """The vault of the secret that is given, else of the one kept in the directory."""
    return Vault(lambda: kept_secret(directory) if given is None else given)


def kept_secret(directory: Path) -> str:
    """The secret in the directory's file, made on first use and for its owner's eyes only.

    Several processes may come first at once: one makes it, and all use that one. Raises
    `SecretUnavailable`.
    """
    path = directory / _FILE_NAME
    try:
        if not path.exists():
            _make(path)
        secret = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeError) as error:
        raise SecretUnavailable(
            f"the key for access tokens cannot be kept in {path} ({error}): set OCHP_CHS_SECRET_KEY"
        ) from None
    if len(secret) < SECRET_CHARACTERS_MIN:
        raise SecretUnavailable(
            f"{path} is damaged: remove it, and access tokens are encrypted with a new key"
        )
    return secret


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Whole or not there at all, also for a process that looks in between and after a crash.
    descriptor, name = tempfile.mkstemp(prefix=f"{_FILE_NAME}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{secrets.token_urlsafe(48)}\n")
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(name)
    except FileExistsError:
        pass
    finally:
        Path(name).unlink()
