"""Whom it is about: a contract, and the tokens that go with it; found in texts of any notation."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from ochp_chs.clearing.errors import DomainError
from ochp_chs.clearing.vault import Vault
from ochp_chs.ochp.erasure import ERASED_INSTANCE, ERASED_TEXT, Person
from ochp_chs.ochp.identifiers import PARTY_LENGTH, contract_key_without_check, is_contract_id

#: A shorter token is looked for only where it is all of the text: within others, it is anything.
_WORD_MIN = 6

#: Made up for one session, and not on any card: it is in no other record.
_REMOTE = "remote"


class ContractIdInvalid(DomainError):
    """The text is no contract ID."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is not a contract ID, such as DE-ABC-C12345678.")


@dataclass(frozen=True)
class Subject:
    """A contract, by its 14 characters, and tokens as they were sent, with their types."""

    contract: str
    tokens: frozenset[tuple[str, str]] = field(default=frozenset())

    @classmethod
    def of(cls, contract_id: str) -> "Subject":
        """The contract of an ID in any notation; ContractIdInvalid."""
        text = contract_id.strip()
        if not is_contract_id(text):
            raise ContractIdInvalid(contract_id)
        return cls(contract_key_without_check(text))

    @property
    def provider(self) -> str:
        """Whose contract it is."""
        return self.contract[:PARTY_LENGTH]

    @property
    def lasting_instances(self) -> list[str]:
        """Instances that other records may name too."""
        return sorted({instance for instance, kind in self.tokens if kind != _REMOTE})

    def with_persons(self, persons: Iterable[Person | None]) -> "Subject":
        """The same with the tokens of those that are about this contract."""
        found = {
            (person.instance, person.token_type)
            for person in persons
            if person is not None and person.contract == self.contract
        }
        return self.with_tokens(found)

    def with_tokens(self, tokens: Iterable[tuple[str, str]]) -> "Subject":
        """The same with more tokens."""
        known = {token for token in tokens if token[0] != ERASED_INSTANCE}
        return Subject(self.contract, self.tokens | known)

    def digest(self, vault: Vault) -> bytes:
        """What the log keeps of the contract: with the key, it can be told whether it is this."""
        return vault.digest(f"contract {self.contract}")

    def is_in(self, text: str) -> bool:
        """Tell whether the text names the contract or one of its tokens."""
        if text.casefold() in self._short:
            return True
        # Files of a hundred megabytes are searched by this: most lines need no more.
        bare = _bare(text)
        return any(word in bare for word in self._bare_words) and bool(self._words.search(text))

    def redacted(self, text: str) -> str:
        """The text without them."""
        if text.casefold() in self._short:
            return ERASED_TEXT
        return self._words.sub(ERASED_TEXT, text)

    @cached_property
    def _bare_words(self) -> tuple[str, ...]:
        return (self.contract, *(_bare(instance) for instance, _ in self.tokens))

    @cached_property
    def _short(self) -> frozenset[str]:
        return frozenset(
            instance.casefold() for instance, _ in self.tokens if len(instance) < _WORD_MIN
        )

    @cached_property
    def _words(self) -> re.Pattern[str]:
        country, provider, rest = self.contract[:2], self.contract[2:5], self.contract[5:]
        separator = "[-*]?"
        contract = f"{country}{separator}{provider}{separator}{rest}(?:{separator}[A-Z0-9])?"
        tokens = [
            re.escape(instance)
            for instance, _ in sorted(self.tokens, key=lambda token: (-len(token[0]), token))
            if len(instance) >= _WORD_MIN
        ]
        # Not within a longer word, which would be another's.
        return re.compile(
            f"(?<![A-Z0-9])(?:{'|'.join([contract, *tokens])})(?![A-Z0-9])", re.IGNORECASE
        )


def _bare(text: str) -> str:
    return text.upper().replace("-", "").replace("*", "")
