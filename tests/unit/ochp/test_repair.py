"""Tolerant reading of whole records: what is repaired, what is left, and what never changes."""

import copy
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from ochp_chs.ochp.operations import NAMESPACE, OPERATIONS
from ochp_chs.ochp.repair import RECORD_NAME_REPAIRS, VALUE_REPAIRS, Repair, repair
from ochp_chs.ochp.repair.values import CONNECTOR_STANDARDS, WHOLE_NUMBERS
from ochp_chs.ochp.schema import (
    XSD,
    complex_types,
    merged_schema,
    record_schema,
    record_types,
)

XSI = "http://www.w3.org/2001/XMLSchema-instance"

#: One valid record of every type that a request can carry, with as many fields as it can have.
VALID = {
    "roamingAuthorisationInfoArray": """
        <EmtId representation="plain">
          <instance>04A1B2C3</instance><tokenType>rfid</tokenType>
          <tokenSubType>mifareCls</tokenSubType>
        </EmtId>
        <contractId>DE-8AA-CA2B3C4D5-L</contractId>
        <printedNumber> </printedNumber>
        <expiryDate><DateTime>2030-12-31T23:59:59Z</DateTime></expiryDate>""",
    "cdrInfoArray": """
        <CdrId>DEABC0001</CdrId>
        <evseId>DE*ABC*E1*2</evseId>
        <emtId representation="sha-160"><instance>00</instance><tokenType>rfid</tokenType></emtId>
        <contractId>DE8AACA2B3C4D5</contractId>
        <status><CdrStatusType>new</CdrStatusType></status>
        <startDateTime><LocalDateTime>2016-06-01T13:45:30+02:00</LocalDateTime></startDateTime>
        <endDateTime><LocalDateTime>2016-06-01T14:45:30+02:00</LocalDateTime></endDateTime>
        <duration>001:00:00</duration>
        <chargePointAddress>
          <houseNumber>12A</houseNumber><address>Hauptstra\xdfe</address><city>Aachen</city>
          <zipCode>52072</zipCode><country>DEU</country>
        </chargePointAddress>
        <chargePointType>AC</chargePointType>
        <connectorType>
          <connectorStandard><ConnectorStandard>IEC_62196_T2</ConnectorStandard></connectorStandard>
          <connectorFormat><ConnectorFormat>Socket</ConnectorFormat></connectorFormat>
          <tariffId>DE*ABC*T1</tariffId>
        </connectorType>
        <ratings>
          <maximumPower>22.0</maximumPower><guaranteedPower>11</guaranteedPower>
          <nominalVoltage>400</nominalVoltage>
        </ratings>
        <meterId>4711</meterId>
        <chargingPeriods>
          <startDateTime><LocalDateTime>2016-06-01T13:45:30+02:00</LocalDateTime></startDateTime>
          <endDateTime><LocalDateTime>2016-06-01T14:45:30+02:00</LocalDateTime></endDateTime>
          <billingItem><BillingItemType>energy</BillingItemType></billingItem>
          <billingValue>15.0</billingValue><itemPrice>0.3</itemPrice>
          <periodCost>4.50</periodCost><taxrate>19</taxrate>
        </chargingPeriods>
        <chargingPeriods>
          <startDateTime><LocalDateTime>2016-06-01T13:45:30+02:00</LocalDateTime></startDateTime>
          <endDateTime><LocalDateTime>2016-06-01T14:45:30+02:00</LocalDateTime></endDateTime>
          <billingItem><BillingItemType>serviceFee</BillingItemType></billingItem>
          <billingValue>1.0</billingValue><itemPrice>1</itemPrice>
        </chargingPeriods>
        <totalCost>5.50</totalCost>
        <currency>EUR</currency>""",
    "chargePointInfoArray": """
        <evseId>DEABCE1*2</evseId>
        <locationId>LOC 1</locationId>
        <timestamp><DateTime> 2016-06-01T13:45:30Z </DateTime></timestamp>
        <locationName>Am Markt</locationName>
        <locationNameLang>DEU</locationNameLang>
        <images>
          <uri>https://example.org/a.png</uri><thumbUri>https://example.org/b.png</thumbUri>
          <class>stationPhoto</class><type>png</type><width> 800 </width><height>+600</height>
        </images>
        <relatedResource>
          <uri>https://example.org</uri><class>stationInfo</class>
        </relatedResource>
        <chargePointAddress>
          <address>Markt 1</address><city>Aachen</city>
          <zipCode>52072</zipCode><country>DEU</country>
        </chargePointAddress>
        <chargePointLocation lat="50.770774" lon="-126.104965"/>
        <relatedLocation lat="50.770774" lon="6.083887" name="Tor 1" type="entrance"/>
        <timeZone>Europe/Berlin</timeZone>
        <openingTimes>
          <regularHours weekday="1" periodBegin="08:00" periodEnd="20:00"/>
          <regularHours weekday="2" periodBegin="08:00" periodEnd="24:00"/>
          <exceptionalClosings>
            <periodBegin><DateTime>2016-12-24T12:00:00Z</DateTime></periodBegin>
            <periodEnd><DateTime>2016-12-27T00:00:00Z</DateTime></periodEnd>
          </exceptionalClosings>
          <closedCharging>false</closedCharging>
        </openingTimes>
        <status><ChargePointStatusType>Operative</ChargePointStatusType></status>
        <statusSchedule>
          <startDate><DateTime>2017-01-01T00:00:00Z</DateTime></startDate>
          <status><ChargePointStatusType>Closed</ChargePointStatusType></status>
        </statusSchedule>
        <telephoneNumber>+49 241 1234</telephoneNumber>
        <location><GeneralLocationType>parking-lot</GeneralLocationType></location>
        <parkingSpot>
          <parkingId>DE*ABC*P1</parkingId>
          <restriction><RestrictionType>evonly</RestrictionType></restriction>
          <floorLevel>-2</floorLevel><parkingSpotNumber>B25</parkingSpotNumber>
        </parkingSpot>
        <restriction><RestrictionType>evonly</RestrictionType></restriction>
        <authMethods><AuthMethodType>Public</AuthMethodType></authMethods>
        <authMethods><AuthMethodType>Iec15118</AuthMethodType></authMethods>
        <connectors>
          <connectorStandard><ConnectorStandard>Chademo</ConnectorStandard></connectorStandard>
          <connectorFormat><ConnectorFormat>Cable</ConnectorFormat></connectorFormat>
        </connectors>
        <chargePointType>DC</chargePointType>
        <userInterfaceLang>DEU</userInterfaceLang>
        <userInterfaceLang>FRA</userInterfaceLang>
        <maxReservation>30</maxReservation>""",
    "TariffInfoArray": """
        <tariffId>YYABCT01</tariffId>
        <individualTariff>
          <tariffElement>
            <priceComponent>
              <billingItem><BillingItemType>usagetime</BillingItemType></billingItem>
              <itemPrice>2.0</itemPrice><stepSize>0.0</stepSize>
            </priceComponent>
            <tariffRestriction/>
          </tariffElement>
          <tariffElement>
            <priceComponent>
              <billingItem><BillingItemType>energy</BillingItemType></billingItem>
              <itemPrice>0.3</itemPrice><stepSize>0.0</stepSize>
            </priceComponent>
            <tariffRestriction>
              <regularHours weekday="7" periodBegin="00:00" periodEnd="24:00"/>
              <startDateTime><DateTime>2016-01-01T00:00:00Z</DateTime></startDateTime>
              <maxPower>11.0</maxPower><minDuration>900</minDuration>
            </tariffRestriction>
          </tariffElement>
          <recipient>YYCBA</recipient><recipient>NLEM2</recipient>
          <currency>EUR</currency>
        </individualTariff>""",
    "approved": "<cdrId>DEABC0001</cdrId><evseId>DE*ABC*E1*2</evseId>",
    "parking": "<parkingId>DE*PSO*P1</parkingId>",
    "evse": "<evseId>DE*ABC*E1*2</evseId>",
    "providerEndpointArray": """
        <url>https://example.org/</url><namespaceUrl>http://ochp.eu/1.4</namespaceUrl>
        <accessToken>secret</accessToken><validDate>2016-06-01</validDate>
        <whitelist>DEEMPC%</whitelist>""",
    "operatorEndpointArray": """
        <url>https://example.org/</url><namespaceUrl>http://ochp.eu/1.4</namespaceUrl>
        <accessToken>secret</accessToken><validDate>2016-06-01</validDate>
        <whitelist>DECPOE%</whitelist><blacklist>DECPOE1%</blacklist>""",
}
_ATTRIBUTES = {
    "evse": 'major="available" minor="reserved" ttl="2016-06-01T13:45:30.5+02:00"',
    "parking": 'status="unknown" ttl="2016-06-01T13:45:30Z"',
}


