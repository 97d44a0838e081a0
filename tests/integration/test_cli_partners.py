"""``ochp-chs partner`` and ``ochp-chs roaming`` against a database, as an operator types them."""

import os
import pty
import subprocess
import sys
from typing import Protocol

import pytest

from ochp_chs.clearing.passwords import Passwords
from ochp_chs.ochp.roles import Role
from ochp_chs.repository.engine import Database
from ochp_chs.repository.partners import Partner, find_partner
from tests.support.commands import Run


@pytest.fixture
def stored(database: Database) -> "Stored":
    def stored(name: str) -> Partner:
        with database.begin() as connection:
            partner = find_partner(connection, name)
        assert partner is not None
        return partner

    return stored


class Stored(Protocol):
    def __call__(self, name: str) -> Partner: ...


@pytest.fixture
def cpo_and_emp(run: Run) -> None:
    run("partner", "add", "cpo", "--role", "cpo", "--party-id", "DE*CPO")
    run("partner", "add", "emp", "--role", "emp", "--party-id", "DE-EMP")


def knows(partner: Partner, password: str) -> bool:
    return Passwords().verified(partner.password_hash, password)


class TestAdd:
    def test_password_from_standard_input(self, run: Run, stored: Stored) -> None:
        added = run(
            *("partner", "add", "both", "--role", "emp", "--role", "cpo", "--role", "nsp"),
            *("--party-id", "de*abc", "--party-id", "emp=DE-XYZ", "--password-stdin"),
            stdin="pässword one\r\nanother line\n".encode(),
        )
        assert added.status == 0
        assert "both" in added.out
        assert "password" not in added.out
        partner = stored("both")
        assert partner.roles == {Role.CPO, Role.EMP, Role.NSP}
        assert partner.party_ids(Role.CPO) == {"DEABC"}
        assert partner.party_ids(Role.EMP) == {"DEABC", "DEXYZ"}
        assert knows(partner, "pässword one")

    @pytest.mark.parametrize("arguments", [[], ["--generate-password"]])
    def test_password_made_up_is_printed_once(
        self, run: Run, stored: Stored, arguments: list[str]
    ) -> None:
        added = run("partner", "add", "nsp", "--role", "nsp", *arguments)
        (line,) = [line for line in added.out.splitlines() if line.startswith("password")]
        assert knows(stored("nsp"), line.rpartition(" ")[2])
        assert line not in run("partner", "show", "nsp").out

    def test_as_json(self, run: Run, stored: Stored) -> None:
        added = run(
            *("partner", "add", "cpo", "--role", "cpo", "--party-id", "DE*ABC", "--json"),
            *("--reading", "strict", "--empty-set-withdraws", "--cdrs-per-answer-max", "5"),
        ).json
        assert knows(stored("cpo"), added.pop("password"))
        assert added.pop("created_at")
        assert added == {
            "name": "cpo",
            "roles": ["cpo"],
            "party_ids": {"cpo": ["DE*ABC"]},
            "reading": "strict",
            "empty_set_withdraws": True,
            "cdrs_per_answer_max": 5,
            "disabled": False,
            "disabled_at": None,
        }

    @pytest.mark.parametrize(
        ("arguments", "stdin", "error"),
        [
            (["cpo", "--role", "cpo"], b"", "A partner named 'cpo' exists already."),
            (["-", "--role", "cpo"], b"", "'-' cannot be a partner's name"),
            ([" x", "--role", "cpo"], b"", "' x' cannot be a partner's name"),
            (["x" * 65, "--role", "cpo"], b"", "cannot be a partner's name: 1 to 64 visible"),
            (["x\ny", "--role", "cpo"], b"", "'x\\ny' cannot be a partner's name"),
            (
                ["x", "--role", "pso", "--role", "cpo", "--party-id", "decpo"],
                b"",
                "The party ID decpo belongs to the partner 'cpo' in the role cpo already.",
            ),
            (["x", "--role", "cpo", "--party-id", "DE*CPOX"], b"", "'DE*CPOX' is not a party ID"),
            (["x", "--role", "cpo", "--party-id", "xyz=DE*X"], b"", "'xyz=DE*X' is not a party"),
            (["x", "--role", "nsp", "--party-id", "DE*NSP"], b"", "only nsp has no party ID"),
            (
                ["x", "--role", "cpo", "--party-id", "emp=DE-XYZ"],
                b"",
                "The partner 'x' has no role emp for DE-XYZ.",
            ),
            (["x", "--role", "cpo", "--cdrs-per-answer-max", "-1"], b"", "must be 1 to"),
            (["x", "--role", "cpo", "--password-stdin"], b"", "The password is too short"),
            (["x", "--role", "cpo", "--password-stdin"], b"short\n", "The password is too short"),
            (["x", "--role", "cpo", "--password-stdin"], b"x" * 9999, "The password is too long"),
            (["x", "--role", "cpo", "--password-stdin"], b"latin \xe4\xf6\xfc\n", "is not UTF-8"),
            (
                ["x", "--role", "cpo", "--password-stdin", "--generate-password"],
                b"a good password\n",
                "exclude each other",
            ),
        ],
    )
    @pytest.mark.usefixtures("cpo_and_emp")
    def test_refused_with_one_line_and_nothing_left_behind(
        self, run: Run, arguments: list[str], stdin: bytes, error: str
    ) -> None:
        assert error in run("partner", "add", *arguments, stdin=stdin).error
        assert [each["name"] for each in run("partner", "list", "--json").json] == ["cpo", "emp"]

    def test_the_same_id_is_free_in_another_role(self, run: Run) -> None:
        run("partner", "add", "cpo", "--role", "cpo", "--party-id", "DE*ABC")
        added = run("partner", "add", "emp", "--role", "emp", "--party-id", "DE-ABC", "--json").json
        assert added["party_ids"] == {"emp": ["DE-ABC"]}

    def test_the_same_id_twice_counts_once(self, run: Run) -> None:
        ids = ["--party-id", "DE*ABC", "--party-id", "DE-ABC"]
        added = run("partner", "add", "cpo", "--role", "cpo", *ids, "--json").json
        assert len(added["party_ids"]["cpo"]) == 1


