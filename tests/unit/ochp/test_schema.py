"""The schemas that records and messages are validated against, and the shapes of the types."""

import threading
from pathlib import Path

import pytest
from lxml import etree

from ochp_chs.ochp.operations import NAMESPACE, OPERATIONS
from ochp_chs.ochp.schema import (
    XSD,
    Child,
    complex_types,
    contract_dir,
    explanation,
    included_files,
    merged_schema,
    message_schema,
    record_schema,
    record_types,
)

RECORDS = {
    "roamingAuthorisationInfoArray": (
        "<EmtId representation='sha-160'>"
        "<instance>96B0149B4EA098BE769EFDE5BD6A7403F3A25BA0</instance>"
        "<tokenType>rfid</tokenType></EmtId><contractId>DE-8AA-CA2B3C4D5-L</contractId>"
        "<expiryDate><DateTime>2030-12-31T00:00:00Z</DateTime></expiryDate>"
    ),
    "cdrInfoArray": (
        "<CdrId>DECPO0001</CdrId><evseId>DE*CPO*E1*2</evseId>"
        "<emtId><instance>04A1B2C3</instance><tokenType>rfid</tokenType></emtId>"
        "<contractId>DEEMPC12345678</contractId><status><CdrStatusType>new</CdrStatusType></status>"
        "<startDateTime><LocalDateTime>2024-03-31T01:30:00+01:00</LocalDateTime></startDateTime>"
        "<endDateTime><LocalDateTime>2024-03-31T03:30:00+02:00</LocalDateTime></endDateTime>"
        "<duration>001:00:00</duration><chargePointAddress><houseNumber>5A</houseNumber>"
        "<address>Am Markt</address><city>Aachen</city><zipCode>52062</zipCode>"
        "<country>DEU</country></chargePointAddress><chargePointType>AC</chargePointType>"
        "<connectorType><connectorStandard><ConnectorStandard>IEC_62196_T2</ConnectorStandard>"
        "</connectorStandard><connectorFormat><ConnectorFormat>Socket</ConnectorFormat>"
        "</connectorFormat></connectorType><chargingPeriods>"
        "<startDateTime><LocalDateTime>2024-03-31T01:30:00+01:00</LocalDateTime></startDateTime>"
        "<endDateTime><LocalDateTime>2024-03-31T03:30:00+02:00</LocalDateTime></endDateTime>"
        "<billingItem><BillingItemType>energy</BillingItemType></billingItem>"
        "<billingValue>7.5</billingValue><itemPrice>0.30</itemPrice></chargingPeriods>"
        "<currency>EUR</currency>"
    ),
    "chargePointInfoArray": (
        "<evseId>DE*CPO*E1*2</evseId><locationId>SITE 1</locationId>"
        "<locationName>Am Markt</locationName><locationNameLang>DEU</locationNameLang>"
        "<images><uri>https://cpo.example/a.png</uri><class>stationPhoto</class>"
        "<type>png</type></images><chargePointAddress><address>Am Markt</address>"
        "<city>Aachen</city><zipCode>52062</zipCode><country>DEU</country></chargePointAddress>"
        "<chargePointLocation lat='50.770774' lon='-6.105375'/><openingTimes>"
        "<regularHours weekday='1' periodBegin='08:00' periodEnd='24:00'/>"
        "<closedCharging>true</closedCharging></openingTimes>"
        "<telephoneNumber>+49 241 0000</telephoneNumber>"
        "<location><GeneralLocationType>on-street</GeneralLocationType></location>"
        "<parkingSpot><parkingId>DE*CPO*P1</parkingId><floorLevel>P-5</floorLevel></parkingSpot>"
        "<authMethods><AuthMethodType>RfidMifareCls</AuthMethodType></authMethods>"
        "<connectors><connectorStandard><ConnectorStandard>Chademo</ConnectorStandard>"
        "</connectorStandard><connectorFormat><ConnectorFormat>Cable</ConnectorFormat>"
        "</connectorFormat></connectors><chargePointType>DC</chargePointType>"
    ),
    "TariffInfoArray": (
        "<tariffId>DE*CPO*T1</tariffId><individualTariff><tariffElement><priceComponent>"
        "<billingItem><BillingItemType>energy</BillingItemType></billingItem>"
        "<itemPrice>0.30</itemPrice><stepSize>0</stepSize></priceComponent><tariffRestriction/>"
        "</tariffElement><recipient>DEEMP</recipient><currency>EUR</currency></individualTariff>"
    ),
    "approved": "<cdrId>DECPO0001</cdrId><evseId>DE*CPO*E1*2</evseId>",
    "declined": "<cdrId>DECPO0001</cdrId><evseId>DECPOE1</evseId>",
    "evse": "<evseId>DE*CPO*E1*2</evseId>",
    "parking": "<parkingId>DE*PSO*P1</parkingId>",
    "providerEndpointArray": (
        "<url>https://emp.example/direct</url><namespaceUrl>http://ochp.eu/1.4</namespaceUrl>"
        "<accessToken>secret</accessToken><validDate>2024-03-31</validDate>"
        "<whitelist>DEEMPC%</whitelist><blacklist>DEEMPC1</blacklist>"
    ),
    "operatorEndpointArray": (
        "<url>https://cpo.example/direct</url><namespaceUrl>http://ochp.eu/1.3</namespaceUrl>"
        "<accessToken>secret</accessToken><validDate>2024-03-31</validDate>"
        "<whitelist>DECPOE1*2%</whitelist>"
    ),
}
ATTRIBUTES = {
    "evse": "major='available' minor='reserved' ttl='2024-03-31T12:00:00.5+02:00'",
    "parking": "status='unknown'",
}


