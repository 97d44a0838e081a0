"""EvseStatusType and ParkingStatusType: what is known right now (PROTOCOL, "Live status")."""

from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from lxml import etree

from ochp_chs.ochp.identifiers import evse_key, operator_of
from ochp_chs.ochp.operations import NAMESPACE
from ochp_chs.ochp.records.codec import RecordRefused
from ochp_chs.ochp.times import InvalidTime, parse_xs_date_time
from ochp_chs.ochp.violations import Violation

_IN = f"{{{NAMESPACE}}}"
_EVSE = f"{_IN}evse"


class Kind(StrEnum):
    """What a state is about; also the name of its element in requests and answers."""

    EVSE = "evse"
    PARKING = "parking"


class Major(StrEnum):
    """MajorType; the status of a parking spot has the same values."""

    AVAILABLE = "available"
    NOT_AVAILABLE = "not-available"
    UNKNOWN = "unknown"


#: Which minor states a major one allows (specification, "Live Status Interface"); none always.
MINORS: dict[str, frozenset[str]] = {
    Major.AVAILABLE: frozenset({"available", "reserved"}),
    Major.NOT_AVAILABLE: frozenset({"charging", "blocked", "reserved", "outoforder"}),
    Major.UNKNOWN: frozenset(),
}


class StatusRow(NamedTuple):
    """One state as it is stored.

    EVSE-IDs and Parking-IDs are told apart by their sixth character, so that `key` is one key for
    both. `payload` begins with the attributes in order of their names: the ttl is the last.
    """

    key: str
    kind: str
    operator: str
    major: str
    expires_at: datetime | None
    payload: str


class StatusCodec:
    """XML to row, for EVSEs and parking spots."""

    columns = StatusRow._fields

    def decode(self, record: etree._Element) -> StatusRow:
        """The row of a schema-valid record; raises `RecordRefused`."""
        identifier = record[0].text or ""
        get = record.get
        ttl = get("ttl")
        if record.tag == _EVSE:
            kind, name, major, minor = "evse", "evseId", get("major", ""), get("minor")
            if minor is None:
                attributes = f' major="{major}"'
            elif minor in MINORS[major]:
                attributes = f' major="{major}" minor="{minor}"'
            else:
                raise RecordRefused(_wrong_pair(major, minor))
        else:
            kind, name, major = "parking", "parkingId", get("status", "")
            attributes = f' status="{major}"'
        expires_at = None
        if ttl is not None:
            ttl = ttl.strip()
            expires_at = _parsed(ttl)
            attributes += f' ttl="{ttl}"'
        return StatusRow(
            evse_key(identifier),
            kind,
            operator_of(identifier),
            major,
            expires_at,
            f"{attributes}><{name}>{identifier}</{name}>",
        )

    def identify(self, record: etree._Element) -> str:
        """The EVSE-ID or Parking-ID."""
        text = record.findtext(f"{_IN}evseId") or record.findtext(f"{_IN}parkingId")
        return text.strip() if text else ""

    def retained_key(self, record: etree._Element) -> None:
        """Nothing: no operation replaces all states of a partner."""


def shown_identifier(payload: str) -> str:
    """The identifier in a row's payload, as it was sent."""
    return payload.rpartition("</")[0].rpartition(">")[2]


# The states of one message mostly end at the same time.
@lru_cache(maxsize=1024)
def _parsed(ttl: str) -> datetime:
    try:
        return parse_xs_date_time(ttl)
    except InvalidTime as error:
        raise RecordRefused(Violation("time", "ttl", ttl, error.reason)) from None


def _wrong_pair(major: str, minor: str) -> Violation:
    allowed = sorted(MINORS[major])
    wanted = f"with {major} it is {', '.join(allowed)} or absent" if allowed else ""
    return Violation(
        "status-pair",
        "minor",
        minor,
        wanted or f"with {major} there is no minor status",
    )