def parse(name: str, inside: str, attributes: str = "") -> etree._Element:
    """Return a record element, parsed like the server does: without comments."""
    text = f'<o:{name} xmlns:o="{NAMESPACE}" xmlns="{NAMESPACE}" xmlns:xsi="{XSI}" {attributes}>'
    parser = etree.XMLParser(remove_comments=True, remove_pis=True, resolve_entities=False)
    return etree.fromstring(f"{text}{inside}</o:{name}>", parser)


def valid(name: str) -> etree._Element:
    return parse(name, VALID[name], _ATTRIBUTES.get(name, ""))


def changed(name: str, *changes: tuple[str, str]) -> tuple[etree._Element, list[Repair]]:
    """Return a valid record with pieces of its text replaced, as repaired, and the repairs."""
    inside, attributes = VALID[name], _ATTRIBUTES.get(name, "")
    for was, now in changes:
        assert was in inside + attributes
        inside, attributes = inside.replace(was, now, 1), attributes.replace(was, now, 1)
    record = parse(name, inside, attributes)
    assert not record_schema().validate(record), "nothing was wrong before the repair"
    return record, repair(record, record_types()[name])


def content(element: etree._Element) -> tuple[object, ...]:
    """Return all that an element says; white space between elements says nothing."""
    text = "" if len(element) else (element.text or "")
    attributes = tuple(sorted((str(name), str(value)) for name, value in element.attrib.items()))
    return (str(element.tag), text, attributes, *(content(child) for child in element))