def record(name: str, inside: str | None = None) -> etree._Element:
    content = RECORDS[name] if inside is None else inside
    attributes = ATTRIBUTES.get(name, "")
    return etree.fromstring(f"<{name} xmlns='{NAMESPACE}' {attributes}>{content}</{name}>")


class TestRecordSchema:
    @pytest.mark.parametrize("name", sorted(RECORDS))
    def test_takes_a_good_record_alone(self, name: str) -> None:
        record_schema().assertValid(record(name))

    @pytest.mark.parametrize("name", sorted(RECORDS))
    def test_refuses_a_record_with_something_strange_at_its_end(self, name: str) -> None:
        assert not record_schema().validate(record(name, RECORDS[name] + "<strange/>"))

    def test_knows_every_record_element_of_the_operations(self) -> None:
        assert set(RECORDS) == set(record_types())

    @pytest.mark.parametrize(
        ("name", "good", "bad"),
        [
            ("chargePointInfoArray", "08:00", "08-00"),
            ("chargePointInfoArray", "08:00", r"08\:00"),
            ("chargePointInfoArray", "https://cpo", "https:/cpo"),
            ("chargePointInfoArray", "https://cpo", "gopher://cpo"),
            ("chargePointInfoArray", "50.770774", "50.77"),
            ("operatorEndpointArray", "https://cpo", "http://cpo"),
            ("operatorEndpointArray", "2024-03-31", "31.03.2024"),
            ("operatorEndpointArray", "DECPOE1*2%", "DE*CPO*E1%"),
            ("cdrInfoArray", "+01:00", "Z"),
            ("cdrInfoArray", "DECPO0001", "decpo0001"),
            ("approved", "DE*CPO*E1*2", "DE*CPO*P1"),
            ("evse", "DE*CPO*E1*2", "DE*CPO-E1"),
        ],
    )
    def test_refuses_what_a_pattern_does_not_allow(self, name: str, good: str, bad: str) -> None:
        assert good in RECORDS[name]
        assert not record_schema().validate(record(name, RECORDS[name].replace(good, bad)))

    def test_is_compiled_once(self) -> None:
        assert record_schema() is record_schema()
        assert message_schema() is message_schema()

    def test_explains_each_thread_its_own_record(self) -> None:
        said: dict[str, bool] = {}

        def judge(name: str) -> None:
            said[name] = all(
                name in str(explanation(record_schema(), record("approved", f"<{name}/>")))
                for _ in range(200)
            )

        threads = [threading.Thread(target=judge, args=(name,)) for name in ("mine", "theirs")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert said == {"mine": True, "theirs": True}


class TestMessageSchema:
    def test_knows_every_request_and_response(self) -> None:
        refused_as_unknown = [
            name
            for operation in OPERATIONS
            for name in (operation.request, operation.response)
            if not message_schema().validate(etree.Element(f"{{{NAMESPACE}}}{name}"))
            and "No matching global declaration" in str(message_schema().error_log)
        ]
        assert refused_as_unknown == []

    def test_takes_one_kind_of_live_status_in_an_answer(self) -> None:
        evse = "<evse major='available'><evseId>DECPOE1</evseId></evse>"
        parking = "<parking status='unknown'><parkingId>DEPSOP1</parkingId></parking>"

        def answer(inside: str) -> etree._Element:
            return etree.fromstring(
                f"<GetStatusResponse xmlns='{NAMESPACE}'>{inside}</GetStatusResponse>"
            )

        assert message_schema().validate(answer(""))
        assert message_schema().validate(answer(evse * 2))
        assert not message_schema().validate(answer(evse + parking))

    def test_takes_the_direct_answer_with_the_result_first(self) -> None:
        message_schema().assertValid(
            etree.fromstring(
                f"<GetServiceEndpointsResponse xmlns='{NAMESPACE}'><result>"
                "<resultCode><resultCode>ok</resultCode></resultCode>"
                "<resultDescription>Done.</resultDescription></result>"
                f"<providerEndpointArray>{RECORDS['providerEndpointArray']}</providerEndpointArray>"
                "</GetServiceEndpointsResponse>"
            )
        )


class TestComplexTypes:
    def test_has_every_type_of_a_record(self) -> None:
        assert set(record_types().values()) <= set(complex_types())

    def test_children_in_order_with_cardinality(self) -> None:
        assert complex_types()["RoamingAuthorisationInfo"].children == (
            Child("EmtId", "EmtId", repeated=False, required=True),
            Child("contractId", "ContractId", repeated=False, required=True),
            Child("printedNumber", None, repeated=False, required=False),
            Child("expiryDate", "DateTimeType", repeated=False, required=True),
        )

    def test_neither_side_of_a_choice_is_required(self) -> None:
        required = {child.name for child in complex_types()["HoursType"].children if child.required}
        assert required == {"closedCharging"}

    def test_a_built_in_type_goes_by_its_name(self) -> None:
        (maximum, *_) = complex_types()["RatingsType"].children
        assert maximum == Child("maximumPower", "float", repeated=False, required=True)

    def test_what_is_extended_comes_first(self) -> None:
        names = [child.name for child in complex_types()["OperatorEndpoint"].children]
        assert names == [
            "url",
            "namespaceUrl",
            "accessToken",
            "validDate",
            "whitelist",
            "blacklist",
        ]
        assert complex_types()["AdditionalGeoPointType"].attributes == (
            "lat",
            "lon",
            "name",
            "type",
        )

    def test_confirmed_cdr_is_one_of_them(self) -> None:
        assert complex_types()["ConfirmedCdr"].children == (
            Child("cdrId", "CdrId", repeated=False, required=True),
            Child("evseId", "EvseId", repeated=False, required=True),
        )

    def test_every_child_type_is_known(self) -> None:
        simple = {node.get("name") for node in merged_schema().iterfind(f"{XSD}simpleType")} | {
            "float",
            "int",
            "boolean",
        }
        for shape in complex_types().values():
            for child in shape.children:
                assert child.type is None or child.type in simple or child.type in complex_types()


class TestFiles:
    def test_the_entry_reaches_every_schema_file(self) -> None:
        assert {path.name for path in included_files()} == {
            path.name for path in (contract_dir() / "types").glob("*.xsd")
        }

    def test_each_file_compiles_by_itself(self) -> None:
        for path in included_files():
            etree.XMLSchema(etree.parse(str(path), etree.XMLParser(no_network=True)))

    def test_no_pattern_has_an_escape_that_older_parsers_refuse(self) -> None:
        # XSD 1.0 lists what may be escaped; libxml2 before 2.10 refuses anything else.
        allowed = set(r"nrt\|.?*+(){}-[]^") | set("sSiIcCdDwWpP")
        for node in merged_schema().iter(f"{XSD}pattern"):
            pattern = str(node.get("value"))
            escaped = {pattern[at + 1] for at, char in enumerate(pattern) if char == "\\"}
            assert escaped <= allowed, pattern

    def test_every_declaration_is_documented(self) -> None:
        undocumented = [
            (path.name, node.get("name"))
            for path in included_files()
            for node in etree.parse(str(path)).iter(
                f"{XSD}element", f"{XSD}attribute", f"{XSD}complexType", f"{XSD}simpleType"
            )
            if node.get("name") and not node.findtext(f"{XSD}annotation/{XSD}documentation")
        ]
        assert undocumented == []

    def test_a_copy_in_a_folder_with_an_odd_name_is_read(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        odd = tmp_path / "a b%20ü#1"
        (odd / "types").mkdir(parents=True)
        for path in included_files():
            (odd / "types" / path.name).write_bytes(path.read_bytes())
        expected = etree.tostring(merged_schema())
        monkeypatch.setattr("ochp_chs.ochp.schema.contract_dir", lambda: odd)
        assert etree.tostring(merged_schema()) == expected
