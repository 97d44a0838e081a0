"""The contract has the interface of OCHP 1.4, fact by fact, here and against the reference."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from ochp_chs.ochp.operations import OPERATIONS, Endpoint
from ochp_chs.ochp.schema import contract_dir
from ochp_chs.soap.wsdl import Publisher

from .interface import XS, clearing_house_part, differences, everything

# The reference is published elsewhere and is not part of this project. What it says is kept as a
# listing of facts, so that the contract is checked where the reference is not at hand.
LISTING = Path(__file__).with_name("interface.txt")
REFERENCE = Path(__file__).parents[4] / "shared" / "reference" / "ochp-1.4"
references = [REFERENCE] if REFERENCE.is_dir() else []


def test_our_contract_has_the_listed_interface() -> None:
    listed = dict(line.split(" = ", 1) for line in LISTING.read_text("utf-8").splitlines())
    assert differences(listed, clearing_house_part(contract_dir())) == []


def test_our_contract_has_nothing_that_the_clearing_house_does_not_need() -> None:
    assert differences(clearing_house_part(contract_dir()), everything(contract_dir())) == []


def test_the_table_of_operations_names_the_operations_of_the_contract() -> None:
    facts = clearing_house_part(contract_dir())
    message = {path.split()[1]: name for path, name in facts.items() if " part " in path}
    operations = {
        (words[3], words[4]): message[name.strip().rpartition("}")[2]].rpartition("}")[2]
        for path, name in facts.items()
        if (words := path.split())[0] == "portType" and len(words) > 4
    }
    table = {(each.name, "input"): each.request for each in OPERATIONS} | {
        (each.name, "output"): each.response for each in OPERATIONS
    }
    assert operations == table


if references:

    @pytest.mark.parametrize("reference", references, ids=lambda path: path.name)
    def test_our_contract_has_the_interface_of_the_reference(reference: Path) -> None:
        facts = clearing_house_part(reference)
        assert len(facts) > 1000
        assert differences(facts, clearing_house_part(contract_dir())) == []


class TestComparer:
    """A changed copy of the contract is told from the contract."""

    @pytest.fixture
    def changed(self, tmp_path: Path) -> Callable[[str, str, str], list[str]]:
        def change(file: str, old: str, new: str) -> list[str]:
            copy = tmp_path / "copy"
            shutil.copytree(contract_dir(), copy)
            text = (copy / file).read_text("utf-8")
            assert old in text
            (copy / file).write_text(text.replace(old, new, 1), "utf-8")
            return differences(clearing_house_part(contract_dir()), clearing_house_part(copy))

        return change

    @pytest.mark.parametrize(
        ("file", "old", "new", "path"),
        [
            (
                "types/data-types.xsd",
                '<xs:maxLength value="512"/>',
                '<xs:maxLength value="64"/>',
                "complexType EmtId/sequence/instance/simpleType/restriction maxLength",
            ),
            (
                "types/data-types.xsd",
                '<xs:minLength value="1"/>',
                "",
                "complexType EmtId/sequence/instance/simpleType/restriction minLength",
            ),
            (
                "types/data-types.xsd",
                "[Ee][A-Za-z0-9]",
                "[E][A-Za-z0-9]",
                "simpleType EvseId/restriction pattern",
            ),
            (
                "types/data-types.xsd",
                '<xs:enumeration value="remote">',
                '<xs:enumeration value="app">',
                "complexType EmtId/sequence/tokenType/simpleType/restriction enumeration",
            ),
            (
                "types/data-types.xsd",
                'default="plain"',
                'default="sha-160"',
                "complexType EmtId/@representation",
            ),
            (
                "types/data-types.xsd",
                'name="lat" use="required"',
                'name="lat"',
                "complexType GeoPointType/@lat",
            ),
            (
                "types/data-types.xsd",
                '<xs:restriction base="xs:int">',
                '<xs:restriction base="xs:long">',
                "complexType RatingsType/sequence/nominalVoltage/simpleType/restriction",
            ),
            (
                "types/array-types.xsd",
                'name="chargingPeriods" type="tns:CdrPeriodType" maxOccurs="unbounded"',
                'name="chargingPeriods" type="tns:CdrPeriodType" maxOccurs="99"',
                "complexType CDRInfo/sequence/chargingPeriods",
            ),
            (
                "types/message-elements.xsd",
                'nillable="true"',
                "",
                "complexType Result/sequence/resultDescription",
            ),
            (
                "types/live-types.xsd",
                'name="parkingId" type="tns:ParkingId"',
                'name="parkingId" type="tns:EvseId"',
                "complexType ParkingStatusType/sequence/parkingId",
            ),
            (
                "types/data-types.xsd",
                'elementFormDefault="qualified"',
                "",
                "complexType EmtId in",
            ),
            (
                "ochp.wsdl",
                'soapAction="http://ochp.eu/1.4/GetCDRs"',
                'soapAction="http://ochp.eu/1.4/GetCdrs"',
                "binding eCHS-OCHP_1.4 operation GetCDRs operation soap:operation",
            ),
            (
                "ochp.wsdl",
                'style="document"',
                'style="rpc"',
                "binding eCHS-OCHP_1.4 binding soap:binding",
            ),
            (
                "ochp.wsdl",
                '<wsdl:input message="tns:GetCDRsInput"/>',
                '<wsdl:input message="tns:CheckCDRsInput"/>',
                "portType OCHP_1.4 operation GetCDRs input",
            ),
            (
                "ochp.wsdl",
                'name="parameters" element="tns:GetCDRsRequest"',
                'name="body" element="tns:GetCDRsRequest"',
                "message GetCDRsInput part parameters",
            ),
            (
                "ochp-direct.wsdl",
                'port name="eCHS_P-System-direct"',
                'port name="direct"',
                "service e-clearing.net-OCHP-direct port eCHS_P-System-direct",
            ),
        ],
    )
    def test_names_what_was_changed(
        self,
        changed: Callable[[str, str, str], list[str]],
        file: str,
        old: str,
        new: str,
        path: str,
    ) -> None:
        assert [line for line in changed(file, old, new) if line.startswith(f"{path}: ")]

    def test_names_two_elements_in_the_other_order(self, tmp_path: Path) -> None:
        copy = tmp_path / "copy"
        shutil.copytree(contract_dir(), copy)
        path = copy / "types" / "array-types.xsd"
        schema = etree.parse(str(path))
        sequence = schema.find(f"{XS}complexType[@name='CDRInfo']/{XS}sequence")
        assert sequence is not None
        sequence.append(sequence[0])
        schema.write(str(path))
        (difference,) = differences(clearing_house_part(contract_dir()), clearing_house_part(copy))
        assert difference.startswith(
            "complexType CDRInfo/sequence holds: the reference has 'CdrId evseId"
        )
        assert difference.endswith("currency CdrId'")

    @pytest.mark.parametrize(
        ("file", "old", "new"),
        [
            ("types/data-types.xsd", "One of six states.", "Six states."),
            ("types/data-types.xsd", "[0-2][0-9]:[0-5][0-9]", r"[0-2][0-9]\:[0-5][0-9]"),
            ("types/data-types.xsd", "(http|https)://.+", r"(http|https):\/\/.+"),
            ("types/data-types.xsd", 'name="tokenType"', 'minOccurs="1" name="tokenType"'),
            ("ochp.wsdl", "clearing-house.example/service", "elsewhere.example/a"),
        ],
    )
    def test_does_not_mind_what_makes_no_difference_to_a_client(
        self, changed: Callable[[str, str, str], list[str]], file: str, old: str, new: str
    ) -> None:
        assert changed(file, old, new) == []


class TestSingleFile:
    """What is served in one file is the same interface."""

    def test_the_main_contract(self, tmp_path: Path) -> None:
        (tmp_path / "single.wsdl").write_bytes(
            Publisher(None).single_wsdl(Endpoint.SERVICE, "http://chs.test")
        )
        (tmp_path / "main").mkdir()
        shutil.copy(contract_dir() / "ochp.wsdl", tmp_path / "main")
        shutil.copytree(contract_dir() / "types", tmp_path / "main" / "types")
        assert differences(everything(tmp_path / "main"), everything(tmp_path)) == []

    def test_the_direct_contract_has_all_but_the_service_of_the_main_one(
        self, tmp_path: Path
    ) -> None:
        (tmp_path / "single.wsdl").write_bytes(
            Publisher(None).single_wsdl(Endpoint.DIRECT, "http://chs.test")
        )
        missing = differences(everything(contract_dir()), everything(tmp_path))
        assert {line.split()[1] for line in missing} == {"OCHP_1.4", "e-clearing.net"}
        assert {line.split()[0] for line in missing} == {"definitions", "service"}