def test_password_is_asked_for_twice_at_a_terminal(postgres_url: str, stored: Stored) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "ochp_chs.cli.main", "partner", "add", "nsp", "--role", "nsp"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env=os.environ | {"OCHP_CHS_DATABASE_URL": postgres_url},
    )
    os.close(theirs)
    seen = b""
    for prompt in (b"Password: ", b"Repeat for confirmation: "):
        while not seen.endswith(prompt):
            seen += os.read(ours, 1000)
        os.write(ours, b"typed secret\n")
    try:
        while more := os.read(ours, 1000):
            seen += more
    except OSError:
        # How a terminal tells that nobody is left at its other end.
        pass
    os.close(ours)
    assert process.wait(10) == 0
    assert b"nsp is added" in seen
    assert b"secret" not in seen
    assert knows(stored("nsp"), "typed secret")


@pytest.mark.usefixtures("cpo_and_emp")
class TestShowing:
    def test_list(self, run: Run) -> None:
        run("partner", "disable", "emp")
        run("partner", "add", "[b]x", "--role", "cpo", "--role", "emp", "--party-id", "cpo=NL*ABC")
        listed = [line.split() for line in run("partner", "list").out.splitlines()]
        assert ["cpo", "cpo", "DE*CPO", "tolerant", "enabled"] in listed
        assert ["emp", "emp", "DE-EMP", "tolerant", "disabled"] in listed
        assert ["[b]x", "cpo,", "emp", "cpo=NL*ABC", "tolerant", "enabled"] in listed

    def test_a_row_is_one_line_however_narrow_the_screen_was(
        self, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("COLUMNS", "20")
        many = [word for n in range(100, 150) for word in ("--party-id", f"NL*{n}")]
        run("partner", "add", "many", "--role", "cpo", *many)
        (line,) = [x for x in run("partner", "list").out.splitlines() if x.startswith("many")]
        assert "NL*100" in line
        assert "NL*149" in line

    def test_show(self, run: Run) -> None:
        run("roaming", "connect", "cpo", "emp", "--only", "cdrs,token-lookup")
        shown = run("partner", "show", "emp")
        assert "DE-EMP" in shown.out
        assert "cpo: token-lookup, cdrs" in shown.out
        as_json = run("partner", "show", "emp", "--json").json
        assert as_json["connections"] == [{"partner": "cpo", "carries": ["token-lookup", "cdrs"]}]

    def test_no_hash_is_ever_shown(self, run: Run) -> None:
        for arguments in (["list"], ["show", "cpo"], ["list", "--json"], ["show", "cpo", "--json"]):
            assert "argon2" not in run("partner", *arguments).out


def test_empty_lists(run: Run) -> None:
    assert run("partner", "list").out == "There are no partners.\n"
    assert run("roaming", "list").out == "There are no connections.\n"
    assert run("partner", "list", "--json").json == []
    assert run("roaming", "list", "--json").json == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["partner", "show", "nobody"],
        ["partner", "disable", "nobody"],
        ["partner", "enable", "nobody"],
        ["partner", "set-password", "nobody", "--password-stdin"],
        ["partner", "set", "nobody", "--reading", "strict"],
        ["partner", "grant", "nobody", "--role", "cpo"],
        ["partner", "revoke", "nobody", "--role", "cpo"],
        ["roaming", "connect", "cpo", "nobody"],
        ["roaming", "connect", "nobody", "cpo"],
        ["roaming", "disconnect", "cpo", "nobody"],
        ["roaming", "list", "--partner", "nobody"],
    ],
)
@pytest.mark.usefixtures("cpo_and_emp")
def test_unknown_partner(run: Run, arguments: list[str]) -> None:
    assert run(*arguments, stdin=b"a good password").error == "There is no partner named 'nobody'."


