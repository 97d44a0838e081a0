"""Hashing, checking and making up passwords."""

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type

from ochp_chs.clearing.errors import PasswordInvalid
from ochp_chs.clearing.passwords import (
    HashSettings,
    Passwords,
    checked_password,
    generated_password,
)

CHEAP = HashSettings(memory_kib=8, passes=1)


@pytest.fixture(scope="module")
def passwords() -> Passwords:
    return Passwords(CHEAP)


def test_only_the_hashed_password_verifies(passwords: Passwords) -> None:
    stored = passwords.hashed("correct horse")
    assert passwords.verified(stored, "correct horse")
    assert not passwords.verified(stored, "correct horse ")
    assert not passwords.verified(stored, "")


def test_the_same_password_is_hashed_with_another_salt(passwords: Passwords) -> None:
    assert passwords.hashed("correct horse") != passwords.hashed("correct horse")


@pytest.mark.parametrize("broken", ["", "secret", "$argon2id$v=19$m=8", "$2b$12$abc", "ä"])
def test_a_broken_hash_belongs_to_no_password(passwords: Passwords, broken: str) -> None:
    assert not passwords.verified(broken, broken)


@pytest.mark.parametrize("given", ["", "secret", "\ud800", "x" * 10_000])
def test_a_password_of_any_text_is_verified_without_an_error(
    passwords: Passwords, given: str
) -> None:
    assert not passwords.verified(passwords.hashed("correct horse"), given)


def test_the_default_cost_is_argon2id_in_19_mib() -> None:
    parameters = extract_parameters(Passwords().hashed("correct horse"))
    assert parameters.type is Type.ID
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (19456, 2, 1)


def test_a_hash_of_another_cost_is_outdated(passwords: Passwords) -> None:
    dearer = Passwords(HashSettings(memory_kib=16, passes=1))
    assert dearer.is_outdated(passwords.hashed("correct horse"))
    assert not dearer.is_outdated(dearer.hashed("correct horse"))
    assert dearer.verified(passwords.hashed("correct horse"), "correct horse")


def test_generated_passwords_differ_and_can_be_used() -> None:
    one, other = generated_password(), generated_password()
    assert one != other
    assert checked_password(one) == one
    assert one.isascii()


@pytest.mark.parametrize("password", ["12345678", "x" * 1024, "pass wörd", "<&>'\"\\%€🔌🔌"])
def test_passwords_that_are_allowed(password: str) -> None:
    assert checked_password(password) == password


@pytest.mark.parametrize(
    "password", ["", "1234567", "x" * 1025, "tab\there", "line\nhere", "nul\0here", "\ud800" * 9]
)
def test_passwords_that_are_refused_without_showing_them(password: str) -> None:
    with pytest.raises(PasswordInvalid) as refused:
        checked_password(password)
    assert not password or password not in str(refused.value)
