"""Rules on whose a CDR is: its ID, EVSE, contract, provider and token."""

from dataclasses import replace

import pytest

from ochp_chs.ochp.violations import Reason, Violation
from ochp_chs.rules.plausibility import (
    cdr_id_form,
    cdr_id_operator,
    contract_check_character,
    contract_id_form,
    evse_known,
    evse_operator,
    provider_connected,
    provider_known,
    token_form,
    token_listed,
)
from tests.support.cdrs import make_cdr, make_context
from tests.support.rules import found_by


class TestCdrIdForm:
    RULE = cdr_id_form.RULE

    @pytest.mark.parametrize("cdr_id", ["1", "DECPO1", "Z" * 36])
    def test_passes(self, cdr_id: str) -> None:
        assert found_by(self.RULE, make_cdr(cdr_id=cdr_id)) == ()

    @pytest.mark.parametrize("cdr_id", ["", "Z" * 37, "decpo1", "DE*CPO*1", "DECPO 1", "DECPO1\n"])
    def test_another_form(self, cdr_id: str) -> None:
        assert found_by(self.RULE, replace(make_cdr(), cdr_id=cdr_id)) == (
            Violation(
                "cdr-id-form",
                "CdrId",
                cdr_id,
                "a CDR-ID has 1 to 36 characters, A to Z and 0 to 9",
            ),
        )


class TestCdrIdOperator:
    RULE = cdr_id_operator.RULE

    @pytest.mark.parametrize("cdr_id", ["DECPO1", "NLCP21"])
    def test_any_operator_of_the_caller(self, cdr_id: str) -> None:
        context = make_context(operator_ids=frozenset({"DECPO", "NLCP2"}))
        assert found_by(self.RULE, make_cdr(cdr_id=cdr_id), context) == ()

    @pytest.mark.parametrize("cdr_id", ["DEXYZ1", "1", "1DECPO", "DECPO"])
    def test_no_operator_of_the_caller_or_nothing_behind_it(self, cdr_id: str) -> None:
        assert found_by(self.RULE, make_cdr(cdr_id=cdr_id)) == (
            Violation(
                "cdr-id-operator",
                "CdrId",
                cdr_id,
                "the CDR-ID has to begin with an operator ID of yours (DECPO) and go on behind it",
                Reason.IDENTIFIER,
            ),
        )


class TestEvseOperator:
    RULE = evse_operator.RULE

    @pytest.mark.parametrize("evse_id", ["DE*CPO*E1", "DECPOE1", "de*cpo*e1"])
    def test_separators_and_case_do_not_count(self, evse_id: str) -> None:
        assert found_by(self.RULE, make_cdr(evse_id=evse_id)) == ()

    def test_another_operator(self) -> None:
        assert found_by(self.RULE, make_cdr(evse_id="NL*CPO*E1")) == (
            Violation(
                "evse-operator",
                "evseId",
                "NL*CPO*E1",
                "the operator NLCPO is not one of yours",
                Reason.IDENTIFIER,
            ),
        )


class TestContractIdForm:
    RULE = contract_id_form.RULE

    @pytest.mark.parametrize(
        "contract_id",
        ["DE-EMP-C00000001", "DEEMPC00000001", "de-emp-c00000001-x", "DEEMPC00000001X"],
    )
    def test_passes(self, contract_id: str) -> None:
        assert found_by(self.RULE, make_cdr(contract_id=contract_id)) == ()

    @pytest.mark.parametrize("contract_id", ["DE*EMP*C00000001", "DE-EMPC00000001", "DE-EMP-C1"])
    def test_another_form(self, contract_id: str) -> None:
        (violation,) = found_by(self.RULE, replace(make_cdr(), contract_id=contract_id))
        assert (violation.rule, violation.field, violation.value) == (
            "contract-id-form",
            "contractId",
            contract_id,
        )
        assert violation.reason is Reason.FORMAT


class TestContractCheckCharacter:
    RULE = contract_check_character.RULE

    @pytest.mark.parametrize(
        "contract_id", ["DE-8AA-CA2B3C4D5", "DE-8AA-CA2B3C4D5-L", "de8aaca2b3c4d5l"]
    )
    def test_right_or_absent(self, contract_id: str) -> None:
        assert found_by(self.RULE, make_cdr(contract_id=contract_id)) == ()

    def test_wrong(self) -> None:
        (violation,) = found_by(self.RULE, make_cdr(contract_id="DE-8AA-CA2B3C4D5-N"))
        assert (violation.rule, violation.field, violation.value) == (
            "contract-check-character",
            "contractId",
            "DE-8AA-CA2B3C4D5-N",
        )
        assert "expected is L" in violation.text