@pytest.mark.usefixtures("cpo_and_emp")
class TestChanging:
    def test_disable_keeps_its_first_time_and_enable_ends_it(self, run: Run) -> None:
        first = run("partner", "disable", "cpo", "--json").json["disabled_at"]
        assert first is not None
        assert run("partner", "disable", "cpo", "--json").json["disabled_at"] == first
        assert run("partner", "enable", "cpo", "--json").json["disabled"] is False
        assert run("partner", "enable", "cpo").status == 0

    def test_set_password(self, run: Run, stored: Stored) -> None:
        done = run("partner", "set-password", "cpo", "--password-stdin", stdin=b"a new secret\n")
        assert done.status == 0
        assert "secret" not in done.out
        assert knows(stored("cpo"), "a new secret")

    def test_set_password_made_up(self, run: Run, stored: Stored) -> None:
        made_up = run("partner", "set-password", "cpo", "--json").json["password"]
        assert knows(stored("cpo"), made_up)

    def test_a_refused_password_changes_nothing(self, run: Run, stored: Stored) -> None:
        before = stored("cpo").password_hash
        refused = run("partner", "set-password", "cpo", "--password-stdin", stdin=b"short\n")
        assert "too short" in refused.error
        assert stored("cpo").password_hash == before

    def test_settings_that_are_not_named_stay(self, run: Run) -> None:
        run("partner", "set", "cpo", "--reading", "strict", "--cdrs-per-answer-max", "7")
        told = run("partner", "set", "cpo", "--empty-set-withdraws").out
        assert told == (
            "cpo is set to: reading strict, a Set without records withdraws all,"
            " CDRs per answer 7\n"
        )
        shown = run("partner", "show", "cpo", "--json").json
        assert shown["reading"] == "strict"
        assert shown["empty_set_withdraws"] is True
        assert shown["cdrs_per_answer_max"] == 7

    def test_settings_can_be_undone(self, run: Run) -> None:
        run("partner", "set", "cpo", "--reading=strict", "--cdrs-per-answer-max=7")
        run("partner", "set", "cpo", "--empty-set-withdraws")
        undone = run(
            *("partner", "set", "cpo", "--reading=tolerant", "--cdrs-per-answer-max=0"),
            *("--empty-set-refused", "--json"),
        ).json
        assert undone["reading"] == "tolerant"
        assert undone["empty_set_withdraws"] is False
        assert undone["cdrs_per_answer_max"] is None

    @pytest.mark.parametrize("command", ["set", "grant", "revoke"])
    def test_nothing_named(self, run: Run, command: str) -> None:
        assert run("partner", command, "cpo").error.startswith("nothing to ")

    def test_grant_and_revoke(self, run: Run, stored: Stored) -> None:
        run("partner", "grant", "cpo", "--role", "emp", "--party-id", "emp=DE-NEW")
        run("partner", "grant", "cpo", "--party-id", "NL*ALL")
        assert stored("cpo").party_ids(Role.CPO) == {"DECPO", "NLALL"}
        assert stored("cpo").party_ids(Role.EMP) == {"DENEW", "NLALL"}
        run("partner", "revoke", "cpo", "--party-id", "emp=NL-ALL")
        assert stored("cpo").party_ids(Role.CPO) == {"DECPO", "NLALL"}
        run("partner", "revoke", "cpo", "--role", "emp", "--party-id", "NLALL")
        assert stored("cpo").party_ids(*Role) == {"DECPO"}
        assert stored("cpo").roles == {Role.CPO}

    def test_granting_what_is_there_is_no_error(self, run: Run, stored: Stored) -> None:
        before = stored("cpo")
        done = run("partner", "grant", "cpo", "--role", "cpo", "--party-id", "de-cpo")
        assert done.status == 0
        assert stored("cpo") == before

    @pytest.mark.parametrize(
        ("arguments", "error"),
        [
            (["grant", "cpo", "--role", "emp", "--party-id", "DE-EMP"], "belongs to the partner"),
            (["revoke", "cpo", "--role", "cpo"], "The partner 'cpo' needs at least one role"),
            (["revoke", "cpo", "--role", "nsp"], "The partner 'cpo' does not have the role nsp."),
            (
                ["revoke", "cpo", "--party-id", "DE*XYZ"],
                "The partner 'cpo' does not have the party ID DE*XYZ.",
            ),
            (["revoke", "cpo", "--party-id", "emp=DE*CPO"], "does not have the party ID"),
        ],
    )
    def test_refused_changes_change_nothing(
        self, run: Run, stored: Stored, arguments: list[str], error: str
    ) -> None:
        before = stored("cpo")
        assert error in run("partner", *arguments).error
        assert stored("cpo") == before


