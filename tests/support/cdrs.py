"""CDRs as XML and as records: one valid CDR, of which a test breaks one thing."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from lxml import etree

from ochp_chs.ochp.operations import NAMESPACE
from ochp_chs.ochp.records.cdr import Cdr, decode
from ochp_chs.rules.context import Context, KnownEvse

START = "2026-01-05T10:00:00+01:00"
MIDDLE = "2026-01-05T11:00:00+01:00"
END = "2026-01-05T12:00:00+01:00"

#: The server's time in the tests: the day after the session.
NOW = datetime(2026, 1, 6, 9, 0, tzinfo=UTC)


def period_xml(
    item: str = "energy",
    value: str = "10.0",
    price: str = "0.30",
    cost: str | None = None,
    *,
    start: str = START,
    end: str = END,
    tax_rate: str | None = None,
) -> str:
    """One chargingPeriods element."""
    cost_xml = "" if cost is None else f"<periodCost>{cost}</periodCost>"
    tax_xml = "" if tax_rate is None else f"<taxrate>{tax_rate}</taxrate>"
    return (
        f"<chargingPeriods><startDateTime><LocalDateTime>{start}</LocalDateTime></startDateTime>"
        f"<endDateTime><LocalDateTime>{end}</LocalDateTime></endDateTime>"
        f"<billingItem><BillingItemType>{item}</BillingItemType></billingItem>"
        f"<billingValue>{value}</billingValue><itemPrice>{price}</itemPrice>"
        f"{cost_xml}{tax_xml}</chargingPeriods>"
    )


DEFAULT_PERIODS = (period_xml(cost="3.00"),)


def cdr_xml(
    *,
    element: str = "cdrInfoArray",
    cdr_id: str = "DECPO0000000001",
    evse_id: str = "DE*CPO*E1234*1",
    instance: str = "04A1B2C3D4",
    token_type: str = "rfid",
    sub_type: str | None = None,
    representation: str | None = None,
    contract_id: str = "DE-EMP-C00000001",
    status: str = "new",
    start: str = START,
    end: str = END,
    duration: str | None = "002:00:00",
    country: str = "DEU",
    charge_point_type: str = "AC",
    connector: str = "IEC_62196_T2",
    tariff_id: str | None = None,
    ratings: str | None = "<maximumPower>22.0</maximumPower>",
    meter_id: str | None = None,
    periods: Sequence[str] = DEFAULT_PERIODS,
    total_cost: str | None = "3.00",
    currency: str = "EUR",
) -> str:
    """One CDRInfo, in the default namespace of the request around it."""
    attribute = f' representation="{representation}"' if representation else ""

    def optional(name: str, text: str | None) -> str:
        return "" if text is None else f"<{name}>{text}</{name}>"

    return (
        f"<{element}><CdrId>{cdr_id}</CdrId><evseId>{evse_id}</evseId>"
        f"<emtId{attribute}><instance>{instance}</instance><tokenType>{token_type}</tokenType>"
        f"{optional('tokenSubType', sub_type)}</emtId><contractId>{contract_id}</contractId>"
        f"<status><CdrStatusType>{status}</CdrStatusType></status>"
        f"<startDateTime><LocalDateTime>{start}</LocalDateTime></startDateTime>"
        f"<endDateTime><LocalDateTime>{end}</LocalDateTime></endDateTime>"
        f"{optional('duration', duration)}"
        f"<chargePointAddress><address>Hauptplatz 1</address><city>Musterstadt</city>"
        f"<zipCode>12345</zipCode><country>{country}</country></chargePointAddress>"
        f"<chargePointType>{charge_point_type}</chargePointType>"
        f"<connectorType><connectorStandard><ConnectorStandard>{connector}</ConnectorStandard>"
        f"</connectorStandard><connectorFormat><ConnectorFormat>Socket</ConnectorFormat>"
        f"</connectorFormat>{optional('tariffId', tariff_id)}</connectorType>"
        f"{optional('ratings', ratings)}{optional('meterId', meter_id)}{''.join(periods)}"
        f"{optional('totalCost', total_cost)}<currency>{currency}</currency></{element}>"
    )


def confirmation_xml(
    wish: str, cdr_id: str = "DECPO0000000001", evse_id: str = "DE*CPO*E1234*1"
) -> str:
    """One entry of ConfirmCDRs; `wish` is approved or declined."""
    return f"<{wish}><cdrId>{cdr_id}</cdrId><evseId>{evse_id}</evseId></{wish}>"


def element_of(xml: str) -> etree._Element:
    """A record alone, in the namespace of OCHP 1.4."""
    name_end = min(place for place in (xml.find(">"), xml.find(" ")) if place > 0)
    return etree.fromstring(f'{xml[:name_end]} xmlns="{NAMESPACE}"{xml[name_end:]}')


def make_cdr(**changes: object) -> Cdr:
    """The valid CDR with some of `cdr_xml`'s arguments changed, decoded."""
    cdr = decode(element_of(cdr_xml(**changes)))  # type: ignore[arg-type]
    assert isinstance(cdr, Cdr), cdr
    return cdr


def make_context(**changes: object) -> Context:
    """What is known when the valid CDR arrives: nothing in it is wrong or unusual."""
    cdr = make_cdr()
    known: dict[str, object] = {
        "now": NOW,
        "operator_ids": frozenset({"DECPO"}),
        "providers": {"DEEMP": True},
        "evses": {cdr.evse_key: KnownEvse("Europe/Berlin", (), Decimal(22))},
        "listed_tokens": frozenset({(cdr.contract_key, cdr.token)}),
    }
    return Context(**(known | changes))  # type: ignore[arg-type]
