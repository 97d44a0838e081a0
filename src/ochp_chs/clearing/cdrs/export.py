"""CDRs as rows of a table, one per CDR or one per charging period: texts as they were sent."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from lxml import etree

from ochp_chs.clearing.cdrs.content import parse_content
from ochp_chs.clearing.cdrs.history import wanted_cdrs
from ochp_chs.ochp.records.billing import BillingItem
from ochp_chs.ochp.records.cdr import CdrStatus
from ochp_chs.ochp.records.decimals import parse_decimal, product, total
from ochp_chs.repository import cdr_history
from ochp_chs.repository.cdr_history import ListedCdr
from ochp_chs.repository.engine import Database


@dataclass(frozen=True, slots=True)
class Number:
    """A cell that is a number, by its decimal text."""

    text: str


Cell = str | Number
Row = list[Cell]


@dataclass(frozen=True, slots=True)
class Export:
    """A table in the making: its columns, how many CDRs there are, and each CDR's rows."""

    columns: Sequence[str]
    cdrs_count: int
    rows_by_cdr: Iterator[list[Row]]


@contextmanager
def exported(
    database: Database,
    status: CdrStatus | None = None,
    partner: str | None = None,
    *,
    by_period: bool = False,
) -> Iterator[Export]:
    """The wanted CDRs, the oldest first, streamed from one snapshot; PartnerUnknown."""
    with database.snapshot() as connection:
        wanted = wanted_cdrs(connection, status, partner)
        yield Export(
            [*_CDR_COLUMNS, *(_PERIOD_COLUMNS if by_period else ())],
            cdr_history.count_cdrs(connection, wanted),
            (_rows(cdr, by_period) for cdr in cdr_history.stream_cdrs(connection, wanted)),
        )


def _rows(cdr: ListedCdr, by_period: bool) -> list[Row]:
    content = parse_content(cdr.payload)
    row = [read(cdr, content) for read in _CDR_COLUMNS.values()]
    if not by_period:
        return [row]
    return [
        [*row, Number(str(position)), *(read(cdr, period) for read in _PERIOD_READERS)]
        for position, period in enumerate(content.iterfind("chargingPeriods"), 1)
    ]


_Read = Callable[[ListedCdr, etree._Element], Cell]


def _text(path: str) -> _Read:
    return lambda _, element: element.findtext(path) or ""


def _number(path: str) -> _Read:
    def read(_: ListedCdr, element: etree._Element) -> Cell:
        text = (element.findtext(path) or "").strip()
        return Number(text) if text else ""

    return read


def _address(_: ListedCdr, content: etree._Element) -> Cell:
    parts = ("address", "houseNumber")
    found = (content.findtext(f"chargePointAddress/{part}") for part in parts)
    return " ".join(text for text in found if text)


def _representation(_: ListedCdr, content: etree._Element) -> Cell:
    token = content.find("emtId")
    return "plain" if token is None else str(token.get("representation", "plain"))


def _energy(_: ListedCdr, content: etree._Element) -> Cell:
    """The sum of all energy items, in kWh, exactly."""
    energies = [
        parse_decimal(period.findtext("billingValue") or "")
        for period in content.iterfind("chargingPeriods")
        if period.findtext("billingItem/BillingItemType") == BillingItem.ENERGY
    ]
    return Number(f"{total(energies):f}") if energies else ""


def _sum_of_costs(_: ListedCdr, content: etree._Element) -> Cell:
    """What the periods cost together, exactly: for CDRs without total, and to compare."""
    costs = []
    for period in content.iterfind("chargingPeriods"):
        cost = period.findtext("periodCost")
        if cost is not None:
            costs.append(parse_decimal(cost))
        else:
            value, price = (period.findtext(name) or "" for name in ("billingValue", "itemPrice"))
            costs.append(product(parse_decimal(value), parse_decimal(price)))
    return Number(f"{total(costs):f}") if costs else ""


_CDR_COLUMNS: dict[str, _Read] = {
    "CdrId": lambda cdr, _: cdr.cdr_id,
    "status": lambda cdr, _: cdr.status.value,
    "version": lambda cdr, _: Number(str(cdr.version)),
    "acceptedAt": lambda cdr, _: f"{cdr.accepted_at:%Y-%m-%dT%H:%M:%SZ}",
    "statusSince": lambda cdr, _: f"{cdr.status_at:%Y-%m-%dT%H:%M:%SZ}",
    "operator": lambda cdr, _: cdr.operator,
    "provider": lambda cdr, _: cdr.provider,
    "evseId": _text("evseId"),
    "contractId": _text("contractId"),
    "tokenInstance": _text("emtId/instance"),
    "tokenType": _text("emtId/tokenType"),
    "tokenSubType": _text("emtId/tokenSubType"),
    "tokenRepresentation": _representation,
    "startDateTime": _text("startDateTime/LocalDateTime"),
    "endDateTime": _text("endDateTime/LocalDateTime"),
    "duration": _text("duration"),
    "address": _address,
    "zipCode": _text("chargePointAddress/zipCode"),
    "city": _text("chargePointAddress/city"),
    "country": _text("chargePointAddress/country"),
    "chargePointType": _text("chargePointType"),
    "connectorStandard": _text("connectorType/connectorStandard/ConnectorStandard"),
    "connectorFormat": _text("connectorType/connectorFormat/ConnectorFormat"),
    "tariffId": _text("connectorType/tariffId"),
    "maximumPower": _number("ratings/maximumPower"),
    "meterId": _text("meterId"),
    "energyKwh": _energy,
    "sumOfCosts": _sum_of_costs,
    "totalCost": _number("totalCost"),
    "currency": _text("currency"),
}

_PERIODS: dict[str, _Read] = {
    "periodStart": _text("startDateTime/LocalDateTime"),
    "periodEnd": _text("endDateTime/LocalDateTime"),
    "billingItem": _text("billingItem/BillingItemType"),
    "billingValue": _number("billingValue"),
    "itemPrice": _number("itemPrice"),
    "periodCost": _number("periodCost"),
    "taxrate": _number("taxrate"),
}
_PERIOD_COLUMNS = ("period", *_PERIODS)
_PERIOD_READERS = tuple(_PERIODS.values())
