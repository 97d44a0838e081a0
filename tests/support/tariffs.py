"""Tariffs as XML, and as a partner gets them."""

from collections.abc import Sequence

from lxml import etree

from tests.support.edge import Edge, O, Reply

GET = "GetTariffUpdates"
UPDATE = "UpdateTariffs"

#: Price of the first element, and when it ends (None: never), of each individual tariff.
Seen = dict[str, list[tuple[str, str | None]]]


def element_xml(
    price: str = "2.0", item: str = "usagetime", step: str = "0.0", restriction: str = ""
) -> str:
    """One TariffElementType."""
    return (
        f"<tariffElement><priceComponent><billingItem><BillingItemType>{item}</BillingItemType>"
        f"</billingItem><itemPrice>{price}</itemPrice><stepSize>{step}</stepSize></priceComponent>"
        f"<tariffRestriction>{restriction}</tariffRestriction></tariffElement>"
    )


def individual_xml(
    price: str = "2.0", *recipients: str, currency: str = "EUR", restriction: str = ""
) -> str:
    """One IndividualTariffType of one element."""
    return individual_of(
        [element_xml(price, restriction=restriction)], *recipients, currency=currency
    )


def individual_of(elements: Sequence[str], *recipients: str, currency: str = "EUR") -> str:
    """One IndividualTariffType."""
    named = "".join(f"<recipient>{recipient}</recipient>" for recipient in recipients)
    return (
        f"<individualTariff>{''.join(elements)}{named}<currency>{currency}</currency>"
        "</individualTariff>"
    )


def tariff_xml(*individual: str, tariff_id: str = "DE*CPO*T1") -> str:
    """One TariffInfo."""
    content = "".join(individual) or individual_xml()
    return f"<TariffInfoArray><tariffId>{tariff_id}</tariffId>{content}</TariffInfoArray>"


def start_xml(moment: str) -> str:
    """From when a tariff element holds."""
    return f"<startDateTime><DateTime>{moment}</DateTime></startDateTime>"


def end_xml(moment: str) -> str:
    """Until when a tariff element holds."""
    return f"<endDateTime><DateTime>{moment}</DateTime></endDateTime>"


def get(edge: Edge, partner: str, since: str | None = None) -> Seen:
    """What a partner gets, whole or since a moment."""
    content = "" if since is None else f"<lastUpdate><DateTime>{since}</DateTime></lastUpdate>"
    reply = edge.call(partner, GET, content)
    assert reply.result == "ok", reply.description
    return seen(reply)


def seen(reply: Reply) -> Seen:
    """The tariffs of an answer, each of which must be there once and without recipients."""
    assert b"recipient" not in reply.content
    records = reply.elements("TariffInfoArray")
    found = {record.findtext(f"{O}tariffId") or "": _individual(record) for record in records}
    assert len(found) == len(records)
    return found


def _individual(record: etree._Element) -> list[tuple[str, str | None]]:
    return [
        (
            each.findtext(f".//{O}itemPrice") or "",
            each.findtext(f".//{O}endDateTime/{O}DateTime"),
        )
        for each in record.iterfind(f"{O}individualTariff")
    ]
