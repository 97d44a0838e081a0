import pytest

from ochp_chs.config import AuthFailure, Settings, SettingsError, variables


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch):
    for name, _, _ in variables():
        monkeypatch.delenv(name, raising=False)


class TestLoad:
    def test_defaults_of_the_interface(self):
        settings = Settings.load()

        assert settings.database_url is None
        assert str(settings.data_dir) == ".ochp-chs"
        assert settings.port == 8080
        assert settings.max_request_bytes == 1024**3
        assert settings.clock_tolerance_s == 120
        assert settings.auth_failure is AuthFailure.FAULT

    def test_environment_is_read(self, monkeypatch):
        monkeypatch.setenv("OCHP_CHS_PORT", "9000")
        monkeypatch.setenv("OCHP_CHS_AUTH_FAILURE", "result")

        settings = Settings.load()

        assert (settings.port, settings.auth_failure) == (9000, AuthFailure.RESULT)

    def test_option_wins_over_environment(self, monkeypatch):
        monkeypatch.setenv("OCHP_CHS_PORT", "9000")

        assert Settings.load(port=9001).port == 9001

    def test_option_that_was_not_given_leaves_the_environment(self, monkeypatch):
        monkeypatch.setenv("OCHP_CHS_PORT", "9000")

        assert Settings.load(port=None).port == 9000

    def test_empty_variable_is_an_unset_one(self, monkeypatch):
        monkeypatch.setenv("OCHP_CHS_DATABASE_URL", "")

        assert Settings.load().database_url is None

    def test_trailing_slash_of_the_public_url_is_dropped(self):
        assert Settings.load(public_url="https://chs.example/").public_url == "https://chs.example"

    @pytest.mark.parametrize(
        ("variable", "value"),
        [
            ("OCHP_CHS_PORT", "http"),
            ("OCHP_CHS_PORT", "65536"),
            ("OCHP_CHS_WORKERS", "0"),
            ("OCHP_CHS_DATABASE_URL", "mysql://u@h/d"),
            ("OCHP_CHS_PUBLIC_URL", "chs.example"),
            ("OCHP_CHS_AUTH_FAILURE", "maybe"),
            ("OCHP_CHS_SECRET_KEY", "too short"),
        ],
    )
    def test_bad_value_is_named_in_one_line(self, monkeypatch, variable, value):
        monkeypatch.setenv(variable, value)

        with pytest.raises(SettingsError) as caught:
            Settings.load()

        assert str(caught.value).startswith(f"{variable}: ")
        assert "\n" not in str(caught.value)

    def test_bad_url_is_not_repeated_with_its_password(self):
        with pytest.raises(SettingsError) as caught:
            Settings.load(database_url="mysql://u:hunter2@h/d")

        assert "hunter2" not in str(caught.value)


class TestDescribe:
    @pytest.mark.parametrize(
        "url",
        [
            "postgresql://chs:hunter2@db.example/chs",
            "postgresql://chs:hun/ter2@db.example/chs",
            "postgresql://chs:hunter2@ter@db.example/chs",
            "postgresql://db.example/chs?user=chs&password=hunter2",
            "postgresql://db.example/chs?PASSWORD=hunter2",
            "postgresql:///chs?host=/tmp&sslpassword=hunter2&port=1",
        ],
    )
    def test_passwords_are_masked(self, url):
        shown = Settings.load(database_url=url, read_database_url=url).describe()

        for variable in ("OCHP_CHS_DATABASE_URL", "OCHP_CHS_READ_DATABASE_URL"):
            assert "hun" not in shown[variable]
            assert "ter" not in shown[variable]
            assert "/chs" in shown[variable]

    def test_secret_key_is_masked(self):
        settings = Settings.load(secret_key="hunter2 " * 4)

        assert "hunter2" not in f"{settings!r} {settings.describe()!r} {settings.model_dump()!r}"
        assert "hunter2" not in settings.model_dump_json()

    def test_secret_key_that_is_too_short_is_not_repeated(self):
        with pytest.raises(SettingsError, match="OCHP_CHS_SECRET_KEY") as caught:
            Settings.load(secret_key="hunter2")

        assert "hunter2" not in str(caught.value)

    def test_url_without_password_is_shown_whole(self):
        url = "postgresql://chs@db.example:5432/chs?sslmode=require"

        assert Settings.load(database_url=url).describe()["OCHP_CHS_DATABASE_URL"] == url

    def test_every_variable_is_named(self):
        assert list(Settings.load().describe()) == [name for name, _, _ in variables()]


def test_every_variable_has_a_description():
    assert [name for name, _, description in variables() if not description] == []