def leaves(record: etree._Element) -> list[str]:
    """List what the record's lowest elements say, each with its parent's name."""
    return [
        str((str(element.getparent().tag), content(element)))  # type: ignore[union-attr]
        for element in record.iterdescendants()
        if len(element) == 0
    ]


def names(element: etree._Element) -> list[str]:
    return [etree.QName(child).localname for child in element]


@pytest.mark.parametrize("name", VALID)
def test_a_valid_record_is_never_changed(name: str) -> None:
    record = valid(name)
    record_schema().assertValid(record)
    before = content(record)
    assert repair(record, record_types()[name]) == []
    assert content(record) == before


def test_every_record_of_a_request_has_a_sample_here() -> None:
    records = {name for operation in OPERATIONS for name, _ in operation.records}
    assert records - {"declined"} == set(VALID)


class TestNames:
    def test_cdr(self) -> None:
        record, done = changed(
            "cdrInfoArray",
            ("<CdrId>DEABC0001</CdrId>", "<cdrId>DEABC0001</cdrId>"),
            ('<emtId representation="sha-160">', '<EmtId representation="SHA160">'),
            ("</emtId>", "</EmtId>"),
        )
        assert [(one.field, one.was, one.now) for one in done] == [
            ("CdrId", "cdrId", "CdrId"),
            ("emtId", "EmtId", "emtId"),
            ("emtId/@representation", "SHA160", "sha-160"),
        ]
        assert done[0].text == "The element cdrId was read as CdrId."
        assert record_schema().validate(record)

    def test_token(self) -> None:
        record, done = changed(
            "roamingAuthorisationInfoArray", ("<EmtId", "<emtId"), ("</EmtId", "</emtId")
        )
        assert [one.field for one in done] == ["EmtId"]
        assert record_schema().validate(record)

    def test_confirmed_cdr(self) -> None:
        record, done = changed("approved", ("<cdrId", "<CdrId"), ("</cdrId", "</CdrId"))
        assert [one.field for one in done] == ["cdrId"]
        assert record_schema().validate(record)

    def test_names_of_the_specification_s_text(self) -> None:
        record, done = changed(
            "chargePointInfoArray",
            ("<floorLevel", "<floorlevel"),
            ("</floorLevel", "</floorlevel"),
            ("<openingTimes", "<operatingTimes"),
            ("</openingTimes", "</operatingTimes"),
        )
        assert [one.field for one in done] == ["openingTimes", "parkingSpot/floorLevel"]
        assert record_schema().validate(record)

    def test_both_spellings_are_left(self) -> None:
        record, done = changed("approved", ("<cdrId>", "<CdrId>DEABC0002</CdrId><cdrId>"))
        assert done == []
        assert names(record) == ["CdrId", "cdrId", "evseId"]

    @pytest.mark.parametrize("other", ["cdrid", "CDRID", "Cdrid"])
    def test_another_spelling_is_left(self, other: str) -> None:
        _, done = changed("approved", ("<cdrId", f"<{other}"), ("</cdrId", f"</{other}"))
        assert done == []

    def test_another_namespace_is_left(self) -> None:
        _, done = changed(
            "approved", ("<cdrId", '<CdrId xmlns="urn:other"'), ("</cdrId", "</CdrId")
        )
        assert done == []

    def test_the_record_s_own_name_is_the_reader_s(self) -> None:
        assert RECORD_NAME_REPAIRS == {"tariffInfoArray": "TariffInfoArray"}
        assert set(RECORD_NAME_REPAIRS.values()) <= set(record_types())
        record = parse("tariffInfoArray", VALID["TariffInfoArray"])
        assert repair(record, "TariffInfo") == []


