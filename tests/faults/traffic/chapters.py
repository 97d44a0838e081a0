"""The lists that are followed by deltas: how their records are asked for, read, and stored."""

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
from lxml import etree

from tests.faults.traffic.contents import content_of, element_of_payload
from tests.faults.traffic.ledger import GONE
from tests.support.edge import O

#: A record's key and what it is.
Read = tuple[str, str]

REVOKED_AT = "2020-01-01T00:00:00Z"
VALID_UNTIL = "2099-12-31T23:59:59Z"

#: The recipient that has prices of its own in every tariff.
NAMED_RECIPIENT = "DEEM1"


@dataclass(frozen=True)
class Chapter:
    """One kind of list, as partners see it and as it is stored."""

    name: str
    full: str
    delta: str
    since: str
    full_element: str
    delta_element: str
    read: Callable[[etree._Element], Read]
    #: Key and content of each record of a party ID.
    stored: Callable[[sa.Connection, str], dict[str, str]]
    #: What is asked for beside.
    question: str = ""
    #: Whether a full list has a record that is not gone.
    is_current: Callable[[str], bool] = lambda _: True


def _read_token(element: etree._Element) -> Read:
    expiry = element.findtext(f"{O}expiryDate/{O}DateTime")
    content = content_of(element) if expiry in (VALID_UNTIL, REVOKED_AT) else GONE
    return element.findtext(f"{O}EmtId/{O}instance") or "", content


def _read_charge_point(element: etree._Element) -> Read:
    is_closed = element.findtext(f"{O}status/{O}ChargePointStatusType") == "Closed"
    return element.findtext(f"{O}evseId") or "", GONE if is_closed else content_of(element)


def read_state(element: etree._Element) -> Read:
    """A state of an EVSE or a parking spot."""
    get = element.get
    return element[0].text or "", state(
        get("major") or get("status") or "", get("minor"), get("ttl")
    )


def state(major: str, minor: str | None, ttl: str | None) -> str:
    """A state as the ledger has it."""
    return f"{major} {minor or '-'} {ttl or '-'}"


def read_tariff(element: etree._Element) -> Read:
    """A tariff as its recipient sees it: the price."""
    return element.findtext(f"{O}tariffId") or "", element.findtext(f".//{O}itemPrice") or ""


def prices(default: str, named: str) -> str:
    """A tariff as the ledger has it."""
    return f"{default}|{named}"


def price_for(value: str, *, named: bool) -> str:
    """What of it a recipient sees."""
    return value.split("|")[named]


def _withdrawable(
    table: str, owner: str, name: str, read: Callable[[etree._Element], Read]
) -> Callable[[sa.Connection, str], dict[str, str]]:
    statement = sa.text(
        f"SELECT payload, withdrawn_at IS NOT NULL FROM {table} WHERE {owner} = :party"
    )

    def stored(connection: sa.Connection, party: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for payload, withdrawn in connection.execute(statement, {"party": party}):
            key, content = read(element_of_payload(payload, name))
            assert key not in found, key
            found[key] = GONE if withdrawn else content
        return found

    return stored


def _stored_states(kind: str) -> Callable[[sa.Connection, str], dict[str, str]]:
    statement = sa.text("SELECT payload FROM live_status WHERE kind = :kind AND operator = :party")

    def stored(connection: sa.Connection, party: str) -> dict[str, str]:
        rows = connection.execute(statement, {"kind": kind, "party": party})
        return dict(read_state(element_of_payload(payload, kind)) for (payload,) in rows)

    return stored


_TARIFFS = sa.text(
    "SELECT tariff_id, recipient, payload FROM tariff"
    " WHERE operator = :party AND given_until IS NULL"
)


def _stored_tariffs(connection: sa.Connection, party: str) -> dict[str, str]:
    found: dict[str, dict[str, str]] = {}
    for tariff_id, recipient, payload in connection.execute(_TARIFFS, {"party": party}):
        price = etree.fromstring(f"<all>{payload}</all>").findtext(".//itemPrice") or ""
        found.setdefault(tariff_id, {})[recipient] = price
    return {key: prices(each[""], each[NAMED_RECIPIENT]) for key, each in found.items()}


TOKENS = Chapter(
    "tokens",
    full="GetRoamingAuthorisationList",
    delta="GetRoamingAuthorisationListUpdates",
    since="lastUpdate",
    full_element="roamingAuthorisationInfoArray",
    delta_element="roamingAuthorisationInfo",
    read=_read_token,
    stored=_withdrawable("token", "provider", "token", _read_token),
    is_current=lambda content: VALID_UNTIL in content,
)
CHARGE_POINTS = Chapter(
    "charge points",
    full="GetChargePointList",
    delta="GetChargePointListUpdates",
    since="lastUpdate",
    full_element="chargePointInfoArray",
    delta_element="chargePointInfoArray",
    read=_read_charge_point,
    stored=_withdrawable("charge_point", "operator", "point", _read_charge_point),
)
TARIFFS = Chapter(
    "tariffs",
    full="GetTariffUpdates",
    delta="GetTariffUpdates",
    since="lastUpdate",
    full_element="TariffInfoArray",
    delta_element="TariffInfoArray",
    read=read_tariff,
    stored=_stored_tariffs,
)


def _states(kind: str) -> Chapter:
    return Chapter(
        f"{kind} states",
        full="GetStatus",
        delta="GetStatus",
        since="startDateTime",
        full_element=kind,
        delta_element=kind,
        read=read_state,
        stored=_stored_states(kind),
        question=f"<statusType>{kind}</statusType>",
    )


EVSE_STATES = _states("evse")
PARKING_STATES = _states("parking")
#: Made of the others: no list of its own is sent or stored.
COMBINED = _states("combined")
