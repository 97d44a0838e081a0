"""Charge point data in the round trip: from a CPO to those who navigate and bill."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lxml import etree

from ochp_chs.demo.client import text_of
from ochp_chs.demo.partners import CPO, EMP, EMP2, NSP
from ochp_chs.demo.step import Step, Trip, moment_xml, told

TIME_ZONE = "Europe/Berlin"
TARIFF_ID = "DE*CPO*T0001"

_ITEM = "chargePointInfoArray"

ADDRESS_XML = (
    "<chargePointAddress><houseNumber>1</houseNumber><address>Marktplatz</address>"
    "<city>Musterstadt</city><zipCode>12345</zipCode><country>DEU</country></chargePointAddress>"
)


@dataclass(frozen=True, slots=True)
class Evse:
    """An EVSE of demo-cpo; both stand at one place."""

    evse_id: str
    current: str
    connector: str
    connector_format: str
    power_kw: str
    parking_id: str

    @property
    def connector_xml(self) -> str:
        """What stands in a ConnectorType."""
        return (
            f"<connectorStandard><ConnectorStandard>{self.connector}</ConnectorStandard>"
            "</connectorStandard><connectorFormat>"
            f"<ConnectorFormat>{self.connector_format}</ConnectorFormat></connectorFormat>"
            f"<tariffId>{TARIFF_ID}</tariffId>"
        )

    @property
    def ratings_xml(self) -> str:
        """What stands in a RatingsType."""
        return f"<maximumPower>{self.power_kw}</maximumPower>"


AC = Evse("DE*CPO*E0001*1", "AC", "IEC_62196_T2", "Socket", "22.0", "DE*CPO*P0001")
DC = Evse("DE*CPO*E0001*2", "DC", "IEC_62196_T2_COMBO", "Cable", "150.0", "DE*CPO*P0002")


def play(trip: Trip) -> Iterator[Step]:
    """Send two EVSEs, read them as NSP and EMP, take one out of service, and follow the change."""
    reply = trip.call(CPO, "SetChargepointList", _record(trip, AC) + _record(trip, DC))
    yield told(reply, "Two EVSEs at one place, AC and DC, are the CPO's whole list now.")
    for reader in (NSP, EMP):
        reply = trip.call(reader, "GetChargePointList")
        found = reply.records(_ITEM)
        yield told(
            reply,
            f"A connected {reader.roles[0].upper()} gets them: {len(found)} EVSEs.",
            holds={AC.evse_id, DC.evse_id} <= _evse_ids(found),
        )
    reply = trip.call(CPO, "UpdateChargePointList", _record(trip, DC, "Inoperative"))
    yield told(reply, "One of them is out of service.")
    reply = trip.call(NSP, "GetChargePointListUpdates", moment_xml("lastUpdate", trip.now))
    statuses = {
        text_of(record, "evseId"): text_of(record, "status", "ChargePointStatusType")
        for record in reply.records(_ITEM)
    }
    yield told(
        reply,
        f"The changes since this demo began tell so: {DC.evse_id} is"
        f" {statuses.get(DC.evse_id, 'not among them')}.",
        holds=statuses.get(DC.evse_id) == "Inoperative",
    )
    reply = trip.call(EMP2, "GetChargePointList")
    yield told(
        reply,
        "demo-emp2 is connected to nobody, and gets nothing.",
        expected="roaming",
        holds=not reply.records(_ITEM),
    )


def _record(trip: Trip, evse: Evse, status: str = "Operative") -> str:
    return (
        f"<{_ITEM}><evseId>{evse.evse_id}</evseId><locationId>DEMO 1</locationId>"
        f"{moment_xml('timestamp', trip.now)}<locationName>Marktplatz</locationName>"
        f"<locationNameLang>DEU</locationNameLang>{ADDRESS_XML}"
        f'<chargePointLocation lat="52.520008" lon="13.404954"/><timeZone>{TIME_ZONE}</timeZone>'
        f"<status><ChargePointStatusType>{status}</ChargePointStatusType></status>"
        "<location><GeneralLocationType>on-street</GeneralLocationType></location>"
        f"<parkingSpot><parkingId>{evse.parking_id}</parkingId></parkingSpot>"
        "<authMethods><AuthMethodType>RfidMifareCls</AuthMethodType></authMethods>"
        f"<connectors>{evse.connector_xml}</connectors>"
        f"<chargePointType>{evse.current}</chargePointType>"
        f"<ratings>{evse.ratings_xml}</ratings></{_ITEM}>"
    )


def _evse_ids(records: Sequence[etree._Element]) -> set[str]:
    return {text_of(record, "evseId") for record in records}
