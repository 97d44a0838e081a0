"""CDRInfo as the plausibility rules need it (PROTOCOL, "CDRs"; specification, "CDRInfo")."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from lxml import etree

from ochp_chs.ochp.identifiers import contract_key, evse_key, party_of
from ochp_chs.ochp.operations import NAMESPACE
from ochp_chs.ochp.records.billing import BILLING_ITEMS, BillingItem
from ochp_chs.ochp.records.decimals import product
from ochp_chs.ochp.records.problems import Problems
from ochp_chs.ochp.violations import Violation

_IN = f"{{{NAMESPACE}}}"
_PERIOD = f"{_IN}chargingPeriods"
_PERIOD_COST = f"{_IN}periodCost"
_GUARANTEED_POWER = f"{_IN}guaranteedPower"

#: Children of CDRInfo that are always there, in this order, before the first optional one.
_LEADING = 7


class CdrStatus(StrEnum):
    """CdrStatusType of the contract."""

    NEW = "new"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    DECLINED = "declined"
    APPROVED = "approved"
    REVISED = "revised"


_STATUSES = {status.value: status for status in CdrStatus}


@dataclass(frozen=True, slots=True)
class Token:
    """The token of a session as it was sent (specification, "EmtId"); usable as a key."""

    instance: str
    token_type: str
    representation: str = "plain"
    sub_type: str | None = None


@dataclass(frozen=True, slots=True)
class Connector:
    """The outlet that was used: wire names of its standard and format, its tariff if given."""

    standard: str
    format: str
    tariff_id: str | None = None


@dataclass(frozen=True, slots=True)
class Ratings:
    """What the charge point can deliver: powers in kW, voltage in V."""

    maximum_power: Decimal
    guaranteed_power: Decimal | None = None
    nominal_voltage: int | None = None


class Period(NamedTuple):
    """One item on the bill. The texts are the numbers as they were sent.

    `value` is in hours, kWh or kW or is a multiplier, as the item has it; `price` per unit and
    `cost` are in the CDR's currency, `tax_rate` in percent.
    """

    start: datetime
    end: datetime
    item: BillingItem
    value: Decimal
    price: Decimal
    cost: Decimal | None
    tax_rate: int | None
    value_text: str
    price_text: str
    cost_text: str | None

    @property
    def cost_or_product(self) -> Decimal:
        """What the period costs: as sent, else value times price, exactly."""
        return product(self.value, self.price) if self.cost is None else self.cost


@dataclass(frozen=True, slots=True)
class Cdr:
    """One charge detail record; IDs as they were sent, with the keys they are compared by.

    `operator` and `provider` are the five characters of the EVSE-ID's and the contract ID's
    party. Times are aware and keep the offset they were sent with.
    """

    cdr_id: str
    evse_id: str
    evse_key: str
    operator: str
    token: Token
    contract_id: str
    contract_key: str
    provider: str
    status: CdrStatus
    start: datetime
    end: datetime
    duration: timedelta | None
    country: str
    charge_point_type: str
    connector: Connector
    ratings: Ratings | None
    meter_id: str | None
    periods: tuple[Period, ...]
    total_cost: Decimal | None
    total_cost_text: str | None
    currency: str


def decode(record: etree._Element) -> Cdr | list[Violation]:
    """Read one record, or say everything in it that has no meaning. Raises nothing.

    The record is valid against the XSD type CDRInfo and was parsed without comments and
    processing instructions, so that its children stand where the schema puts them.
    """
    problems = Problems()
    cdr = _read(record, problems)
    return problems.found or cdr


def _read(record: etree._Element, problems: Problems) -> Cdr:
    children = list(record)
    cdr_id, evse_id, contract_id = (_text(children[place]) for place in (0, 1, 3))
    rest: dict[str, etree._Element] = {}
    periods: list[Period] = []
    for child in children[_LEADING:]:
        tag = child.tag
        if tag == _PERIOD:
            periods.append(_period(child, len(periods) + 1, problems))
        else:
            # The namespace and its brackets go: what is left is the field's name.
            rest[tag[len(_IN) :]] = child
    duration, ratings, meter_id, total_cost = (
        rest.get(name) for name in ("duration", "ratings", "meterId", "totalCost")
    )
    total_text = None if total_cost is None else _text(total_cost).strip()
    return Cdr(
        cdr_id=cdr_id,
        evse_id=evse_id,
        evse_key=evse_key(evse_id),
        operator=party_of(evse_id),
        token=_token(children[2]),
        contract_id=contract_id,
        contract_key=contract_key(contract_id),
        provider=party_of(contract_id),
        status=_STATUSES[_text(children[4][0])],
        start=problems.local_date_time(children[5], "startDateTime"),
        end=problems.local_date_time(children[6], "endDateTime"),
        duration=None if duration is None else problems.duration(_text(duration), "duration"),
        country=_text(rest["chargePointAddress"][-1]),
        charge_point_type=_text(rest["chargePointType"]),
        connector=_connector(rest["connectorType"]),
        ratings=None if ratings is None else _ratings(ratings, problems),
        meter_id=None if meter_id is None else _text(meter_id),
        periods=tuple(periods),
        total_cost=None if total_text is None else problems.decimal(total_text, "totalCost"),
        total_cost_text=total_text,
        currency=_text(rest["currency"]).strip(),
    )


def _text(element: etree._Element) -> str:
    return element.text or ""


def _token(emt_id: etree._Element) -> Token:
    return Token(
        _text(emt_id[0]),
        _text(emt_id[1]),
        str(emt_id.get("representation", "plain")),
        _text(emt_id[2]) if len(emt_id) > 2 else None,
    )


def _connector(element: etree._Element) -> Connector:
    return Connector(
        _text(element[0][0]),
        _text(element[1][0]),
        _text(element[2]) if len(element) > 2 else None,
    )


def _ratings(element: etree._Element, problems: Problems) -> Ratings:
    guaranteed = None
    voltage = None
    for child in list(element)[1:]:
        if child.tag == _GUARANTEED_POWER:
            guaranteed = problems.decimal(_text(child).strip(), "ratings/guaranteedPower")
        else:
            voltage = problems.integer(_text(child), "ratings/nominalVoltage")
    maximum = problems.decimal(_text(element[0]).strip(), "ratings/maximumPower")
    return Ratings(maximum, guaranteed, voltage)


def _period(element: etree._Element, position: int, problems: Problems) -> Period:
    field = f"chargingPeriods[{position}]"
    start, end, item, value, price, *rest = element
    value_text = _text(value).strip()
    price_text = _text(price).strip()
    cost_text: str | None = None
    tax_rate: int | None = None
    for child in rest:
        if child.tag == _PERIOD_COST:
            cost_text = _text(child).strip()
        else:
            tax_rate = problems.integer(_text(child), f"{field}/taxrate")
    return Period(
        problems.local_date_time(start, f"{field}/startDateTime"),
        problems.local_date_time(end, f"{field}/endDateTime"),
        BILLING_ITEMS[_text(item[0])],
        problems.decimal(value_text, f"{field}/billingValue"),
        problems.decimal(price_text, f"{field}/itemPrice"),
        None if cost_text is None else problems.decimal(cost_text, f"{field}/periodCost"),
        tax_rate,
        value_text,
        price_text,
        cost_text,
    )
