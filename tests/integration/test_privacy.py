"""A contract reported and erased: nothing of the person stays, nothing of the money goes."""

import hashlib
import json
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from ochp_chs.clearing.errors import RetentionBusy
from ochp_chs.clearing.privacy.erase import Erased, Erasure
from ochp_chs.clearing.privacy.report import Asker, as_json, report
from ochp_chs.clearing.privacy.subject import ContractIdInvalid
from ochp_chs.clearing.retention import files
from ochp_chs.repository import archives
from tests.support.cdrs import NOW, cdr_xml
from tests.support.commands import Run
from tests.support.edge import Clock, Edge, O
from tests.support.endpoints import provider_xml
from tests.support.retention import (
    TEN_YEARS,
    VAULT,
    archived,
    cdr_id,
    confirm_cdr,
    count,
    dump,
    market,
    retention,
    send_cdr,
)
from tests.support.tokens import token_xml

CONTRACT = "DE-EMP-C00000001"
INSTANCE = "04A1B2C3D4"
OTHERS = {"contract_id": "DE-EMP-C00000002", "instance": "04FFFFFFFF"}

#: What must not be left of the person, in any of the ways in which it was sent.
TRACES = (
    "EMP-C00000001",
    "empc00000001",
    "EMPC00000001",
    INSTANCE,
    INSTANCE.lower(),
    "7788990011",
    hashlib.sha256(INSTANCE.encode()).hexdigest(),
)

MOMENT = "<lastUpdate><DateTime>2000-01-01T00:00:00Z</DateTime></lastUpdate>"


