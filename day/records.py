"""Records as XML and as they are read again: an identifier, and a version hidden in a field."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from lxml import etree

from ochp_chs.ochp.times import format_date_time
from tests.support.cdrs import cdr_xml, period_xml
from tests.support.charge_points import charge_point_xml
from tests.support.edge import O
from tests.support.live_status import evse_xml
from tests.support.tariffs import individual_xml, tariff_xml
from tests.support.tokens import token_xml

#: Version of each record that a partner has, by its identifier.
Versions = dict[str, int]

#: Version of a record that was withdrawn.
GONE = -1

_PRICE_CENTS = 30
_BERLIN = ZoneInfo("Europe/Berlin")
_VERSIONS_BEGIN = datetime(2090, 1, 1, tzinfo=UTC)


def uid(emp: int, key: int) -> str:
    """What is read from the card."""
    return f"04{emp:02X}{key:08X}"


def contract_id(emp: int, key: int) -> str:
    """The contract of an EMP's token."""
    return f"DE-P{emp:02d}-C{key:08d}"


def token(emp: int, key: int, version: int) -> str:
    """A RoamingAuthorisationInfo; one that is GONE has expired."""
    expiry = "2020-01-01T00:00:00Z" if version == GONE else "2099-12-31T23:59:59Z"
    return token_xml(
        uid(emp, key),
        contract_id=contract_id(emp, key),
        printed_number=f"v{version}",
        expiry=expiry,
    )


def read_token(element: etree._Element) -> tuple[str, int]:
    """Contract ID and version."""
    expiry = element.findtext(f"{O}expiryDate/{O}DateTime") or ""
    printed = element.findtext(f"{O}printedNumber") or ""
    version = int(printed[1:]) if expiry.startswith("2099") else GONE
    return (element.findtext(f"{O}contractId") or ""), version


def evse_id(cpo: int, key: int) -> str:
    """The EVSE-ID of a CPO's charge point."""
    return f"DE*Q{cpo:02d}*E{key}"


def charge_point(cpo: int, key: int, version: int) -> str:
    """A ChargePointInfo."""
    return charge_point_xml(evse_id(cpo, key), location_id=f"L{key}", name=f"v{version}")


def read_charge_point(element: etree._Element) -> tuple[str, int]:
    """EVSE-ID and version."""
    status = element.findtext(f"{O}status/{O}ChargePointStatusType")
    name = element.findtext(f"{O}locationName") or ""
    return (element.findtext(f"{O}evseId") or ""), (GONE if status == "Closed" else int(name[1:]))


def tariff_id(cpo: int, key: int) -> str:
    """The ID of a CPO's tariff."""
    return f"DE*Q{cpo:02d}*T{key}"


def tariff(cpo: int, key: int, version: int) -> str:
    """A TariffInfo for everybody."""
    return tariff_xml(individual_xml(f"{version}.0"), tariff_id=tariff_id(cpo, key))


def read_tariff(element: etree._Element) -> tuple[str, int]:
    """Tariff ID and version."""
    price = element.findtext(f".//{O}itemPrice") or ""
    return (element.findtext(f"{O}tariffId") or ""), int(float(price))


def state(cpo: int, key: int, version: int) -> str:
    """An EvseStatusType that holds for decades."""
    major = "available" if version % 2 else "not-available"
    ends_at = format_date_time(_VERSIONS_BEGIN + timedelta(seconds=version))
    return evse_xml(evse_id(cpo, key), major, ttl=ends_at)


def read_state(element: etree._Element) -> tuple[str, int]:
    """EVSE-ID and version."""
    ends_at = datetime.fromisoformat(element.get("ttl") or "")
    return (element[0].text or ""), int((ends_at - _VERSIONS_BEGIN).total_seconds())


def cdr_id(cpo: int, key: int) -> str:
    """The ID of a CPO's CDR."""
    return f"DEQ{cpo:02d}{key:010d}"


def cents_of(key: int, version: int) -> int:
    """What a session costs by the given version of its CDR."""
    return (10 + key % 11 - version) * _PRICE_CENTS


def cdr(
    cpo: int, key: int, emp: int, *, evses: int, version: int, status: str, today: datetime
) -> str:
    """A CDR of a session of an hour; sessions on one EVSE follow each other."""
    start = today.astimezone(_BERLIN).replace(minute=0, second=0, microsecond=0)
    start -= timedelta(hours=2 * (key // evses) + 3)
    times = {"start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat()}
    cost = f"{cents_of(key, version) / 100:.2f}"
    energy = f"{cents_of(key, version) / _PRICE_CENTS:.1f}"
    return cdr_xml(
        cdr_id=cdr_id(cpo, key),
        evse_id=evse_id(cpo, key % evses),
        # Not revoked during the day: see day/emp.py.
        instance=uid(emp, key % 50),
        contract_id=contract_id(emp, key % 50),
        status=status,
        duration="001:00:00",
        periods=[period_xml(value=energy, cost=cost, **times)],
        total_cost=cost,
        **times,
    )


def read_cdr(element: etree._Element) -> tuple[str, str, int]:
    """CDR-ID, status, and cost in cents."""
    cost = element.findtext(f"{O}totalCost") or "0"
    return (
        element.findtext(f"{O}CdrId") or "",
        element.findtext(f"{O}status/{O}CdrStatusType") or "",
        round(float(cost) * 100),
    )


def is_declined_at_first(identifier: str) -> bool:
    """Whether the EMP disputes the first version: one in twelve."""
    return int(identifier[-10:]) % 12 == 5


def is_given_up(identifier: str) -> bool:
    """Whether the CPO gives up what was declined, rather than revise it: one in three of them."""
    return int(identifier[-10:]) % 36 == 5
