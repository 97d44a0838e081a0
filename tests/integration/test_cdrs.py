"""CDRs end to end over the SOAP edge: status flow, repeats, disputes, strangers."""

import pytest

from tests.support.cdrs import NOW, cdr_xml, confirmation_xml, period_xml
from tests.support.edge import Clock, Edge, O


@pytest.fixture
def clock() -> Clock:
    """The day after the session of the example."""
    return Clock(NOW)


@pytest.fixture
def trio(edge: Edge) -> Edge:
    """A CPO and an EMP, connected, and a stranger of each kind, connected to each other."""
    edge.partner("cpo", "cpo", "DE*CPO")
    edge.partner("emp", "emp", "DE-EMP")
    edge.partner("cpo2", "cpo", "NL*CP2")
    edge.partner("emp2", "emp", "NL-EM2")
    edge.connect("cpo", "emp")
    edge.connect("cpo2", "emp2")
    return edge


def add(edge: Edge, *cdrs: str, partner: str = "cpo") -> str | None:
    return edge.call(partner, "AddCDRs", "".join(cdrs)).result


def confirm(
    edge: Edge, wish: str, cdr_id: str = "DECPO0000000001", partner: str = "emp"
) -> str | None:
    return edge.call(partner, "ConfirmCDRs", confirmation_xml(wish, cdr_id)).result


def listed(edge: Edge, partner: str, operation: str, status: str | None = None) -> dict[str, str]:
    asked = f"<cdrStatus><CdrStatusType>{status}</CdrStatusType></cdrStatus>" if status else ""
    reply = edge.call(partner, operation, asked)
    assert reply.result == "ok"
    return {
        str(cdr.findtext(f"{O}CdrId")): str(cdr.findtext(f"{O}status/{O}CdrStatusType"))
        for cdr in reply.elements("cdrInfoArray")
    }


class TestFlow:
    def test_sent_declined_revised_approved(self, trio: Edge) -> None:
        assert add(trio, cdr_xml()) == "ok"
        assert listed(trio, "emp", "GetCDRs") == {"DECPO0000000001": "accepted"}
        assert confirm(trio, "declined") == "ok"
        assert listed(trio, "emp", "GetCDRs") == {}
        assert listed(trio, "cpo", "CheckCDRs") == {"DECPO0000000001": "declined"}
        assert add(trio, cdr_xml(status="revised", meter_id="M1")) == "ok"
        assert listed(trio, "emp", "GetCDRs") == {"DECPO0000000001": "revised"}
        assert confirm(trio, "approved") == "ok"
        assert listed(trio, "emp", "GetCDRs") == {}
        assert listed(trio, "emp", "GetCDRs", "approved") == {"DECPO0000000001": "approved"}
        assert listed(trio, "cpo", "CheckCDRs", "approved") == {"DECPO0000000001": "approved"}

    def test_rejected_for_good_keeps_its_content(self, trio: Edge) -> None:
        add(trio, cdr_xml(meter_id="M1"))
        confirm(trio, "declined")
        assert add(trio, cdr_xml(status="rejected", meter_id="M2")) == "ok"
        reply = trio.call(
            "emp", "GetCDRs", "<cdrStatus><CdrStatusType>rejected</CdrStatusType></cdrStatus>"
        )
        (cdr,) = reply.elements("cdrInfoArray")
        assert cdr.findtext(f"{O}meterId") == "M1"
        assert confirm(trio, "approved") == "format"

    @pytest.mark.parametrize("status", ["accepted", "approved", "declined"])
    def test_status_that_is_not_the_originators_to_set(self, trio: Edge, status: str) -> None:
        reply = trio.call("cpo", "AddCDRs", cdr_xml(status=status))
        assert reply.result == "format"
        assert [e.text for e in reply.elements("implausibleCdrsArray")] == ["DECPO0000000001"]

    def test_revision_of_what_is_not_there(self, trio: Edge) -> None:
        assert add(trio, cdr_xml(status="revised")) == "invalid-id"

    def test_numbers_come_back_as_they_were_sent(self, trio: Edge) -> None:
        period = period_xml(value="1.0E1", price="+0.3000", cost="3.000")
        assert add(trio, cdr_xml(periods=[period], total_cost="3.0")) == "ok"
        (cdr,) = trio.call("emp", "GetCDRs").elements("cdrInfoArray")
        assert cdr.findtext(f"{O}chargingPeriods/{O}billingValue") == "1.0E1"
        assert cdr.findtext(f"{O}chargingPeriods/{O}itemPrice") == "+0.3000"
        assert cdr.findtext(f"{O}totalCost") == "3.0"