class TestAttributes:
    def test_in_the_ochp_namespace(self) -> None:
        record, done = changed("evse", ("major", "o:major"), ("ttl", "o:ttl"))
        assert [(one.field, one.now) for one in done] == [("@major", "major"), ("@ttl", "ttl")]
        assert content(record) == content(valid("evse"))
        assert record_schema().validate(record)

    def test_inside_the_record(self) -> None:
        record, done = changed("chargePointInfoArray", (' lat="', ' o:lat="'))
        assert [one.field for one in done] == ["chargePointLocation/@lat"]
        assert record_schema().validate(record)

    def test_both_there_is_left(self) -> None:
        _, done = changed("evse", ("major", 'o:major="unknown" major'))
        assert done == []

    def test_unknown_to_the_type_is_left(self) -> None:
        _, done = changed("evse", ("major", 'o:colour="red" major'))
        assert done == []


class TestEmptyElements:
    @pytest.mark.parametrize(
        "empty",
        [
            "<printedNumber/>",
            "<printedNumber></printedNumber>",
            '<printedNumber xsi:nil="true"/>',
        ],
    )
    def test_optional_is_absent(self, empty: str) -> None:
        record, done = changed(
            "roamingAuthorisationInfoArray", ("<printedNumber> </printedNumber>", empty)
        )
        assert done == [
            Repair(
                "printedNumber",
                "<printedNumber/>",
                "",
                "The empty element printedNumber was taken as absent.",
            )
        ]
        assert names(record) == ["EmtId", "contractId", "expiryDate"]
        assert record_schema().validate(record)

    def test_of_several_only_the_empty_ones(self) -> None:
        record, done = changed("TariffInfoArray", ("<recipient>NLEM2</recipient>", "<recipient/>"))
        assert [one.field for one in done] == ["individualTariff/recipient[2]"]
        assert "without any recipient is for everybody" in done[0].text
        assert record_schema().validate(record)

    def test_an_optional_element_of_empty_ones_is_empty_itself(self) -> None:
        record, done = changed(
            "chargePointInfoArray",
            (
                "<statusSchedule>",
                "<openingTimes>\n<regularHours/>\n</openingTimes><statusSchedule>",
            ),
        )
        assert done[0].field.startswith("openingTimes[2]/regularHours")
        assert names(record).count("openingTimes") == 1

    def test_required_is_left(self) -> None:
        record, done = changed(
            "roamingAuthorisationInfoArray", ("<instance>04A1B2C3</instance>", "<instance/>")
        )
        assert done == []
        assert record.find(".//{*}instance") is not None

    def test_required_and_empty_by_right_is_left(self) -> None:
        record, _ = changed("TariffInfoArray", ("<recipient>YYCBA", "<recipient>YY-CBA"))
        assert record.find(".//{*}tariffRestriction") is not None
        assert record_schema().validate(record)

    @pytest.mark.parametrize(
        "content",
        [
            "<ratings><nominalVoltage>400</nominalVoltage></ratings>",
            '<ratings colour="red"/>',
            "<ratings>400 V</ratings>",
            "<ratings/>text behind it",
        ],
    )
    def test_with_content_it_is_left(self, content: str) -> None:
        _, done = changed(
            "chargePointInfoArray", ("<userInterfaceLang>", content + "<userInterfaceLang>")
        )
        assert done == []