class TestProviderKnown:
    RULE = provider_known.RULE

    @pytest.mark.parametrize("connected", [True, False])
    def test_known_connected_or_not(self, connected: bool) -> None:
        assert found_by(self.RULE, make_cdr(), make_context(providers={"DEEMP": connected})) == ()

    def test_unknown(self) -> None:
        assert found_by(self.RULE, make_cdr(contract_id="NL-EM2-C00000001")) == (
            Violation(
                "provider-known",
                "contractId",
                "NL-EM2-C00000001",
                "no partner here is the provider NLEM2, so that the CDR has no owner",
                Reason.IDENTIFIER,
            ),
        )


class TestProviderConnected:
    RULE = provider_connected.RULE

    def test_connected(self) -> None:
        assert found_by(self.RULE, make_cdr()) == ()

    def test_unknown_provider_is_another_rules_business(self) -> None:
        assert found_by(self.RULE, make_cdr(), make_context(providers={})) == ()

    def test_not_connected(self) -> None:
        assert found_by(self.RULE, make_cdr(), make_context(providers={"DEEMP": False})) == (
            Violation(
                "provider-connected",
                "contractId",
                "DE-EMP-C00000001",
                "you have no roaming connection to the provider DEEMP that carries CDRs",
                Reason.CONNECTION,
            ),
        )


class TestTokenForm:
    RULE = token_form.RULE

    @pytest.mark.parametrize(
        ("instance", "token_type", "representation"),
        [
            ("04A1B2C3D4E5F6", "rfid", "plain"),
            ("4a1b2c3", "rfid", None),
            ("0", "rfid", None),
            ("a" * 40, "rfid", "sha-160"),
            ("0123456789ABCDEF" * 4, "15118", "sha-256"),
            ("direct-7/x", "remote", None),
            ("DE-EMP-C00000001", "15118", "plain"),
        ],
    )
    def test_passes(self, instance: str, token_type: str, representation: str | None) -> None:
        cdr = make_cdr(instance=instance, token_type=token_type, representation=representation)
        assert found_by(self.RULE, cdr) == ()

    @pytest.mark.parametrize(
        ("instance", "token_type", "representation", "text"),
        [
            ("a" * 39, "rfid", "sha-160", "a sha-160 instance has 40 hexadecimal digits"),
            ("a" * 41, "rfid", "sha-160", "a sha-160 instance has 40 hexadecimal digits"),
            ("g" * 40, "remote", "sha-160", "a sha-160 instance has 40 hexadecimal digits"),
            ("a" * 40, "rfid", "sha-256", "a sha-256 instance has 64 hexadecimal digits"),
            (
                "04:A1",
                "rfid",
                None,
                "a plain rfid instance is the card's UID in hexadecimal digits",
            ),
            (
                " 04A1",
                "rfid",
                None,
                "a plain rfid instance is the card's UID in hexadecimal digits",
            ),
            ("٠٤", "rfid", None, "a plain rfid instance is the card's UID in hexadecimal digits"),
            (" ", "remote", None, "the token is blank"),
        ],
    )
    def test_another_form(
        self, instance: str, token_type: str, representation: str | None, text: str
    ) -> None:
        cdr = make_cdr(instance=instance, token_type=token_type, representation=representation)
        assert found_by(self.RULE, cdr) == (
            Violation("token-form", "emtId/instance", instance, text),
        )


class TestEvseKnown:
    RULE = evse_known.RULE

    @pytest.mark.parametrize("evse_id", ["DE*CPO*E1234*1", "decpoe1234*1"])
    def test_known_however_it_is_written(self, evse_id: str) -> None:
        assert found_by(self.RULE, make_cdr(evse_id=evse_id)) == ()

    def test_star_inside_the_instance_counts(self) -> None:
        assert found_by(self.RULE, make_cdr(evse_id="DE*CPO*E12341")) == (
            Violation(
                "evse-known",
                "evseId",
                "DE*CPO*E12341",
                "your charge point data has no such EVSE",
                Reason.IDENTIFIER,
            ),
        )


class TestTokenListed:
    RULE = token_listed.RULE

    def test_listed(self) -> None:
        assert found_by(self.RULE, make_cdr()) == ()

    def test_remote_token_is_in_no_list(self) -> None:
        assert found_by(self.RULE, make_cdr(token_type="remote")) == ()

    def test_unknown_provider_has_no_list(self) -> None:
        context = make_context(providers={}, listed_tokens=frozenset())
        assert found_by(self.RULE, make_cdr(), context) == ()

    @pytest.mark.parametrize(
        ("instance", "contract_id"),
        [("04FFFFFFFF", "DE-EMP-C00000001"), ("04A1B2C3D4", "DE-EMP-C00000002")],
    )
    def test_another_token_or_another_contract(self, instance: str, contract_id: str) -> None:
        cdr = make_cdr(instance=instance, contract_id=contract_id)
        assert found_by(self.RULE, cdr) == (
            Violation(
                "token-listed",
                "emtId/instance",
                instance,
                f"the provider DEEMP does not list this token for the contract {contract_id}",
                Reason.IDENTIFIER,
            ),
        )