@pytest.fixture
def clock() -> Clock:
    """The day after the session of the example."""
    return Clock(NOW)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A directory that is not there yet."""
    return tmp_path / "archive"


@pytest.fixture
def house(edge: Edge) -> Edge:
    """The contract's token; its CDRs 1 approved after a revision, 2 refused, 3 accepted.

    Another contract has a token and the approved CDR 4.
    """
    market(edge)
    tokens = [
        token_xml(INSTANCE, contract_id=CONTRACT, printed_number="7788990011"),
        token_xml(OTHERS["instance"], contract_id=OTHERS["contract_id"]),
        # Refused, and logged by its ID.
        token_xml(INSTANCE, contract_id="NL-XYZ-C00000001"),
    ]
    assert edge.call("emp", "SetRoamingAuthorisationList", "".join(tokens)).result == "partly"
    assert send_cdr(edge, 1, contract_id="deempc00000001") == "ok"
    assert confirm_cdr(edge, 1, "declined") == "ok"
    assert send_cdr(edge, 1, status="revised", total_cost="3.00", meter_id="M1") == "ok"
    assert confirm_cdr(edge, 1) == "ok"
    assert send_cdr(edge, 2, contract_id="DE-EMP-C00000001-9", total_cost="77.00") == "format"
    hashed = hashlib.sha256(INSTANCE.encode()).hexdigest()
    assert send_cdr(edge, 3, instance=hashed, representation="sha-256") == "ok"
    assert send_cdr(edge, 4, **OTHERS) == "ok"
    assert confirm_cdr(edge, 4) == "ok"
    return edge


def erasure(house: Edge, clock: Clock, archive: Path | None = None) -> Erasure:
    return Erasure(house.database, archive, VAULT, clock, timedelta(days=30))


def erase(house: Edge, clock: Clock, archive: Path | None = None) -> Erased:
    return erasure(house, clock, archive).erase(CONTRACT, Asker("dpo", "ticket 7"))


def traces(house: Edge) -> list[str]:
    text = dump(house.database)
    return [trace for trace in TRACES if trace in text]


def approved(house: Edge, number: int) -> dict[str, str | None]:
    """A CDR as its owner is given it; the answer is valid, or this fails."""
    asked = "<cdrStatus><CdrStatusType>approved</CdrStatusType></cdrStatus>"
    for cdr in house.call("emp", "GetCDRs", asked).elements("cdrInfoArray"):
        if cdr.findtext(f"{O}CdrId") == cdr_id(number):
            return {
                "contract": cdr.findtext(f"{O}contractId"),
                "instance": cdr.findtext(f"{O}emtId/{O}instance"),
                "total": cdr.findtext(f"{O}totalCost"),
                "energy": cdr.findtext(f"{O}chargingPeriods/{O}billingValue"),
                "evse": cdr.findtext(f"{O}evseId"),
            }
    raise AssertionError(f"CDR {number} is not there")


def tokens_in_delta(house: Edge) -> dict[str | None, str | None]:
    reply = house.call("cpo", "GetRoamingAuthorisationListUpdates", MOMENT)
    return {
        record.findtext(f"{O}EmtId/{O}instance"): record.findtext(f"{O}expiryDate/{O}DateTime")
        for record in reply.elements("roamingAuthorisationInfo")
    }


class TestReport:
    @pytest.mark.parametrize("text", [CONTRACT, "deempc00000001", "DE-EMP-C00000001-9"])
    def test_everything_in_any_notation(self, house: Edge, clock: Clock, text: str) -> None:
        made = report(house.database, None, VAULT, clock, text, Asker("dpo"))
        told = as_json(made)
        assert made.counts["tokens"] == 1
        assert [cdr["cdr_id"] for cdr in told["cdrs"]] == [cdr_id(1), cdr_id(3)]
        assert len(told["cdrs"][0]["versions"]) == 2
        assert [step["event"] for step in told["cdrs"][0]["steps"]] == [
            "submit",
            "decline",
            "revise",
            "approve",
        ]
        records = {note.get("record_id") for note in told["message_log"]}
        assert f"token {INSTANCE} of NL-XYZ-C00000001" in records
        assert json.loads(json.dumps(told)) == told

    def test_is_logged_without_what_it_tells(self, house: Edge, clock: Clock) -> None:
        for name in ("dpo", "auditor"):
            made = report(house.database, None, VAULT, clock, CONTRACT, Asker(name, "ticket 7"))
        assert [(action.action, action.by) for action in made.actions] == [("report", "dpo")]
        with house.database.begin() as connection:
            rows = connection.execute(sa.text("SELECT to_jsonb(a)::text FROM privacy_action a"))
            logged = "\n".join(rows.scalars())
        assert '"by": "auditor"' in logged
        assert '"cdrs": 2' in logged
        assert not [trace for trace in TRACES if trace in logged]

    def test_archive_is_part_of_it(self, house: Edge, clock: Clock, archive: Path) -> None:
        clock.turn(days=TEN_YEARS + 1)
        retention(house.database, clock, archive).run()
        made = report(house.database, archive, VAULT, clock, CONTRACT, Asker("dpo"))
        assert made.counts["archive_files"] == 2
        files_told = [found["file"] for found in as_json(made)["archive"]]
        assert sorted(name.partition("/")[0] for name in files_told) == ["cdrs", "messages"]

    def test_archive_that_is_not_here_is_named(
        self, house: Edge, clock: Clock, archive: Path
    ) -> None:
        clock.turn(days=91)
        retention(house.database, clock, archive).run()
        made = report(house.database, None, VAULT, clock, CONTRACT, Asker("dpo"))
        assert made.counts["archive_files_unreadable"] == 1

    def test_endpoint_for_this_contract(self, house: Edge, clock: Clock) -> None:
        sent = provider_xml("t" * 20, whitelist=["DEEMPC00000001"]) + provider_xml("u" * 20)
        assert house.call("emp", "AddServiceEndpoints", sent).result == "ok"
        made = report(house.database, None, VAULT, clock, CONTRACT, Asker("dpo"))
        assert [day for day, _ in made.endpoints] == ["2099-12-31"]

    def test_text_that_is_no_contract(self, house: Edge, clock: Clock) -> None:
        with pytest.raises(ContractIdInvalid):
            report(house.database, None, VAULT, clock, "04A1B2C3D4", Asker("dpo"))


class TestErase:
    def test_nothing_of_the_person_is_left_in_the_end(self, house: Edge, clock: Clock) -> None:
        before = approved(house, 1)
        first = erase(house, clock)
        assert (first.cdrs, first.cdrs_waiting, first.tokens_waiting) == (1, 1, 1)
        assert confirm_cdr(house, 3) == "ok"
        clock.turn(days=31)
        counts = retention(house.database, clock, None).run()
        assert (counts["erased_tokens"], counts["erased_cdrs"]) == (1, 1)

        assert traces(house) == []
        expected = {"contract": "DE-EMP-ERASED000", "instance": "ERASED"}
        assert approved(house, 1) == before | expected
        assert approved(house, 3)["instance"] == "ERASED"
        assert approved(house, 4)["instance"] == OTHERS["instance"]
        assert count(house.database, "cdr_step") == 8

    def test_everybody_who_did_something_is_logged(self, house: Edge, clock: Clock) -> None:
        erase(house, clock)
        confirm_cdr(house, 3)
        clock.turn(days=31)
        retention(house.database, clock, None).run()
        made = report(house.database, None, VAULT, clock, CONTRACT, Asker("auditor"))
        done = [(action.action, action.reason) for action in made.actions]
        assert done == [("erase", "ticket 7"), ("erase-rest", None), ("erase-rest", None)]
        assert made.actions[0].counts["cdrs"] == 1
        assert made.actions[1].by.startswith("retention on ")

    def test_token_is_withdrawn_before_it_goes(self, house: Edge, clock: Clock) -> None:
        assert tokens_in_delta(house)[INSTANCE] == "2099-12-31T23:59:59Z"
        erase(house, clock)
        assert tokens_in_delta(house)[INSTANCE] == NOW.strftime("%Y-%m-%dT%H:%M:%SZ")
        asked = f"<emtId><instance>{INSTANCE}</instance><tokenType>rfid</tokenType></emtId>"
        assert house.call("cpo", "GetSingleRoamingAuthorisation", asked).result == "invalid-id"
        records = house.call("cpo", "GetRoamingAuthorisationList").elements(
            "roamingAuthorisationInfoArray"
        )
        assert [r.findtext(f"{O}EmtId/{O}instance") for r in records] == [OTHERS["instance"]]
        assert "7788990011" not in traces(house)
        clock.turn(days=29)
        retention(house.database, clock, None).run()
        assert INSTANCE in tokens_in_delta(house)
        clock.turn(days=2)
        retention(house.database, clock, None).run()
        assert set(tokens_in_delta(house)) == {OTHERS["instance"]}

    def test_token_that_its_provider_sends_again_stays(self, house: Edge, clock: Clock) -> None:
        erase(house, clock)
        sent = token_xml(INSTANCE, contract_id=CONTRACT)
        assert house.call("emp", "UpdateRoamingAuthorisationList", sent).result == "ok"
        clock.turn(days=31)
        assert "erased_tokens" not in retention(house.database, clock, None).run()
        assert tokens_in_delta(house)[INSTANCE] == "2099-12-31T23:59:59Z"

    def test_token_that_was_withdrawn_long_ago_goes_at_once(
        self, house: Edge, clock: Clock
    ) -> None:
        others = token_xml(OTHERS["instance"], contract_id=OTHERS["contract_id"])
        house.call("emp", "SetRoamingAuthorisationList", others)
        with house.database.begin() as connection:
            connection.execute(sa.text("UPDATE change SET changed_at = :at"), {"at": NOW})
        clock.turn(days=31)
        erased = erase(house, clock)
        assert (erased.tokens, erased.tokens_waiting) == (1, 0)
        assert count(house.database, "token") == 1

    def test_open_cdr_keeps_what_it_is_billed_by(self, house: Edge, clock: Clock) -> None:
        erase(house, clock)
        retention(house.database, clock, None).run()
        (waiting,) = house.call("emp", "GetCDRs").elements("cdrInfoArray")
        assert waiting.findtext(f"{O}contractId") == CONTRACT
        assert confirm_cdr(house, 3, "declined") == "ok"
        assert send_cdr(house, 3, status="revised", meter_id="M3") == "ok"
        assert confirm_cdr(house, 3) == "ok"
        assert retention(house.database, clock, None).run()["erased_cdrs"] == 1
        assert approved(house, 3)["contract"] == "DE-EMP-ERASED000"

    def test_late_repeat_is_still_known_for_one(self, house: Edge, clock: Clock) -> None:
        erase(house, clock)
        assert send_cdr(house, 1, contract_id="deempc00000001") == "ok"
        assert send_cdr(house, 1, contract_id="deempc00000001", meter_id="M9") == "format"
        assert approved(house, 1)["contract"] == "DE-EMP-ERASED000"

    def test_again_changes_nothing_more(self, house: Edge, clock: Clock) -> None:
        erase(house, clock)
        second = erase(house, clock)
        assert (second.cdrs, second.log_texts, second.cdrs_waiting) == (0, 0, 1)

    def test_others_keep_their_log(self, house: Edge, clock: Clock) -> None:
        refused = cdr_xml(cdr_id=cdr_id(9), total_cost="5.00", **OTHERS)
        house.call("cpo", "AddCDRs", refused)
        where = "record_id = 'DECPO0000000009'"
        before = count(house.database, "message_note", where)
        erase(house, clock)
        assert count(house.database, "message_note", where) == before
        assert OTHERS["instance"] in dump(house.database)

    def test_not_while_the_archive_is_written(self, house: Edge, clock: Clock) -> None:
        with house.database.begin() as guard:
            assert archives.try_lock(guard)
            with pytest.raises(RetentionBusy):
                erase(house, clock)


class TestEraseFromArchive:
    @pytest.fixture
    def old(self, house: Edge, clock: Clock, archive: Path) -> Edge:
        """Everything final is in the archive."""
        confirm_cdr(house, 3)
        clock.turn(days=TEN_YEARS + 1)
        retention(house.database, clock, archive).run()
        return house

    def contents(self, archive: Path) -> str:
        return "".join(
            line for name in files.names_on_disk(archive) for line in files.read(archive, name)
        )

    def test_files_are_written_anew_without_the_person(
        self, old: Edge, clock: Clock, archive: Path
    ) -> None:
        before = len(list(archived(archive, "cdrs"))), len(list(archived(archive, "messages")))
        assert INSTANCE in self.contents(archive)
        erased = erase(old, clock, archive)
        assert (erased.archive_files, erased.archive_files_unreadable) == (2, [])
        assert [trace for trace in TRACES if trace in self.contents(archive)] == []
        after = len(list(archived(archive, "cdrs"))), len(list(archived(archive, "messages")))
        assert after == before
        money = {str(r["cdr_id"]): str(r["versions"]) for r in archived(archive, "cdrs")}
        assert "<totalCost>3.00</totalCost>" in money[cdr_id(1)]
        assert OTHERS["instance"] in money[cdr_id(4)]
        with old.database.begin() as connection:
            known = archives.list_files(connection)
        for file in known:
            files.check(archive, file.name, file.sha256)
        assert sorted(files.names_on_disk(archive)) == sorted(file.name for file in known)

    def test_repeat_of_an_archived_cdr_is_still_known(
        self, old: Edge, clock: Clock, archive: Path
    ) -> None:
        erase(old, clock, archive)
        assert send_cdr(old, 1, contract_id="deempc00000001") == "ok"
        assert count(old.database, "cdr") == 0

    def test_broken_off_between_two_files(
        self, old: Edge, clock: Clock, archive: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Killed(BaseException):
            """As a SIGKILL: nobody catches it."""

        remove = files.remove

        def die(*_: object) -> None:
            raise Killed

        monkeypatch.setattr(files, "remove", die)
        with pytest.raises(Killed):
            erase(old, clock, archive)
        monkeypatch.setattr(files, "remove", remove)
        # The old file is still there: the next run of either kind takes it away.
        erase(old, clock, archive)
        assert [trace for trace in TRACES if trace in self.contents(archive)] == []
        assert list(archived(archive, "cdrs"))


class TestCommands:
    @pytest.fixture(autouse=True)
    def secret(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OCHP_CHS_SECRET_KEY", "s" * 32)

    def test_report_for_people_and_programs(self, house: Edge, run: Run) -> None:
        told = run("privacy", "report", CONTRACT, "--by", "Ms Data", "--json").json
        assert told["counts"]["cdrs"] == 2
        shown = run("privacy", "report", CONTRACT).out
        assert cdr_id(1) in shown
        assert "by Ms Data (" in shown

    def test_erase_asks_first(self, house: Edge, run: Run) -> None:
        assert "--yes" in run("privacy", "erase", CONTRACT).error
        assert INSTANCE in traces(house)

    def test_erase(self, house: Edge, run: Run) -> None:
        erased = run("privacy", "erase", CONTRACT, "--yes", "--reason", "ticket 7", "--json").json
        assert (erased["cdrs"], erased["cdrs_waiting"]) == (1, 1)
        assert "1 CDRs are not final" in run("privacy", "erase", CONTRACT, "--yes").out

    def test_archive_out_of_reach_is_an_error(
        self, house: Edge, run: Run, clock: Clock, archive: Path
    ) -> None:
        clock.turn(days=91)
        retention(house.database, clock, archive).run()
        finished = run("privacy", "erase", CONTRACT, "--yes")
        assert finished.status == 1
        assert "1 archive files could not be read" in finished.err

    def test_no_contract_id(self, house: Edge, run: Run) -> None:
        assert "is not a contract ID" in run("privacy", "report", "ABC").error