class TestRepeats:
    def test_same_message_again_changes_nothing(self, trio: Edge) -> None:
        for _ in range(3):
            assert add(trio, cdr_xml()) == "ok"
        assert listed(trio, "emp", "GetCDRs") == {"DECPO0000000001": "accepted"}

    def test_late_repeat_finds_the_cdr_approved(self, trio: Edge) -> None:
        add(trio, cdr_xml())
        confirm(trio, "approved")
        assert add(trio, cdr_xml()) == "ok"
        assert listed(trio, "emp", "GetCDRs") == {}

    def test_same_id_with_other_content_is_refused(self, trio: Edge) -> None:
        add(trio, cdr_xml())
        reply = trio.call("cpo", "AddCDRs", cdr_xml(meter_id="M9"))
        assert reply.result == "format"
        assert "cdr-status-flow" in reply.description

    def test_new_and_its_revision_in_one_message(self, trio: Edge) -> None:
        assert add(trio, cdr_xml(), cdr_xml(status="revised", meter_id="M2")) == "ok"
        assert listed(trio, "emp", "GetCDRs") == {"DECPO0000000001": "revised"}

    def test_confirmed_twice_is_fine(self, trio: Edge) -> None:
        add(trio, cdr_xml())
        assert confirm(trio, "approved") == "ok"
        assert confirm(trio, "approved") == "ok"


class TestConfirm:
    def test_unknown_one_is_named_and_the_others_are_done(self, trio: Edge) -> None:
        add(trio, cdr_xml())
        reply = trio.call(
            "emp",
            "ConfirmCDRs",
            confirmation_xml("approved") + confirmation_xml("approved", "DECPO9999"),
        )
        assert reply.result == "partly"
        assert "DECPO9999" in reply.description
        assert listed(trio, "emp", "GetCDRs", "approved") == {"DECPO0000000001": "approved"}

    def test_same_cdr_in_both_lists_is_refused(self, trio: Edge) -> None:
        add(trio, cdr_xml())
        reply = trio.call(
            "emp", "ConfirmCDRs", confirmation_xml("approved") + confirmation_xml("declined")
        )
        assert reply.result == "format"
        assert listed(trio, "emp", "GetCDRs") == {"DECPO0000000001": "accepted"}

    def test_nothing_to_confirm(self, trio: Edge) -> None:
        assert trio.call("emp", "ConfirmCDRs").result == "ok"

    def test_many_at_once(self, trio: Edge) -> None:
        ids = [f"DECPO{number:04}" for number in range(450)]
        cdrs = [cdr_xml(cdr_id=cdr_id, evse_id=f"DE*CPO*E{cdr_id}") for cdr_id in ids]
        assert add(trio, *cdrs) == "ok"
        entries = [
            confirmation_xml("approved" if n % 3 else "declined", cdr_id, f"DE*CPO*E{cdr_id}")
            for n, cdr_id in enumerate(ids)
        ]
        assert trio.call("emp", "ConfirmCDRs", "".join(entries)).result == "ok"
        assert len(listed(trio, "cpo", "CheckCDRs")) == 150
        assert len(listed(trio, "cpo", "CheckCDRs", "approved")) == 300


class TestStrangers:
    def test_nobody_else_sees_it(self, trio: Edge) -> None:
        add(trio, cdr_xml())
        assert listed(trio, "emp2", "GetCDRs") == {}
        assert listed(trio, "cpo2", "CheckCDRs", "approved") == {}

    def test_nobody_else_confirms_it(self, trio: Edge) -> None:
        add(trio, cdr_xml())
        unknown = trio.call("emp2", "ConfirmCDRs", confirmation_xml("approved", "DECPO7777"))
        foreign = trio.call("emp2", "ConfirmCDRs", confirmation_xml("approved"))
        assert foreign.result == unknown.result == "invalid-id"
        assert foreign.description == unknown.description.replace("DECPO7777", "DECPO0000000001")

    def test_nobody_else_revises_it(self, trio: Edge) -> None:
        add(trio, cdr_xml())
        assert add(trio, cdr_xml(status="revised"), partner="cpo2") == "invalid-id"

    def test_owner_that_is_not_connected(self, trio: Edge) -> None:
        assert add(trio, cdr_xml(contract_id="NL-EM2-C00000001")) == "roaming"

    def test_without_any_connection(self, edge: Edge) -> None:
        edge.partner("emp", "emp", "DE-EMP")
        assert edge.call("emp", "GetCDRs").result == "roaming"


class TestAnswers:
    def test_largest_number_per_answer_the_oldest_first(self, trio: Edge) -> None:
        ids = [f"DECPO{number:04}" for number in range(9, 0, -1)]
        add(trio, *[cdr_xml(cdr_id=cdr_id, evse_id=f"DE*CPO*E{cdr_id}") for cdr_id in ids])
        with trio.database.begin() as connection:
            connection.exec_driver_sql("UPDATE partner SET cdrs_per_answer_max = 4")
        assert list(listed(trio, "emp", "GetCDRs")) == ids[:4]

    @pytest.mark.parametrize(
        ("partner", "operation", "status"),
        [("emp", "GetCDRs", "declined"), ("cpo", "CheckCDRs", "accepted")],
    )
    def test_status_that_cannot_be_asked_for(
        self, trio: Edge, partner: str, operation: str, status: str
    ) -> None:
        asked = f"<cdrStatus><CdrStatusType>{status}</CdrStatusType></cdrStatus>"
        assert trio.call(partner, operation, asked).result == "format"
