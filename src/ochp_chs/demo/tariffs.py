"""Tariffs in the round trip: a default, and a price of its own for one EMP."""

from collections.abc import Iterator
from decimal import Decimal

from lxml import etree

from ochp_chs.demo.charge_points import TARIFF_ID
from ochp_chs.demo.client import Reply, text_of
from ochp_chs.demo.partners import CPO, EMP, EMP2
from ochp_chs.demo.step import Step, Trip, told

#: What the EMP of the demo pays for a kWh, and what everybody else does, in EUR.
PRICE_PER_KWH = Decimal("0.25")
_DEFAULT_PRICE = Decimal("0.39")

_ITEM = "TariffInfoArray"


def play(trip: Trip) -> Iterator[Step]:
    """Send a tariff and read it as one of its recipients, and as a stranger."""
    content = (
        f"<{_ITEM}><tariffId>{TARIFF_ID}</tariffId>"
        f"{_individual(_DEFAULT_PRICE)}{_individual(PRICE_PER_KWH, 'DEEMP')}</{_ITEM}>"
    )
    reply = trip.call(CPO, "UpdateTariffs", content)
    yield told(
        reply,
        f"A kWh is {_DEFAULT_PRICE} EUR by default, and {PRICE_PER_KWH} EUR for demo-emp.",
    )
    reply = trip.call(EMP, "GetTariffUpdates")
    prices = _prices(reply)
    yield told(
        reply,
        f"demo-emp sees what is meant for it, and nothing else: {', '.join(prices)} EUR.",
        holds=prices == [str(PRICE_PER_KWH)] and not _recipients(reply),
    )
    reply = trip.call(EMP2, "GetTariffUpdates")
    yield told(
        reply,
        "demo-emp2 is connected to nobody, and gets nothing.",
        expected="roaming",
        holds=not reply.records(_ITEM),
    )


def _individual(price: Decimal, recipient: str | None = None) -> str:
    named = f"<recipient>{recipient}</recipient>" if recipient else ""
    return (
        "<individualTariff><tariffElement><priceComponent>"
        "<billingItem><BillingItemType>energy</BillingItemType></billingItem>"
        f"<itemPrice>{price}</itemPrice><stepSize>0</stepSize></priceComponent>"
        f"<tariffRestriction/></tariffElement>{named}<currency>EUR</currency></individualTariff>"
    )


def _prices(reply: Reply) -> list[str]:
    return [
        text_of(element, "priceComponent", "itemPrice")
        for record in _own(reply)
        for element in record.iterfind("{*}individualTariff/{*}tariffElement")
    ]


def _recipients(reply: Reply) -> bool:
    return any(
        record.find("{*}individualTariff/{*}recipient") is not None for record in _own(reply)
    )


def _own(reply: Reply) -> Iterator[etree._Element]:
    """The tariff of this demo among all that the caller sees."""
    return (each for each in reply.records(_ITEM) if text_of(each, "tariffId") == TARIFF_ID)