@pytest.mark.usefixtures("cpo_and_emp")
class TestRoaming:
    def test_connect_limit_and_disconnect(self, run: Run) -> None:
        connected = run("roaming", "connect", "emp", "cpo").out
        assert connected == (
            "emp and cpo are connected:"
            " tokens, cdrs, tariffs, charge-points, live-status, endpoints\n"
        )
        assert "already" in run("roaming", "connect", "cpo", "emp").out
        limited = run("roaming", "connect", "cpo", "emp", "--only", "CDRs, tokens", "--json").json
        assert limited["change"] == "changed"
        assert limited["partners"] == ["cpo", "emp"]
        assert limited["only"] == limited["carries"] == ["tokens", "cdrs"]
        assert run("roaming", "disconnect", "emp", "cpo").status == 0
        assert run("roaming", "list", "--json").json == []

    def test_the_list_includes_the_look_up(self, run: Run) -> None:
        run("roaming", "connect", "cpo", "emp", "--only", "tokens")
        again = run("roaming", "connect", "cpo", "emp", "--only=tokens", "--only=token-lookup")
        assert "already" in again.out

    def test_list(self, run: Run) -> None:
        run("partner", "add", "nsp", "--role", "nsp")
        run("roaming", "connect", "nsp", "cpo", "--only", "live-status")
        run("roaming", "connect", "cpo", "emp")
        limited = ["cpo", "nsp", "live-status", "yes"]
        listed = [line.split()[:4] for line in run("roaming", "list").out.splitlines()]
        assert limited in listed
        assert len(listed) == 4
        only_emp = run("roaming", "list", "--partner", "emp", "--json").json
        assert [each["partners"] for each in only_emp] == [["cpo", "emp"]]
        assert only_emp[0]["only"] is None

    @pytest.mark.parametrize(
        ("arguments", "error"),
        [
            (["connect", "cpo", "cpo"], "The partner 'cpo' cannot be connected to itself."),
            (
                ["connect", "cpo", "cpo2"],
                "Nothing can flow between 'cpo' (cpo) and 'cpo2' (cpo): OCHP knows no data",
            ),
            (
                ["connect", "nsp", "cpo", "--only", "cdrs,live-status"],
                "(cpo), cdrs cannot flow; what can is charge-points, live-status.",
            ),
            (["connect", "cpo", "emp", "--only", "cards"], "'cards' cannot flow over a connection"),
            (["connect", "cpo", "emp", "--only", ""], "'' cannot flow over a connection"),
            (["disconnect", "cpo", "emp"], "The partners 'cpo' and 'emp' are not connected."),
        ],
    )
    def test_refused(self, run: Run, arguments: list[str], error: str) -> None:
        run("partner", "add", "nsp", "--role", "nsp")
        run("partner", "add", "cpo2", "--role", "cpo")
        assert error in run("roaming", *arguments).error
        assert run("roaming", "list", "--json").json == []