class TestOrder:
    def test_of_a_record(self) -> None:
        record, done = changed(
            "cdrInfoArray",
            ("<currency>EUR</currency>", ""),
            ("<CdrId>DEABC0001</CdrId>", "<currency>EUR</currency>\n<CdrId>DEABC0001</CdrId>"),
        )
        assert [one.field for one in done] == ["cdrInfoArray"]
        assert done[0].was.startswith("currency, CdrId, evseId")
        assert done[0].now.startswith("CdrId, evseId")
        assert content(record) == content(valid("cdrInfoArray"))
        assert record_schema().validate(record)

    def test_inside_a_record_repeated_elements_keep_theirs(self) -> None:
        record, done = changed(
            "TariffInfoArray",
            ("<recipient>YYCBA</recipient>", ""),
            ("<individualTariff>", "<individualTariff><recipient>YYCBA</recipient>"),
        )
        assert [one.field for one in done] == ["individualTariff"]
        recipients = [element.text for element in record.iter("{*}recipient")]
        prices = [element.text for element in record.iter("{*}itemPrice")]
        assert recipients == ["YYCBA", "NLEM2"]
        assert prices == ["2.0", "0.3"]
        assert record_schema().validate(record)

    def test_with_an_unknown_element_it_is_left(self) -> None:
        record, done = changed(
            "approved",
            ("<cdrId>DEABC0001</cdrId>", ""),
            ("</evseId>", "</evseId><cdrId>DEABC0001</cdrId><colour>red</colour>"),
        )
        assert done == []
        assert names(record) == ["evseId", "cdrId", "colour"]


