"""Who is calling, asked of PostgreSQL with passwords that are cheap to hash."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import structlog
from structlog.typing import EventDict

from ochp_chs.clearing import partners
from ochp_chs.clearing.authentication import Authenticator
from ochp_chs.clearing.errors import AuthenticationFailed
from ochp_chs.clearing.failures import DelaySettings, FailureDelays
from ochp_chs.clearing.passwords import HashSettings, Passwords
from ochp_chs.ochp.roles import Role
from ochp_chs.repository.engine import Database

CHEAP = HashSettings(memory_kib=8, passes=1)
SECRET = "the cpo's secret"


class CountingPasswords(Passwords):
    """Remembers against which hashes passwords were verified."""

    def __init__(self, settings: HashSettings = CHEAP) -> None:
        self.verifications: list[str] = []
        super().__init__(settings)

    def verified(self, password_hash: str, password: str) -> bool:
        self.verifications.append(password_hash)
        return super().verified(password_hash, password)


@dataclass
class Rig:
    """An authenticator whose clock stands still and whose sleep only takes notes."""

    database: Database
    passwords: CountingPasswords = field(default_factory=CountingPasswords)
    now: float = 0.0
    slept: list[float] = field(default_factory=list)
    cache_entries_max: int = 1024

    def __post_init__(self) -> None:
        self.authenticator = Authenticator(
            self.database,
            self.passwords,
            FailureDelays(monotonic=lambda: self.now, sleep=self.slept.append),
            cache_seconds=300,
            cache_entries_max=self.cache_entries_max,
            monotonic=lambda: self.now,
        )

    def log_in(self, name: str = "cpo", password: str = SECRET, address: str = "192.0.2.1") -> bool:
        """Tell whether the caller was let in, as the partner of that name."""
        try:
            return self.authenticator.authenticate(name, password, address).name == name
        except AuthenticationFailed:
            return False

    def verifications(self, name: str = "cpo", password: str = SECRET) -> int:
        """Count the verifications that one log-in takes."""
        before = len(self.passwords.verifications)
        self.log_in(name, password)
        return len(self.passwords.verifications) - before


@pytest.fixture
def rig(database: Database) -> Rig:
    rig = Rig(database)
    add(rig, "cpo", SECRET)
    return rig


@pytest.fixture
def log() -> Iterator[list[EventDict]]:
    with structlog.testing.capture_logs() as entries:
        yield entries


def add(rig: Rig, name: str, password: str) -> None:
    partners.add_partner(
        rig.database,
        name,
        rig.passwords.hashed(password),
        roles=[Role.CPO],
        party_ids=["DE*ABC"] if name == "cpo" else [],
    )


def test_the_caller_is_given_with_roles_party_ids_and_settings(rig: Rig) -> None:
    partner = rig.authenticator.authenticate("cpo", SECRET, "192.0.2.1")
    assert partner.roles == {Role.CPO}
    assert partner.party_ids(Role.CPO) == {"DEABC"}
    assert partner.party_ids(Role.EMP) == frozenset()
    assert partner.password_hash not in repr(partner)


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("cpo", "wrong password"),
        ("cpo", ""),
        ("cpo", SECRET + "\0"),
        ("cpo", SECRET * 10_000),
        ("CPO", SECRET),
        ("cpo ", SECRET),
        ("nobody", SECRET),
        ("", ""),
        ("nul\0", SECRET),
        ("\ud800", SECRET),
        ("x" * 1_000_000, SECRET),
    ],
)
def test_who_is_not_let_in(rig: Rig, name: str, password: str) -> None:
    assert not rig.log_in(name, password)


def test_every_failure_looks_alike_and_takes_one_verification(rig: Rig) -> None:
    add(rig, "disabled", SECRET)
    partners.set_disabled(rig.database, "disabled", disabled=True)
    texts = set()
    for name, password in [
        ("cpo", "wrong password"),
        ("disabled", SECRET),
        ("disabled", "wrong password"),
        ("nobody", SECRET),
        ("", ""),
        ("nul\0", SECRET),
    ]:
        before = len(rig.passwords.verifications)
        with pytest.raises(AuthenticationFailed) as failed:
            rig.authenticator.authenticate(name, password, "192.0.2.1")
        assert len(rig.passwords.verifications) == before + 1
        texts.add(str(failed.value))
    assert len(texts) == 1


class TestVerifiedCredentials:
    def test_are_not_verified_again_for_a_while(self, rig: Rig) -> None:
        assert rig.verifications() == 1
        rig.now = 299.9
        assert rig.verifications() == 0
        rig.now = 300
        assert rig.verifications() == 1

    def test_do_not_let_another_password_in(self, rig: Rig) -> None:
        rig.log_in()
        assert rig.verifications(password="wrong password") == 1
        assert not rig.log_in(password="wrong password")

    def test_do_not_let_another_partner_in(self, rig: Rig) -> None:
        add(rig, "cp", "o" + SECRET)
        rig.log_in()
        assert not rig.log_in("cp", SECRET)

    def test_end_at_once_when_the_password_is_changed(self, rig: Rig) -> None:
        rig.log_in()
        partners.set_password_hash(rig.database, "cpo", rig.passwords.hashed("a new secret"))
        assert not rig.log_in()
        assert rig.log_in(password="a new secret")

    def test_end_at_once_when_the_partner_is_disabled(self, rig: Rig) -> None:
        assert rig.log_in()
        partners.set_disabled(rig.database, "cpo", disabled=True)
        assert not rig.log_in()
        partners.set_disabled(rig.database, "cpo", disabled=False)
        assert rig.log_in()

    def test_a_failure_is_not_remembered(self, rig: Rig) -> None:
        assert [rig.verifications(password="wrong password") for _ in range(2)] == [1, 1]

    def test_the_oldest_are_forgotten_first(self, database: Database) -> None:
        rig = Rig(database, cache_entries_max=2)
        for name in ("cpo", "b", "c"):
            add(rig, name, SECRET)
            rig.log_in(name)
        assert [rig.verifications(name) for name in ("c", "b", "cpo")] == [0, 0, 1]

    def test_hold_no_password_and_no_name(self, rig: Rig) -> None:
        rig.log_in()
        held = repr(vars(rig.authenticator._verified))
        assert "cpo" not in held


def test_what_changes_about_a_partner_counts_with_the_next_request(rig: Rig) -> None:
    rig.log_in()
    partners.grant(rig.database, "cpo", roles=[Role.EMP], party_ids=["emp=DE-XYZ"])
    partner = rig.authenticator.authenticate("cpo", SECRET, "192.0.2.1")
    assert partner.roles == {Role.CPO, Role.EMP}
    assert partner.party_ids(Role.EMP) == {"DEXYZ"}


class TestOutdatedHash:
    @pytest.fixture
    def dearer(self, rig: Rig) -> Rig:
        return Rig(rig.database, CountingPasswords(HashSettings(memory_kib=16, passes=1)))

    def test_is_renewed_by_a_log_in(self, dearer: Rig) -> None:
        old = partners.get_partner(dearer.database, "cpo").password_hash
        assert dearer.log_in()
        new = partners.get_partner(dearer.database, "cpo").password_hash
        assert new != old
        assert not dearer.passwords.is_outdated(new)
        assert [dearer.verifications(), dearer.verifications()] == [1, 0]

    def test_is_not_renewed_by_a_failure(self, dearer: Rig) -> None:
        old = partners.get_partner(dearer.database, "cpo").password_hash
        assert not dearer.log_in(password="wrong password")
        assert partners.get_partner(dearer.database, "cpo").password_hash == old

    def test_does_not_undo_a_password_that_was_set_meanwhile(self, dearer: Rig) -> None:
        new = dearer.passwords.hashed("a new secret")
        hashed = dearer.passwords.hashed

        def hashed_while_the_password_is_set(password: str) -> str:
            partners.set_password_hash(dearer.database, "cpo", new)
            return hashed(password)

        dearer.passwords.hashed = hashed_while_the_password_is_set  # type: ignore[method-assign]
        assert dearer.log_in()
        assert partners.get_partner(dearer.database, "cpo").password_hash == new


def test_repeated_failures_are_delayed_and_a_success_never(rig: Rig) -> None:
    for _ in range(5):
        rig.log_in(password="wrong password")
    assert rig.slept == [0.25, 0.5]
    assert rig.log_in()
    assert rig.slept == [0.25, 0.5]


def test_failures_are_logged_with_their_reason_and_never_with_a_password(
    rig: Rig, log: list[EventDict]
) -> None:
    add(rig, "disabled", SECRET)
    partners.set_disabled(rig.database, "disabled", disabled=True)
    rig.log_in("nobody\n", "a wrong secret")
    rig.log_in("cpo", "a wrong secret")
    rig.log_in("disabled", SECRET)
    rig.log_in("x" * 1000, "a wrong secret", address="2001:db8::1")
    assert [(entry["user"], entry["reason"]) for entry in log] == [
        (None, "unknown user"),
        ("cpo", "wrong password"),
        ("disabled", "disabled user"),
        (None, "unknown user"),
    ]
    assert [entry["address"] for entry in log] == ["192.0.2.1"] * 3 + ["2001:db8::1"]
    assert "secret" not in repr(log)


def test_a_success_is_not_logged_as_a_failure(rig: Rig, log: list[EventDict]) -> None:
    assert rig.log_in()
    assert log == []


@pytest.mark.usefixtures("rig")
def test_no_database_connection_is_held_while_a_password_is_verified_or_a_caller_delayed(
    postgres_url: str,
) -> None:
    # Were one held, a handful of attackers would take the connections of the partners.
    database = Database(postgres_url, pool_size=1)
    both_taken = []

    def take_both(_: object = None, __: object = None) -> bool:
        with database.begin(), database.begin():
            both_taken.append(True)
        return False

    passwords = Passwords(CHEAP)
    passwords.verified = take_both  # type: ignore[method-assign]
    delays = FailureDelays(DelaySettings(free_failures=0), sleep=take_both)
    authenticator = Authenticator(database, passwords, delays)
    with pytest.raises(AuthenticationFailed):
        authenticator.authenticate("cpo", SECRET, "192.0.2.1")
    database.dispose()
    assert both_taken == [True, True]


def test_many_threads_log_in_at_once(rig: Rig) -> None:
    results: list[bool] = []

    def log_in(number: int) -> None:
        right = number % 2 == 0
        let_in = rig.log_in(password=SECRET if right else "wrong password")
        results.append(let_in is right)

    threads = [threading.Thread(target=log_in, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 16


def test_same_credentials_at_once_are_verified_once(rig: Rig) -> None:
    threads = [threading.Thread(target=rig.log_in) for _ in range(8)]
    before = len(rig.passwords.verifications)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rig.passwords.verifications) == before + 1
