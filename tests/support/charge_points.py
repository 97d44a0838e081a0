"""Charge points as XML, in the default namespace of the request around them."""

CONNECTOR = (
    "<connectors><connectorStandard><ConnectorStandard>{standard}</ConnectorStandard>"
    "</connectorStandard><connectorFormat><ConnectorFormat>Socket</ConnectorFormat>"
    "</connectorFormat>{tariff}</connectors>"
)


def connector_xml(standard: str = "IEC_62196_T2", tariff_id: str | None = None) -> str:
    """One ConnectorType."""
    tariff = f"<tariffId>{tariff_id}</tariffId>" if tariff_id else ""
    return CONNECTOR.format(standard=standard, tariff=tariff)


def status_xml(status: str) -> str:
    """One ChargePointStatusType."""
    return f"<status><ChargePointStatusType>{status}</ChargePointStatusType></status>"


def schedule_xml(start: str, end: str | None, status: str) -> str:
    """One statusSchedule."""
    end_xml = f"<endDate><DateTime>{end}</DateTime></endDate>" if end else ""
    return (
        f"<statusSchedule><startDate><DateTime>{start}</DateTime></startDate>{end_xml}"
        f"{status_xml(status)}</statusSchedule>"
    )


def parking_xml(parking_id: str) -> str:
    """One ParkingSpotInfo."""
    return f"<parkingSpot><parkingId>{parking_id}</parkingId></parkingSpot>"


def address_xml(street: str = "Hauptstraße", number: str | None = "5", country: str = "DEU") -> str:
    """One chargePointAddress."""
    number_xml = f"<houseNumber>{number}</houseNumber>" if number else ""
    return (
        f"<chargePointAddress>{number_xml}<address>{street}</address><city>Köln</city>"
        f"<zipCode>50667</zipCode><country>{country}</country></chargePointAddress>"
    )


def charge_point_xml(
    evse_id: str = "DE*CPO*E1234*1",
    *,
    location_id: str = "LOC 1",
    timestamp: str | None = None,
    name: str = "Rathaus",
    language: str = "DEU",
    address: str | None = None,
    position: tuple[str, str] = ("50.941278", "6.958281"),
    related: str = "",
    time_zone: str | None = "<timeZone>Europe/Berlin</timeZone>",
    opening_times: str = "",
    status: str = "",
    telephone: str = "",
    parking: str = "",
    connectors: str | None = None,
    current: str = "AC",
    ratings: str = "",
    interface_languages: str = "",
    element: str = "chargePointInfoArray",
) -> str:
    """One ChargePointInfo; arguments that end in XML stand as they are, empty ones are absent."""
    timestamp_xml = f"<timestamp><DateTime>{timestamp}</DateTime></timestamp>" if timestamp else ""
    latitude, longitude = position
    return (
        f"<{element}><evseId>{evse_id}</evseId><locationId>{location_id}</locationId>"
        f"{timestamp_xml}<locationName>{name}</locationName>"
        f"<locationNameLang>{language}</locationNameLang>{address or address_xml()}"
        f'<chargePointLocation lat="{latitude}" lon="{longitude}"/>{related}{time_zone or ""}'
        f"{opening_times}{status}{telephone}"
        "<location><GeneralLocationType>on-street</GeneralLocationType></location>"
        f"{parking}<authMethods><AuthMethodType>RfidMifareCls</AuthMethodType></authMethods>"
        f"{connectors or connector_xml()}<chargePointType>{current}</chargePointType>"
        f"{ratings}{interface_languages}</{element}>"
    )