class TestValues:
    def test_time_with_milliseconds_and_offset(self) -> None:
        record, done = changed(
            "roamingAuthorisationInfoArray",
            ("2030-12-31T23:59:59Z", "2031-01-01T01:59:59.999+02:00"),
        )
        assert [(one.field, one.was, one.now) for one in done] == [
            (
                "expiryDate/DateTime",
                "2031-01-01T01:59:59.999+02:00",
                "2031-01-01T01:59:59+02:00",
            ),
            ("expiryDate/DateTime", "2031-01-01T01:59:59+02:00", "2030-12-31T23:59:59Z"),
        ]
        assert content(record) == content(valid("roamingAuthorisationInfoArray"))

    def test_local_time_with_milliseconds_and_z(self) -> None:
        record, done = changed(
            "cdrInfoArray", ("2016-06-01T13:45:30+02:00", "2016-06-01T11:45:30.000Z")
        )
        assert [one.now for one in done] == ["2016-06-01T11:45:30Z", "2016-06-01T11:45:30+00:00"]
        assert record_schema().validate(record)

    @pytest.mark.parametrize("text", ["2030-12-31T23:59:59", "2030-12-31T23:59:59.5", "tomorrow"])
    def test_time_without_zone_is_left(self, text: str) -> None:
        _, done = changed("roamingAuthorisationInfoArray", ("2030-12-31T23:59:59Z", text))
        assert done == []

    @pytest.mark.parametrize("text", ["2016-06-01T13:45:30", "2016-06-01"])
    def test_local_time_without_offset_is_left(self, text: str) -> None:
        _, done = changed("cdrInfoArray", ("2016-06-01T13:45:30+02:00", text))
        assert done == []

    def test_bare_dates(self) -> None:
        record, done = changed(
            "roamingAuthorisationInfoArray", ("2030-12-31T23:59:59Z", "2030-12-31")
        )
        assert [one.now for one in done] == ["2030-12-31T00:00:00Z"]
        assert record_schema().validate(record)
        record, done = changed("parking", ("2016-06-01T13:45:30Z", "2016-06-01"))
        assert [(one.field, one.now) for one in done] == [("@ttl", "2016-06-01T00:00:00Z")]
        assert record_schema().validate(record)

    def test_the_date_of_an_endpoint_stays_a_date(self) -> None:
        record, done = changed("providerEndpointArray", ("2016-06-01", "2016-06-01Z"))
        assert done == []
        assert record.findtext("{*}validDate") == "2016-06-01Z"

    def test_whole_numbers(self) -> None:
        record, done = changed(
            "chargePointInfoArray",
            (" 800 ", "800.0"),
            ('weekday="1"', 'weekday="1.0"'),
            (">30<", ">30.00<"),
        )
        assert [(one.field, one.now) for one in done] == [
            ("maxReservation", "30"),
            ("images/width", "800"),
            ("openingTimes/regularHours[1]/@weekday", "1"),
        ]
        assert record_schema().validate(record)

    def test_decimals_of_a_price_stay(self) -> None:
        record, done = changed("cdrInfoArray", ("<taxrate>19<", "<taxrate>19.0<"))
        assert [one.field for one in done] == ["chargingPeriods[1]/taxrate"]
        assert record.findtext(".//{*}billingValue") == "15.0"

    def test_the_rest(self) -> None:
        record, done = changed(
            "chargePointInfoArray",
            ('lat="50.770774"', 'lat="50.7707744"'),
            ('lon="6.083887"', 'lon="6.08"'),
            ("<locationNameLang>DEU", "<locationNameLang>deu"),
            ("<userInterfaceLang>FRA", "<userInterfaceLang>fra"),
            ("<address>Markt 1<", "<houseNumber>1a</houseNumber><address>Markt<"),
            ("52072", "8011 pk"),
            (">Chademo<", ">IEC-62196-T2-COMBO<"),
        )
        assert {one.field: one.now for one in done} == {
            "chargePointLocation/@lat": "50.770774",
            "relatedLocation/@lon": "6.080000",
            "locationNameLang": "DEU",
            "userInterfaceLang[2]": "FRA",
            "chargePointAddress/houseNumber": "1A",
            "chargePointAddress/zipCode": "8011 PK",
            "connectors/connectorStandard/ConnectorStandard": "IEC_62196_T2_COMBO",
        }
        assert record_schema().validate(record)

    def test_lower_case_elsewhere_is_left(self) -> None:
        _, done = changed("cdrInfoArray", ("<country>DEU", "<country>deu"))
        assert done == []


