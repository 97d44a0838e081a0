"""``ochp-chs cdr`` and ``ochp-chs rule`` on what the partners did over SOAP."""

import csv
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from tests.support.cdrs import NOW, cdr_xml, confirmation_xml, period_xml
from tests.support.cli import Commands
from tests.support.edge import Clock, Edge

CDR = "DECPO0000000001"


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def pair(edge: Edge) -> Edge:
    """A CPO and an EMP, connected, and an EMP that is not."""
    edge.partner("cpo", "cpo", "DE*CPO")
    edge.partner("emp", "emp", "DE-EMP")
    edge.partner("emp2", "emp", "NL-EM2")
    edge.connect("cpo", "emp")
    return edge


@pytest.fixture
def run(
    pair: Edge,
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Commands:
    return Commands(postgres_url, monkeypatch, capsys)


def add(edge: Edge, *cdrs: str) -> str | None:
    return edge.call("cpo", "AddCDRs", "".join(cdrs)).result


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


class TestList:
    def test_last_one_first_with_status_and_parties(self, pair: Edge, run: Commands) -> None:
        add(pair, cdr_xml(), cdr_xml(cdr_id="DECPO2", evse_id="DE*CPO*E2"))
        pair.call("emp", "ConfirmCDRs", confirmation_xml("approved"))
        found = run("cdr", "list", "--json").json
        assert [(each["cdr_id"], each["status"]) for each in found] == [
            ("DECPO2", "accepted"),
            (CDR, "approved"),
        ]
        assert found[1]["evse_id"] == "DE*CPO*E1234*1"
        assert (found[1]["operator"], found[1]["provider"]) == ("DECPO", "DEEMP")
        assert (found[1]["total_cost"], found[1]["currency"]) == ("3.00", "EUR")
        table = run("cdr", "list").out
        assert "3.00 EUR" in table
        assert "DE*CPO*E1234*1" in table

    @pytest.mark.parametrize(
        ("arguments", "ids"),
        [
            (["--status", "approved"], [CDR]),
            (["--partner", "cpo"], ["DECPO2", CDR]),
            (["--partner", "emp"], ["DECPO2", CDR]),
            (["--partner", "emp2"], []),
            (["--partner", "emp", "--status", "accepted"], ["DECPO2"]),
            (["--limit", "1"], ["DECPO2"]),
        ],
    )
    def test_only_some(
        self, pair: Edge, run: Commands, arguments: list[str], ids: list[str]
    ) -> None:
        add(pair, cdr_xml(), cdr_xml(cdr_id="DECPO2", evse_id="DE*CPO*E2"))
        pair.call("emp", "ConfirmCDRs", confirmation_xml("approved"))
        found = run("cdr", "list", "--json", *arguments).json
        assert [each["cdr_id"] for each in found] == ids

    def test_says_that_there_may_be_more(self, pair: Edge, run: Commands) -> None:
        add(pair, cdr_xml(), cdr_xml(cdr_id="DECPO2", evse_id="DE*CPO*E2"))
        assert "more than these 1" in run("cdr", "list", "--limit", "1").out
        assert "more than" not in run("cdr", "list").out

    def test_nothing_there(self, run: Commands) -> None:
        assert run("cdr", "list").out == "There are no such CDRs.\n"

    def test_unknown_partner(self, run: Commands) -> None:
        assert run("cdr", "list", "--partner", "x").error == "There is no partner named 'x'."


class TestShow:
    def test_whole_history(self, pair: Edge, run: Commands, clock: Clock) -> None:
        assert add(pair, cdr_xml()) == "ok"
        clock.turn(hours=1)
        pair.call("emp", "ConfirmCDRs", confirmation_xml("declined"))
        clock.turn(hours=1)
        assert add(pair, cdr_xml(meter_id="M9")) == "format"
        assert add(pair, cdr_xml(status="revised", meter_id="M2")) == "ok"
        found = run("cdr", "show", CDR, "--json").json
        (cdr,) = found["cdrs"]
        steps = [(s["partner"], s["event"], s["from"], s["to"], s["version"]) for s in cdr["steps"]]
        assert steps == [
            ("cpo", "submit", None, "accepted", 1),
            ("emp", "decline", "accepted", "declined", 1),
            ("cpo", "revise", "declined", "revised", 2),
        ]
        assert [step["at"][:16] for step in cdr["steps"]] == [
            "2026-01-06T09:00",
            "2026-01-06T10:00",
            "2026-01-06T11:00",
        ]
        first, second = cdr["versions"]
        assert "<meterId>" not in first["content"]
        assert "<meterId>M2</meterId>" in second["content"]
        assert second["message"] == cdr["steps"][2]["message"]
        # The token is in no list: a warning that was kept with the version.
        assert "token-listed" in [warning["rule"] for warning in first["warnings"]]
        refused = [note for note in found["notes"] if note["kind"] == "refused"]
        assert [(note["rule"], note["partner"]) for note in refused] == [("cdr-status-flow", "cpo")]

    def test_for_people(self, pair: Edge, run: Commands) -> None:
        add(pair, cdr_xml())
        pair.call("emp", "ConfirmCDRs", confirmation_xml("declined"))
        add(pair, cdr_xml(status="revised", meter_id="M2"))
        text = run("cdr", "show", CDR).out
        assert "declined -> revised" in text
        assert "meterId: - -> M2" in text
        assert "warning token-listed" in text
        assert "Nothing of it was ever refused" in text

    def test_never_taken_in(self, pair: Edge, run: Commands) -> None:
        add(pair, cdr_xml(total_cost="4.00", currency="XYZ"))
        text = run("cdr", "show", CDR).out
        assert "was never taken in" in text
        assert "total-cost" in text
        assert "currency-code" in text
        found = run("cdr", "show", CDR, "--json").json
        assert found["cdrs"] == []
        assert {note["message"] for note in found["notes"]} == {found["notes"][0]["message"]}

    def test_confirmation_that_was_refused(self, pair: Edge, run: Commands) -> None:
        pair.call("emp", "ConfirmCDRs", confirmation_xml("approved"))
        (note,) = run("cdr", "show", CDR, "--json").json["notes"]
        assert (note["operation"], note["partner"], note["rule"]) == (
            "ConfirmCDRs",
            "emp",
            "cdr-unknown",
        )

    def test_one_id_on_two_evses(self, pair: Edge, run: Commands) -> None:
        run("rule", "set", "cdr-id-operator", "--severity", "off")
        add(pair, cdr_xml(cdr_id="0001"), cdr_xml(cdr_id="0001", evse_id="DE*CPO*E2"))
        assert len(run("cdr", "show", "0001", "--json").json["cdrs"]) == 2
        (cdr,) = run("cdr", "show", "0001", "--evse", "decpoe2", "--json").json["cdrs"]
        assert cdr["evse_id"] == "DE*CPO*E2"

    def test_unknown(self, pair: Edge, run: Commands) -> None:
        add(pair, cdr_xml())
        assert run("cdr", "show", "X").error == "There is no CDR with the ID 'X'."
        other = run("cdr", "show", CDR, "--evse", "DE*CPO*E9").error
        assert other == f"There is no CDR with the ID '{CDR}' on the EVSE DE*CPO*E9."
        assert run("cdr", "show", CDR, "--evse", "E9").error.startswith("'E9' is not an EVSE-ID")


class TestExportCsv:
    def test_amounts_are_the_texts_that_were_sent(self, pair: Edge, run: Commands) -> None:
        period = period_xml(value="1.0E1", price="+0.3000", cost="3.000")
        add(pair, cdr_xml(periods=[period], total_cost="+3.0"))
        (row,) = rows_of(run("cdr", "export", "--format", "csv").out)
        assert (row["totalCost"], row["currency"]) == ("+3.0", "EUR")
        assert row["sumOfCosts"] == "3.000"
        assert row["energyKwh"] == "10"
        assert row["startDateTime"] == "2026-01-05T10:00:00+01:00"
        (row,) = rows_of(run("cdr", "export", "--format", "csv", "--periods").out)
        assert (row["billingValue"], row["itemPrice"]) == ("1.0E1", "+0.3000")

    def test_costs_that_were_not_sent_are_multiplied(self, pair: Edge, run: Commands) -> None:
        periods = [period_xml(value="0.1", price="0.3"), period_xml(value="0.2", price="0.1")]
        assert add(pair, cdr_xml(periods=periods, total_cost=None)) == "ok"
        (row,) = rows_of(run("cdr", "export", "--format", "csv").out)
        assert (row["totalCost"], row["sumOfCosts"]) == ("", "0.05")

    def test_one_row_per_period(self, pair: Edge, run: Commands) -> None:
        periods = [period_xml(value="1", price="0.30"), period_xml("serviceFee", "1", "2.70")]
        add(pair, cdr_xml(periods=periods))
        rows = rows_of(run("cdr", "export", "--format", "csv", "--periods").out)
        assert [(r["CdrId"], r["period"], r["billingItem"]) for r in rows] == [
            (CDR, "1", "energy"),
            (CDR, "2", "serviceFee"),
        ]

    @pytest.mark.parametrize("sign", ["=", "+", "-", "@", " ="])
    def test_text_never_becomes_a_formula(self, pair: Edge, run: Commands, sign: str) -> None:
        evil = f"{sign}cmd|x!A1"
        assert add(pair, cdr_xml(meter_id=evil)) == "ok"
        (row,) = rows_of(run("cdr", "export", "--format", "csv").out)
        assert row["meterId"] == f"'{evil}"

    def test_oldest_first_and_only_some(self, pair: Edge, run: Commands) -> None:
        add(pair, cdr_xml(), cdr_xml(cdr_id="DECPO2", evse_id="DE*CPO*E2"))
        rows = rows_of(run("cdr", "export", "--format", "csv", "--partner", "emp").out)
        assert [row["CdrId"] for row in rows] == [CDR, "DECPO2"]
        out = run("cdr", "export", "--format", "csv", "--status", "declined").out
        assert rows_of(out) == []
        assert out.startswith("CdrId,status,")

    def test_to_a_file(self, pair: Edge, run: Commands, tmp_path: Path) -> None:
        add(pair, cdr_xml())
        path = tmp_path / "month.csv"
        done = run("cdr", "export", "--format", "csv", "-o", str(path))
        assert (done.status, done.out) == (0, f"1 CDRs in 1 rows are in {path}\n")
        assert rows_of(path.read_text(encoding="utf-8"))[0]["CdrId"] == CDR
        assert list(tmp_path.iterdir()) == [path]

    def test_file_that_cannot_be_written(self, run: Commands, tmp_path: Path) -> None:
        path = tmp_path / "nowhere" / "month.csv"
        done = run("cdr", "export", "--format", "csv", "-o", str(path))
        assert done.error == f"{path} cannot be written: No such file or directory"


class TestExportXlsx:
    def test_needs_a_name(self, run: Commands) -> None:
        error = run("cdr", "export", "--format", "xlsx").error
        assert error == "an XLSX file needs a name: --output FILE"

    def test_amounts_are_shown_as_they_were_sent(
        self, pair: Edge, run: Commands, tmp_path: Path
    ) -> None:
        add(
            pair,
            cdr_xml(total_cost="3.000"),
            cdr_xml(
                cdr_id="DECPO2",
                evse_id="DE*CPO*E2",
                meter_id="=1+1",
                total_cost="3.0000000000000001",
            ),
        )
        path = tmp_path / "month.xlsx"
        assert run("cdr", "export", "--format", "xlsx", "-o", str(path)).status == 0
        head, first, second = cells(path)
        shown = [dict(zip(head, row, strict=False)) for row in (first, second)]
        # A number with three decimals, and a text where no number shows what was sent.
        assert shown[0]["totalCost"] == "3 as 0.000"
        assert shown[1]["totalCost"] == "3.0000000000000001"
        assert shown[1]["meterId"] == "=1+1"
        assert list(tmp_path.iterdir()) == [path]


def cells(path: Path) -> list[list[str]]:
    """The first sheet's rows: texts as they are, numbers with their format; no formulas at all."""
    with zipfile.ZipFile(path) as book:
        sheet = etree.fromstring(book.read("xl/worksheets/sheet1.xml"))
        styles = etree.fromstring(book.read("xl/styles.xml"))
    assert sheet.find(".//{*}f") is None
    codes = {e.get("numFmtId"): str(e.get("formatCode")) for e in styles.iter("{*}numFmt")}
    formats = [codes.get(e.get("numFmtId"), "0") for e in styles.iterfind("{*}cellXfs/{*}xf")]
    return [list(_cells_of(row, formats)) for row in sheet.iter("{*}row")]


def _cells_of(row: etree._Element, formats: list[str]) -> Iterator[str]:
    place = 0
    for cell in row:
        letters = str(cell.get("r")).rstrip("0123456789")
        column = 0
        for letter in letters:
            column = column * 26 + ord(letter) - 64
        while place < column - 1:
            place += 1
            yield ""
        place += 1
        if cell.get("t") == "inlineStr":
            yield "".join(str(text) for text in cell.itertext())
        else:
            yield f"{cell.findtext('{*}v')} as {formats[int(cell.get('s') or 0)]}"


class TestRules:
    def test_all_with_their_defaults(self, run: Commands) -> None:
        rules = {each["rule"]: each for each in run("rule", "list", "--json").json}
        assert len(rules) >= 28
        assert rules["total-cost"]["severity"] == "reject"
        assert rules["max-age"]["parameters"]["max_age_days"]["value"] == "365"
        assert all(each["set_for"] == [] for each in rules.values())
        assert "total-cost" in run("rule", "list").out

    def test_set_for_everybody_counts_with_the_next_message(
        self, pair: Edge, run: Commands
    ) -> None:
        assert add(pair, cdr_xml(total_cost="4.00")) == "format"
        done = run("rule", "set", "total-cost", "--severity", "warn")
        assert "warn (default reject)" in done.out
        assert add(pair, cdr_xml(total_cost="4.00")) == "ok"

    def test_set_on_a_connection(self, pair: Edge, run: Commands) -> None:
        pair.connect("cpo", "emp2")
        run("rule", "set", "total-cost", "--severity", "off", "--connection", "emp", "cpo")
        other = cdr_xml(cdr_id="DECPO2", contract_id="NL-EM2-C00000001", total_cost="4.00")
        reply = pair.call("cpo", "AddCDRs", cdr_xml(total_cost="4.00") + other)
        assert reply.result == "partly"
        assert [each.text for each in reply.elements("implausibleCdrsArray")] == ["DECPO2"]

    def test_connection_goes_before_everybody(self, run: Commands) -> None:
        run("rule", "set", "total-cost", "--parameter", "tolerance_units=5", "--severity", "warn")
        run(
            *("rule", "set", "total-cost", "--parameter", "tolerance_units=7"),
            *("--connection", "cpo", "emp"),
        )

        def tolerance(*arguments: str) -> tuple[str, str, list[str]]:
            rules = {r["rule"]: r for r in run("rule", "list", "--json", *arguments).json}
            rule = rules["total-cost"]
            return rule["parameters"]["tolerance_units"]["value"], rule["severity"], rule["set_for"]

        assert tolerance() == ("5", "warn", ["everybody"])
        both = ["everybody", "connection"]
        assert tolerance("--connection", "emp", "cpo") == ("7", "warn", both)
        assert run("rule", "reset", "--connection", "cpo", "emp", "--json").json == {"reset": 1}
        assert tolerance("--connection", "emp", "cpo") == ("5", "warn", ["everybody"])
        assert run("rule", "reset", "total-cost").out == "1 rules were reset.\n"
        assert tolerance() == ("1", "reject", [])
        assert run("rule", "reset").out == "Nothing was set there.\n"

    @pytest.mark.parametrize(
        ("arguments", "error"),
        [
            (["set", "x", "--severity", "off"], "there is no rule 'x'"),
            (["set", "total-cost"], "nothing to set"),
            (["set", "total-cost", "--parameter", "days"], "'days' is not NAME=VALUE"),
            (
                ["set", "total-cost", "--parameter", "max_age_days=1"],
                "rule total-cost has no parameter",
            ),
            (["set", "max-age", "--parameter", "max_age_days=-1"], "max_age_days is "),
            (
                ["set", "max-age", "--parameter", "max_age_days=1.5"],
                "max_age_days is a whole",
            ),
            (["set", "max-age", "--parameter", "max_age_days=NaN"], "max_age_days: 'NaN' is not"),
            (
                ["set", "max-age", "--severity", "off", "--connection", "cpo", "emp2"],
                "The partners 'cpo' and 'emp2' are not connected.",
            ),
            (
                ["set", "max-age", "--severity", "off", "--connection", "cpo", "x"],
                "There is no partner named 'x'.",
            ),
            (["list", "--connection", "x", "cpo"], "There is no partner named 'x'."),
            (["reset", "x"], "there is no rule 'x'"),
        ],
    )
    def test_wrong_input(self, run: Commands, arguments: list[str], error: str) -> None:
        assert run("rule", *arguments).error.startswith(error)
