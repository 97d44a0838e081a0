import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import InvalidToken

from ochp_chs.clearing.vault import SECRET_CHARACTERS_MIN, SecretUnavailable, Vault, kept_secret

SECRET = "0123456789abcdef" * 2


def vault(secret: str = SECRET) -> Vault:
    return Vault(lambda: secret)


class TestVault:
    def test_what_was_sealed_is_opened(self):
        assert vault().open(vault().seal("token ü")) == "token ü"

    def test_sealed_text_shows_nothing_not_even_that_two_are_the_same(self):
        one, other = vault().seal("token"), vault().seal("token")

        assert b"token" not in one
        assert one != other

    def test_another_key_opens_nothing(self):
        with pytest.raises(InvalidToken):
            vault("x" * 32).open(vault().seal("token"))

    def test_digest_is_the_same_for_the_same_text_and_key(self):
        assert vault().digest("token") == vault().digest("token")
        assert vault().digest("token") != vault().digest("Token")
        assert vault().digest("token") != vault("x" * 32).digest("token")

    def test_key_id_tells_keys_apart(self):
        assert vault().key_id == vault().key_id
        assert vault().key_id != vault("x" * 32).key_id

    def test_secret_is_asked_for_once_and_not_before_it_is_needed(self):
        asked = []
        sealing = Vault(lambda: asked.append(1) or SECRET)
        assert asked == []

        sealing.seal("a")
        sealing.digest("b")

        assert asked == [1]

    def test_nothing_of_the_secret_is_printed(self):
        sealing = vault()
        sealing.seal("a")

        assert SECRET not in f"{sealing!r} {vars(sealing)!r}"


class TestKeptSecret:
    def test_made_once_and_kept(self, tmp_path):
        directory = tmp_path / "not" / "there yet"

        first = kept_secret(directory)

        assert kept_secret(directory) == first
        assert len(first) >= SECRET_CHARACTERS_MIN
        assert [path.name for path in directory.iterdir()] == ["secret-key"]

    def test_for_its_owner_alone(self, tmp_path):
        kept_secret(tmp_path)

        assert stat.S_IMODE((tmp_path / "secret-key").stat().st_mode) == 0o600

    def test_every_directory_has_its_own(self, tmp_path):
        assert kept_secret(tmp_path / "a") != kept_secret(tmp_path / "b")

    def test_all_that_come_first_at_once_get_the_same(self, tmp_path):
        with ThreadPoolExecutor(8) as threads:
            secrets = set(threads.map(kept_secret, [tmp_path] * 32))

        assert len(secrets) == 1
        assert [path.name for path in tmp_path.iterdir()] == ["secret-key"]

    def test_directory_that_cannot_be_made(self, tmp_path):
        (tmp_path / "file").write_text("")

        with pytest.raises(SecretUnavailable, match="OCHP_CHS_SECRET_KEY"):
            kept_secret(tmp_path / "file")

    def test_damaged_file(self, tmp_path):
        Path(tmp_path / "secret-key").write_text("short\n")

        with pytest.raises(SecretUnavailable, match="damaged") as caught:
            kept_secret(tmp_path)

        assert "short" not in str(caught.value)
