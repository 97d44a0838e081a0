"""Retention on a real database: archived, erased, pruned, and nothing lost or doubled."""

import gzip
import hashlib
import json
import os
import signal
import subprocess
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from ochp_chs.clearing import tariff_admin
from ochp_chs.clearing.errors import RetentionBusy
from ochp_chs.clearing.retention import files
from ochp_chs.clearing.retention import run as running
from ochp_chs.clearing.retention.files import ArchiveUnavailable
from ochp_chs.repository import archives, outdated, pruning
from ochp_chs.repository.engine import Database
from tests.support.cdrs import NOW, cdr_xml, confirmation_xml
from tests.support.commands import Run
from tests.support.edge import Clock, Edge, O
from tests.support.retention import (
    TEN_YEARS,
    archived,
    cdr_id,
    confirm_cdr,
    count,
    day_in_name,
    market,
    retention,
    send_cdr,
)
from tests.support.tariffs import individual_xml, tariff_xml
from tests.support.tokens import token_xml


@pytest.fixture
def clock() -> Clock:
    """The day after the session of the example."""
    return Clock(NOW)


@pytest.fixture
def house(edge: Edge) -> Edge:
    """CDRs 1 approved, 2 rejected, 3 declined, 4 accepted; 5 was refused."""
    market(edge)
    for number in range(1, 5):
        assert send_cdr(edge, number, evse_id=f"DE*CPO*E1234*{number}") == "ok"
    wishes = {1: "approved", 2: "declined", 3: "declined"}
    for number, wish in wishes.items():
        entry = confirmation_xml(wish, cdr_id(number), f"DE*CPO*E1234*{number}")
        assert edge.call("emp", "ConfirmCDRs", entry).result == "ok"
    assert send_cdr(edge, 2, evse_id="DE*CPO*E1234*2", status="rejected") == "ok"
    assert send_cdr(edge, 5, total_cost="99.00") == "format"
    return edge


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A directory that is not there yet."""
    return tmp_path / "archive"


class TestCdrs:
    def test_final_ones_are_archived_whole_and_erased(
        self, house: Edge, clock: Clock, archive: Path
    ) -> None:
        with house.database.begin() as connection:
            payload = connection.execute(
                sa.text("SELECT payload FROM cdr_version JOIN cdr ON id = cdr WHERE cdr_id = :id"),
                {"id": cdr_id(2)},
            ).scalar_one()
        clock.turn(days=TEN_YEARS + 1)

        counts = retention(house.database, clock, archive).run()

        assert counts["cdrs"] == 2
        assert count(house.database, "cdr") == 2
        assert count(house.database, "cdr_version") == 2
        found = {record["cdr_id"]: record for record in archived(archive, "cdrs")}
        assert set(found) == {cdr_id(1), cdr_id(2)}
        rejected = found[cdr_id(2)]
        assert rejected["status"] == "rejected"
        assert [step["event"] for step in rejected["steps"]] == ["submit", "decline", "reject"]
        assert [version["payload"] for version in rejected["versions"]] == [payload]
        assert rejected["versions"][0]["partner"] == "cpo"
        assert {warning["rule"] for warning in rejected["warnings"]} >= {"evse-known"}

    def test_unfinished_ones_stay_however_old(
        self, house: Edge, clock: Clock, archive: Path
    ) -> None:
        clock.turn(days=100 * 365)
        retention(house.database, clock, archive).run()
        assert count(house.database, "cdr", "status IN ('accepted', 'declined')") == 2

    def test_age_counts_from_the_final_state_to_the_day(
        self, house: Edge, clock: Clock, archive: Path
    ) -> None:
        clock.turn(days=300)
        entry = confirmation_xml("approved", cdr_id(4), "DE*CPO*E1234*4")
        assert house.call("emp", "ConfirmCDRs", entry).result == "ok"
        clock.turn(days=TEN_YEARS - 299)
        assert retention(house.database, clock, archive).run()["cdrs"] == 2
        clock.turn(days=300)
        assert retention(house.database, clock, archive).run()["cdrs"] == 1

    def test_zero_days_is_for_ever(self, house: Edge, clock: Clock, archive: Path) -> None:
        clock.turn(days=36_000)
        assert "cdrs" not in retention(house.database, clock, archive, cdr_days=0).run()
        assert count(house.database, "cdr") == 4

    def test_without_an_archive_nothing_is_erased(self, house: Edge, clock: Clock) -> None:
        clock.turn(days=36_000)
        assert not {"cdrs", "messages"} & set(retention(house.database, clock, None).run())
        assert (count(house.database, "cdr"), count(house.database, "message")) == (4, 9)

    def test_page_by_page_past_what_stays(
        self, edge: Edge, clock: Clock, archive: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        market(edge)
        monkeypatch.setattr(outdated, "PAGE_CDRS", 2)
        for number in range(9):
            assert send_cdr(edge, number) == "ok"
            if number % 3:
                assert confirm_cdr(edge, number) == "ok"
        clock.turn(days=TEN_YEARS + 1)
        assert retention(edge.database, clock, archive).run()["cdrs"] == 6
        found = sorted(str(record["cdr_id"]) for record in archived(archive, "cdrs"))
        assert found == [cdr_id(number) for number in range(9) if number % 3]
        assert count(edge.database, "cdr", "status = 'accepted'") == 3


class TestTariffs:
    def test_old_prices_are_archived_and_deltas_stay_the_same(
        self, edge: Edge, clock: Clock, archive: Path
    ) -> None:
        market(edge)
        for price in ("1.0", "2.0", "3.0"):
            for tariff_id in ("DE*CPO*T1", "DE*CPO*T2"):
                sent = tariff_xml(individual_xml(price), tariff_id=tariff_id)
                assert edge.call("cpo", "UpdateTariffs", sent).result == "ok"
            clock.turn(days=1)
        # What nobody is given any more ends in a delta.
        tariff_admin.remove_tariff(edge.database, "DE*CPO*T2", clock())
        asked = "<lastUpdate><DateTime>2000-01-01T00:00:00Z</DateTime></lastUpdate>"
        before = edge.call("emp", "GetTariffUpdates", asked).content
        clock.turn(days=TEN_YEARS + 1)

        assert retention(edge.database, clock, archive).run()["tariffs"] == 4

        assert edge.call("emp", "GetTariffUpdates", asked).content == before
        assert count(edge.database, "tariff") == 2
        found = [
            (r["tariff_key"], "1.0" in str(r["payload"])) for r in archived(archive, "tariffs")
        ]
        assert sorted(found) == [
            ("DECPOT1", False),
            ("DECPOT1", True),
            ("DECPOT2", False),
            ("DECPOT2", True),
        ]


class TestRepeats:
    @pytest.fixture
    def later(self, house: Edge, clock: Clock, archive: Path) -> Edge:
        """The CDRs 1 and 2 are archived and erased."""
        clock.turn(days=TEN_YEARS + 1)
        retention(house.database, clock, archive).run()
        return house

    def test_archived_cdr_sent_again_is_ok_and_not_new(self, later: Edge) -> None:
        assert send_cdr(later, 1, evse_id="DE*CPO*E1234*1") == "ok"
        assert count(later.database, "cdr", f"cdr_id = '{cdr_id(1)}'") == 0
        reply = later.call("emp", "GetCDRs")
        assert cdr_id(1) not in [e.findtext(f"{O}CdrId") for e in reply.elements("cdrInfoArray")]

    def test_archived_cdr_sent_as_another_is_refused(self, later: Edge) -> None:
        reply = later.call(
            "cpo",
            "AddCDRs",
            cdr_xml(cdr_id=cdr_id(1), evse_id="DE*CPO*E1234*1", meter_id="OTHER"),
        )
        assert reply.result == "format"
        assert [e.text for e in reply.elements("implausibleCdrsArray")] == [cdr_id(1)]
        assert "approved already" in reply.description

    def test_archived_cdr_takes_no_step(self, later: Edge) -> None:
        for status in ("revised", "rejected"):
            assert send_cdr(later, 1, evse_id="DE*CPO*E1234*1", status=status) == "format"

    def test_late_repeat_of_a_rejection(self, later: Edge) -> None:
        assert send_cdr(later, 2, evse_id="DE*CPO*E1234*2", status="rejected") == "ok"

    def test_confirmation_repeated(self, later: Edge) -> None:
        entry = confirmation_xml("approved", cdr_id(1), "DE*CPO*E1234*1")
        assert later.call("emp", "ConfirmCDRs", entry).result == "ok"

    def test_confirmation_of_the_opposite(self, later: Edge) -> None:
        entry = confirmation_xml("declined", cdr_id(1), "DE*CPO*E1234*1")
        reply = later.call("emp", "ConfirmCDRs", entry)
        assert reply.result == "format"
        assert "the CDR is approved" in reply.description

    def test_operator_is_told_in_which_file_it_is(
        self, later: Edge, run: Run, archive: Path
    ) -> None:
        (name,) = [n for n in files.names_on_disk(archive) if n.startswith("cdrs/")]
        assert name in run("cdr", "show", cdr_id(1)).error


class TestFiles:
    def test_one_for_each_day_with_a_checksum_that_sha256sum_reads(
        self, edge: Edge, clock: Clock, archive: Path
    ) -> None:
        market(edge)
        for number in range(3):
            assert send_cdr(edge, number) == "ok"
            assert confirm_cdr(edge, number) == "ok"
            clock.turn(days=1)
        clock.turn(days=TEN_YEARS + 1)
        retention(edge.database, clock, archive).run()

        names = [name for name in files.names_on_disk(archive) if name.startswith("cdrs/")]
        assert [str(day_in_name(name)) for name in names] == [
            "2026-01-06",
            "2026-01-07",
            "2026-01-08",
        ]
        for name in names:
            path = archive / name
            checked = subprocess.run(
                ["sha256sum", "--check", f"{path.name}.sha256"],
                cwd=path.parent,
                check=False,
                capture_output=True,
            )
            assert checked.returncode == 0
        with edge.database.begin() as connection:
            known = {file.name: file for file in archives.list_files(connection)}
        content = (archive / names[0]).read_bytes()
        assert known[names[0]].sha256 == hashlib.sha256(content).hexdigest()
        lines = [json.loads(line) for line in gzip.decompress(content).splitlines()]
        assert (lines[0]["day"], lines[-1]) == ("2026-01-06", {"records": 1})

    def test_messages_with_their_notes(self, house: Edge, clock: Clock, archive: Path) -> None:
        messages, notes = count(house.database, "message"), count(house.database, "message_note")
        clock.turn(days=91)
        assert retention(house.database, clock, archive).run()["messages"] == messages
        assert count(house.database, "message_note") == 0
        found = list(archived(archive, "messages"))
        whole = {record["reference"]: record for record in found if "reference" in record}
        said = [record for record in found if "note_on" in record]
        assert (len(whole), len(said)) == (messages, notes)
        refused = next(note for note in said if note["kind"] == "refused")
        assert whole[refused["note_on"]]["partner"] == "cpo"
        assert refused["rule"] == "total-cost"

    def test_directory_that_cannot_be_written_erases_nothing(
        self, house: Edge, clock: Clock, archive: Path
    ) -> None:
        archive.write_text("a file in the way", encoding="utf-8")
        clock.turn(days=TEN_YEARS + 1)
        with pytest.raises(ArchiveUnavailable, match="OCHP_CHS_ARCHIVE_DIR"):
            retention(house.database, clock, archive).run()
        assert count(house.database, "cdr") == 4


#: Where the process is killed: a function, and whether before it does its work or after.
_KILLS: list[tuple[object, str, bool]] = [
    (archives, "begin_file", True),
    (files, "_write_lines", False),
    (files, "_read_back", True),
    (files, "write", True),
    (outdated.CDRS, "erase", True),
    (running, "upsert_digests", True),
    (archives, "finish_file", True),
    (archives, "keep_lock", False),
]


class TestKilled:
    @pytest.mark.parametrize(
        ("owner", "name", "after"), _KILLS, ids=[f"{kill[1]}-{kill[2]}" for kill in _KILLS]
    )
    def test_at_any_step_nothing_is_lost_or_doubled(
        self,
        house: Edge,
        clock: Clock,
        archive: Path,
        postgres_url: str,
        owner: object,
        name: str,
        after: bool,
    ) -> None:
        clock.turn(days=TEN_YEARS + 1)
        _in_killed_child(postgres_url, clock, archive, owner, name, after=after)
        # Each record is in the database, or in a file that the database knows.
        with house.database.begin() as connection:
            known = {file.name for file in archives.list_files(connection)}
        done = sum(1 for n in known if n.startswith("cdrs/") for _ in files.read(archive, n))
        assert done + count(house.database, "cdr", "status IN ('approved', 'rejected')") == 2

        retention(house.database, clock, archive).run()

        assert sorted(str(r["cdr_id"]) for r in archived(archive, "cdrs")) == [
            cdr_id(1),
            cdr_id(2),
        ]
        whole = [r for r in archived(archive, "messages") if "reference" in r]
        assert len({r["reference"] for r in whole}) == len(whole) == 9
        assert count(house.database, "cdr") == 2
        assert count(house.database, "archive_file", "state = 'writing'") == 0
        assert not list(archive.rglob("*.unfinished"))

    def test_connection_lost_in_the_commit(
        self, house: Edge, clock: Clock, archive: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock.turn(days=TEN_YEARS + 1)
        finish = archives.finish_file

        def finish_and_break(connection: sa.Connection, *args: object, **named: object) -> None:
            finish(connection, *args, **named)  # type: ignore[arg-type]
            pid = connection.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
            with house.database.begin() as other:
                other.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})

        monkeypatch.setattr(archives, "finish_file", finish_and_break)
        with pytest.raises(sa.exc.OperationalError):
            retention(house.database, clock, archive).run()
        monkeypatch.undo()
        assert count(house.database, "cdr") == 4
        retention(house.database, clock, archive).run()
        assert len(list(archived(archive, "cdrs"))) == 2


def _in_killed_child(
    url: str, clock: Clock, archive: Path, owner: object, name: str, *, after: bool
) -> None:
    """Run retention in a child that is killed at a function."""
    with warnings.catch_warnings():
        # Of threads that an earlier test may have left: the child has no use for what they hold.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
        return
    try:
        real: Callable[..., object] = getattr(owner, name)

        def kill(*arguments: object, **named: object) -> None:
            if after:
                real(*arguments, **named)
            os.kill(os.getpid(), signal.SIGKILL)

        target = owner
        if isinstance(owner, outdated.Kind):
            object.__setattr__(target, name, kill)
        else:
            setattr(target, name, kill)
        retention(Database(url), clock, archive).run()
    finally:
        os._exit(1)


class TestSeveralNodes:
    def test_second_one_finds_the_first_at_it(
        self, house: Edge, clock: Clock, archive: Path
    ) -> None:
        clock.turn(days=TEN_YEARS + 1)
        with house.database.begin() as guard:
            assert archives.try_lock(guard)
            with pytest.raises(RetentionBusy):
                retention(house.database, clock, archive).run()
            assert retention(house.database, clock, archive).run_if_due() is None
        assert count(house.database, "cdr") == 4

    def test_not_due_again_until_the_interval_is_over(
        self, house: Edge, clock: Clock, archive: Path
    ) -> None:
        clock.turn(days=TEN_YEARS + 1)
        node = retention(house.database, clock, archive, interval_s=3600)
        assert node.run_if_due() is not None
        clock.turn(seconds=3599)
        assert node.run_if_due() is None
        clock.turn(seconds=1)
        assert node.run_if_due() is not None


class TestPruning:
    def test_changes_go_that_no_record_carries_and_every_delta_is_the_same(
        self, edge: Edge, clock: Clock, archive: Path
    ) -> None:
        market(edge)
        for expiry in range(5):
            for instance in ("04AAAAAA", "04BBBBBB"):
                token = token_xml(instance, expiry=f"209{expiry}-01-01T00:00:00Z")
                assert edge.call("emp", "UpdateRoamingAuthorisationList", token).result == "ok"
        assert edge.call("emp", "SetRoamingAuthorisationList", token_xml("04CCCCCC")).result == "ok"
        with edge.database.begin() as connection:
            moments = connection.execute(sa.text("SELECT changed_at FROM change")).scalars().all()
        asked = [
            f"<lastUpdate><DateTime>{moment:%Y-%m-%dT%H:%M:%SZ}</DateTime></lastUpdate>"
            for moment in moments
        ]

        def deltas() -> list[list[str]]:
            return [
                sorted(
                    record.findtext(f"{O}EmtId/{O}instance") or ""
                    for record in edge.call(
                        "cpo", "GetRoamingAuthorisationListUpdates", content
                    ).elements("roamingAuthorisationInfo")
                )
                for content in asked
            ]

        before = deltas()
        assert before[0] == ["04AAAAAA", "04BBBBBB", "04CCCCCC"]
        assert count(edge.database, "change") == 11
        assert retention(edge.database, clock, None).run()["changes"] == 10
        assert count(edge.database, "change") == 1
        assert deltas() == before

    def test_change_of_an_upload_that_commits_meanwhile_stays(
        self, edge: Edge, clock: Clock
    ) -> None:
        market(edge)
        edge.call("emp", "SetRoamingAuthorisationList", token_xml("04AAAAAA"))
        with edge.database.begin() as uploading:
            # Moves the token to a newer change and has not committed yet.
            uploading.execute(sa.text("UPDATE token SET change_id = 1000"))
            uploading.execute(
                sa.text("INSERT INTO change VALUES (1000, 'tokens', clock_timestamp())")
            )
            with edge.database.begin() as connection:
                assert pruning.prune_changes(connection, pruning.TOKENS) == 0
        with edge.database.begin() as connection:
            assert pruning.prune_changes(connection, pruning.TOKENS) == 1
        assert count(edge.database, "change", "id = 1000") == 1

    def test_live_states_that_ended_long_ago_of_what_is_not_there(
        self, edge: Edge, clock: Clock
    ) -> None:
        market(edge)
        clock.turn(days=0)
        sent = "".join(
            f'<evse major="available" ttl="{ttl}"><evseId>DE*CPO*E{evse}</evseId></evse>'
            for evse, ttl in (("GONE1", "2026-01-06T10:00:00Z"), ("LATE1", "2026-03-01T10:00:00Z"))
        )
        assert edge.call("cpo", "UpdateStatus", sent).result == "ok"
        clock.turn(days=30)
        assert "live_states" not in retention(edge.database, clock, None).run()
        clock.turn(days=1)
        assert retention(edge.database, clock, None).run()["live_states"] == 1
        assert count(edge.database, "live_status", "key = 'DECPOELATE1'") == 1


class TestTraffic:
    def test_many_messages_do_not_hold_up_uploads(
        self, house: Edge, clock: Clock, archive: Path
    ) -> None:
        with house.database.begin() as connection:
            connection.execute(
                sa.text(
                    "INSERT INTO message (reference, partner_id, operation, received_at, result,"
                    " description, records_read, records_refused, records_repaired,"
                    " records_warned, records_changed, records_withdrawn)"
                    " SELECT 'old' || n, p.id, 'AddCDRs', :at, 'ok', 'Complete.', 1, 0, 0, 0, 1, 0"
                    " FROM generate_series(1, 12000) n, partner p WHERE p.name = 'cpo'"
                ),
                {"at": NOW},
            )
        clock.turn(days=91)
        slowest = 0.0
        done: list[object] = []
        job = threading.Thread(
            target=lambda: done.append(retention(house.database, clock, archive).run())
        )
        job.start()
        number = 100
        while job.is_alive():
            began = time.monotonic()
            assert house.call("cpo", "AddCDRs", cdr_xml(cdr_id=cdr_id(number))).result is not None
            slowest = max(slowest, time.monotonic() - began)
            number += 1
        assert done[0]["messages"] == 12_009  # type: ignore[index]
        assert slowest < 5


class TestCommands:
    @pytest.fixture(autouse=True)
    def settings(self, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OCHP_CHS_ARCHIVE_DIR", str(archive))
        monkeypatch.setenv("OCHP_CHS_SECRET_KEY", "s" * 32)
        monkeypatch.setenv("OCHP_CHS_MESSAGE_RETENTION_DAYS", "1")

    def test_dry_run_tells_and_touches_nothing(self, house: Edge, run: Run, archive: Path) -> None:
        assert run("retention", "run", "--dry-run", "--json").json == {
            "cdrs": 0,
            "messages": 9,
            "tariffs": 0,
        }
        assert "messages" in run("retention", "run", "--dry-run").out
        assert count(house.database, "message") == 9
        assert not archive.exists()

    def test_run_and_status(self, house: Edge, run: Run, archive: Path) -> None:
        assert run("retention", "run", "--json").json["messages"] == 9
        status = run("retention", "status", "--verify", "--json").json
        kinds = {kind["kind"]: kind for kind in status["kinds"]}
        assert kinds["messages"]["files"] == 1
        assert status["last_run"]["counts"]["messages"] == 9
        assert (status["damaged"], status["unknown"]) == ([], [])
        assert run("retention", "run").out.strip() == "There was nothing to do."
        assert "messages" in run("retention", "status").out

    def test_secret_that_cannot_be_read(
        self, house: Edge, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("OCHP_CHS_SECRET_KEY")
        (tmp_path / "secret-key").write_text("short", encoding="ascii")
        monkeypatch.setenv("OCHP_CHS_DATA_DIR", str(tmp_path))
        assert "secret-key is damaged" in run("retention", "run").error

    def test_damaged_file_is_named(self, house: Edge, run: Run, archive: Path) -> None:
        run("retention", "run")
        (path,) = archive.rglob("*.jsonl.gz")
        path.write_bytes(path.read_bytes()[:-1] + b"\x01")
        found = run("retention", "status", "--verify")
        assert found.status == 1
        assert path.name in found.err
        path.unlink()
        assert run("retention", "status").status == 1

    def test_archive_that_is_of_no_use_any_more(
        self, house: Edge, run: Run, archive: Path, clock: Clock
    ) -> None:
        clock.turn(days=TEN_YEARS + 1)
        retention(house.database, clock, archive).run()
        assert "--yes" in run("retention", "discard", "cdrs", "--before=2026-01-07").error
        early = run("retention", "discard", "cdrs", "--before=2026-01-06", "--yes")
        assert early.out == "0 files with 0 records are gone\n"
        late = run("retention", "discard", "cdrs", "--before=2026-01-07", "--yes")
        assert late.out == "1 files with 2 records are gone\n"
        assert [name.partition("/")[0] for name in files.names_on_disk(archive)] == ["messages"]
        assert run("retention", "status", "--verify").status == 0
        assert "discarded" in run("cdr", "show", cdr_id(1)).error
        assert send_cdr(house, 1, evse_id="DE*CPO*E1234*1") == "ok"
        assert count(house.database, "cdr") == 2

    def test_file_that_nobody_knows_is_named_and_stays(
        self, house: Edge, run: Run, archive: Path
    ) -> None:
        run("retention", "run")
        stray = archive / "cdrs" / "2020" / "cdrs-2020-01-01-abc.jsonl.gz"
        stray.parent.mkdir(parents=True)
        stray.write_bytes(b"")
        run("retention", "run")
        status = run("retention", "status", "--json").json
        assert status["unknown"] == ["cdrs/2020/cdrs-2020-01-01-abc.jsonl.gz"]
