import psycopg2
import pytest

from ochp_chs.masking import beginning, described, masked, traceback_text

UID = "04A1B2C3D4E5F6"


class Diagnostics:
    """What psycopg2 has of an error from the database."""

    message_primary = 'duplicate key value violates unique constraint "uq_token"'
    constraint_name: str | None = "uq_token"
    table_name: str | None = "token"
    column_name: str | None = None


class DatabaseError(Exception):
    """As psycopg2's, which only its own code can make."""

    diag = Diagnostics()

    def __init__(self, code: str) -> None:
        super().__init__(f"duplicate key\nDETAIL:  Key (uid)=({UID}) already exists.\n")
        self.pgcode = code


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("nothing to hide here", "nothing to hide here"),
        (f"invalid literal for int(): '{UID}'", "invalid literal for int(): ***"),
        (f"a 'b' c {UID} d", "a *** c *** d"),
        ("it's the partner's fault", "it's the partner's fault"),
        ("value 'it's a secret' is odd", "value *** is odd"),
        (f"contract DE-EMP-C12345678-X of {UID}", "contract *** of ***"),
        ("<a>secret</a> is odd", "*** is odd"),
        ("Listening at: http://127.0.0.1:8080 (1234567)", None),
        ("Worker (pid:31142) exited with code 1", None),
    ],
)
def test_what_is_quoted_or_looks_like_a_code_is_masked(text, shown):
    assert masked(text) == (text if shown is None else shown)


def test_long_text_is_cut_and_masked_before():
    assert masked("x " * 1000 + UID) == ("x " * 150)
    assert UID not in masked("x" * 295 + f" {UID}")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("The message's transfer broke off", "The message's transfer broke off"),
        ("There is no operation 'secret' here", "There is no operation"),
        ("GetStatusRequest is not valid: secret", "GetStatusRequest is not valid"),
        ("", ""),
    ],
)
def test_own_words_end_where_others_begin(text, shown):
    assert beginning(text) == shown


class TestDatabaseErrors:
    def test_names_what_is_ours_and_no_row(self):
        said = described(DatabaseError("23505"))

        assert said.startswith("SQLSTATE 23505: duplicate key value violates unique constraint")
        assert said.endswith('"uq_token", constraint uq_token, table token')
        assert UID not in said

    def test_error_in_data_quotes_it(self, monkeypatch):
        monkeypatch.setattr(Diagnostics, "message_primary", f"bad value for type: {UID}")

        assert UID not in described(DatabaseError("22P02"))

    def test_of_the_driver_inside_of_anothers(self):
        error = RuntimeError(f"[parameters: {UID}]")
        error.orig = DatabaseError("23505")

        assert described(error).startswith("DatabaseError: SQLSTATE 23505")

    def test_no_connection_says_why(self):
        with pytest.raises(psycopg2.OperationalError) as raised:
            psycopg2.connect("postgresql://me:secret@127.0.0.1:1/none")

        said = described(raised.value)
        assert "Connection refused" in said
        assert "secret" not in said


def test_file_is_not_named():
    assert described(FileNotFoundError(2, "No such file", UID)) == "[Errno 2] No such file"


def test_traceback_has_places_and_kinds_of_the_whole_chain():
    try:
        try:
            {}[UID]
        except KeyError as error:
            raise ValueError(f"no {UID}") from error
    except ValueError as error:
        text = traceback_text((ValueError, error, error.__traceback__))

    assert text.count("Traceback (most recent call last):") == 2
    assert "KeyError: ***" in text
    assert "ValueError: no ***" in text
    assert "test_masking.py" in text
    assert UID not in text


def test_chain_that_was_cut_stays_cut():
    try:
        try:
            {}[UID]
        except KeyError:
            raise ValueError("broken") from None
    except ValueError as error:
        text = traceback_text((ValueError, error, error.__traceback__))

    assert "KeyError" not in text


def test_chain_that_leads_back_to_itself():
    one, other = ValueError("one"), ValueError("other")
    one.__context__, other.__context__ = other, one

    assert traceback_text((ValueError, one, None)).count("ValueError") == 2