def test_one_field_of_a_request() -> None:
    field = parse("lastUpdate", "<DateTime>2016-06-01T13:45:30.123Z</DateTime>")
    done = repair(field, "DateTimeType")
    assert [(one.field, one.now) for one in done] == [("DateTime", "2016-06-01T13:45:30Z")]


def test_every_text_is_one_sentence() -> None:
    for value_repair in VALUE_REPAIRS:
        assert value_repair.text.endswith(".")
        assert value_repair.text.count(". ") == 0


class TestFieldsOfTheSchema:
    """The lists of names in the repairs are those of the contract."""

    def test_whole_numbers(self) -> None:
        found = set()
        for node in merged_schema().iter(f"{XSD}element", f"{XSD}attribute"):
            restriction = node.find(f"{XSD}simpleType/{XSD}restriction")
            base = node.get("type") if restriction is None else restriction.get("base")
            if str(base).endswith(":int"):
                found.add(("@" if node.tag == f"{XSD}attribute" else "") + str(node.get("name")))
        assert found == WHOLE_NUMBERS

    def test_connector_standards(self) -> None:
        node = merged_schema().find(f".//{XSD}complexType[@name='ConnectorStandard']")
        assert node is not None
        found = {str(value.get("value")) for value in node.iter(f"{XSD}enumeration")}
        assert found - {"Chademo"} == CONNECTOR_STANDARDS

    def test_every_field_exists(self) -> None:
        known = {child.name for shape in complex_types().values() for child in shape.children}
        known |= {f"@{name}" for shape in complex_types().values() for name in shape.attributes}
        for value_repair in VALUE_REPAIRS:
            assert value_repair.fields <= known


_TEXTS = st.sampled_from(
    [
        *("", " ", "15.0", "2016-06-01", "2016-06-01T13:45:30.5+02:00", "2016-06-01T13:45:30Z"),
        *("deu", "50.1", "SHA256", "IEC-62196-T2", "YY-CBA", "12a", "2016-06-01T13:45:30.5Z"),
    ]
)


@st.composite
def _spoiled_records(draw: st.DrawFn) -> tuple[str, etree._Element]:
    """Return a valid record with some of its elements emptied, renamed, moved or rewritten."""
    name = draw(st.sampled_from(sorted(VALID)))
    record = valid(name)
    for _ in range(draw(st.integers(1, 6))):
        elements = list(record.iter())[1:]
        element = elements[draw(st.integers(0, len(elements) - 1))]
        parent = element.getparent()
        assert parent is not None
        match draw(st.sampled_from(["text", "attribute", "empty", "name", "copy", "move"])):
            case "text":
                element.text = draw(_TEXTS)
            case "attribute":
                attribute = draw(st.sampled_from(["lat", "ttl", "representation", "weekday"]))
                qualified = draw(st.booleans())
                prefix = f"{{{NAMESPACE}}}" if qualified else ""
                element.set(prefix + attribute, draw(_TEXTS))
            case "empty":
                element.clear()
            case "name":
                other = draw(st.sampled_from(["cdrId", "CdrId", "EmtId", "emtId", "floorlevel"]))
                element.tag = f"{{{NAMESPACE}}}{other}"
            case "copy":
                parent.append(copy.deepcopy(element))
            case _:
                parent.insert(0, element)
    return name, record


@settings(max_examples=150, deadline=None)
@given(_spoiled_records())
def test_repairing_twice_is_repairing_once(spoiled: tuple[str, etree._Element]) -> None:
    name, record = spoiled
    repair(record, record_types()[name])
    once = content(record)
    assert repair(record, record_types()[name]) == []
    assert content(record) == once


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(VALID)), st.randoms(use_true_random=False))
def test_any_order_is_put_right_and_nothing_lost(name: str, source: random.Random) -> None:
    record = valid(name)
    before = sorted(leaves(record))
    for element in list(record.iter()):
        children = list(element)
        source.shuffle(children)
        for child in children:
            element.append(child)
    repair(record, record_types()[name])
    record_schema().assertValid(record)
    assert sorted(leaves(record)) == before
