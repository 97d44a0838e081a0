"""The fields of ChargePointInfo that are kept apart or judged, each by its reader.

What cannot be refuses the record; what is doubtful is accepted with a warning.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from lxml import etree

from ochp_chs.ochp.codes import (
    bibliographic_language_codes,
    country_codes,
    language_codes,
    time_zone_names,
)
from ochp_chs.ochp.identifiers import operator_of, parking_key
from ochp_chs.ochp.operations import NAMESPACE
from ochp_chs.ochp.records.opening_times import Period, judge_opening_times, read_period
from ochp_chs.ochp.records.problems import NUMBER_RULE, Problems

COORDINATES_RULE = "coordinates"
COUNTRY_RULE = "country-code"
LANGUAGE_RULE = "language-code"
POWER_UNIT_RULE = "power-unit"
GUARANTEED_POWER_RULE = "guaranteed-power"
TARIFF_OPERATOR_RULE = "tariff-operator"
TIME_ZONE_RULE = "time-zone"

#: In kW. No EVSE has more; many a system states watts.
_POWER_MAX = Decimal(5000)
_LATITUDE_MAX, _LONGITUDE_MAX = 90, 180

_IN = f"{{{NAMESPACE}}}"


@dataclass(slots=True)
class Draft:
    """A row in the making, with what was found wrong or doubtful on the way."""

    problems: Problems = field(default_factory=Problems)
    doubts: Problems = field(default_factory=Problems)
    evse_id: str = ""
    location_id: str = ""
    timestamp: str | None = None
    latitude: str = ""
    longitude: str = ""
    address_fingerprint: int = 0
    time_zone: str | None = None
    status: str | None = None
    #: Start, end, status.
    status_schedule: list[tuple[str, str | None, str]] = field(default_factory=list)
    schedule_periods: list[Period] = field(default_factory=list)
    parking_keys: list[str] = field(default_factory=list)
    #: Standard, format, tariff ID.
    connectors: list[tuple[str, str, str | None]] = field(default_factory=list)
    charge_point_type: str = ""
    maximum_power: str | None = None


def read_field(draft: Draft, name: str, element: etree._Element, index: int) -> None:
    """Read one child of a schema-valid record, the `index`-th of its name."""
    reader = _READERS.get(name)
    if reader is not None:
        reader(draft, element, f"{name}[{index}]" if name in _REPEATED else name)


def address_fingerprint(parts: Mapping[str, str]) -> int:
    """A number of 64 bits, equal for addresses that differ in notation only.

    That is in case, in spaces, or in whether the house number has a field of its own.
    """
    street = f"{parts.get('address', '')} {parts.get('houseNumber', '')}"
    places = (street, parts.get("zipCode", ""), parts.get("city", ""), parts.get("country", ""))
    text = "|".join(" ".join(place.casefold().split()) for place in places)
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _read_evse_id(draft: Draft, element: etree._Element, _field: str) -> None:
    draft.evse_id = element.text or ""


def _read_location_id(draft: Draft, element: etree._Element, _field: str) -> None:
    draft.location_id = element.text or ""


def _read_timestamp(draft: Draft, element: etree._Element, path: str) -> None:
    draft.problems.date_time(element, path)
    draft.timestamp = (element[0].text or "").strip()


def _read_language(draft: Draft, element: etree._Element, path: str) -> None:
    code = element.text or ""
    if code in language_codes():
        return
    right = bibliographic_language_codes().get(code)
    text = "this is not a language of ISO 639-3"
    draft.doubts.note(LANGUAGE_RULE, path, code, f"{text}, which has {right}" if right else text)


def _read_address(draft: Draft, element: etree._Element, path: str) -> None:
    parts = {str(child.tag)[len(_IN) :]: child.text or "" for child in element}
    draft.address_fingerprint = address_fingerprint(parts)
    country = parts["country"]
    if country in country_codes():
        return
    # ISO 3166 leaves XAA to XZZ to its users; XKX is in use for Kosovo.
    found = draft.doubts if country.startswith("X") else draft.problems
    found.note(
        COUNTRY_RULE,
        f"{path}/country",
        country,
        "this is not a country of ISO 3166-1 alpha-3, write for example DEU",
    )


def _read_location(draft: Draft, element: etree._Element, path: str) -> None:
    draft.latitude, draft.longitude = _read_point(draft, element, path)
    if float(draft.latitude) == float(draft.longitude) == 0:
        draft.doubts.note(
            COORDINATES_RULE,
            path,
            f"{draft.latitude} {draft.longitude}",
            "the position 0 0 lies in the Atlantic Ocean, it is probably not known",
        )


def _read_related_location(draft: Draft, element: etree._Element, path: str) -> None:
    _read_point(draft, element, path)


def _read_point(draft: Draft, element: etree._Element, path: str) -> tuple[str, str]:
    latitude, longitude = str(element.get("lat")), str(element.get("lon"))
    # Binary floats are exact enough to tell 90.000000 from 90.000001.
    for name, text, limit in (
        ("lat", latitude, _LATITUDE_MAX),
        ("lon", longitude, _LONGITUDE_MAX),
    ):
        if abs(float(text)) > limit:
            draft.problems.note(
                COORDINATES_RULE, f"{path}/@{name}", text, f"it lies between -{limit} and {limit}"
            )
    return latitude, longitude


def _read_time_zone(draft: Draft, element: etree._Element, path: str) -> None:
    name = element.text or ""
    if name in time_zone_names():
        draft.time_zone = name
        return
    text = "it counts as absent" if not name.strip() else "write for example Europe/Oslo"
    draft.doubts.note(TIME_ZONE_RULE, path, name, f"this is no time zone of tzdata; {text}")


def _read_opening_times(draft: Draft, element: etree._Element, path: str) -> None:
    judge_opening_times(element, draft.problems, draft.doubts, path)


def _read_status(draft: Draft, element: etree._Element, _field: str) -> None:
    draft.status = element[0].text


def _read_schedule(draft: Draft, element: etree._Element, path: str) -> None:
    start, end = element[0], element[1] if len(element) > 2 else None
    draft.schedule_periods.append(read_period(start, end, draft.problems, path))
    draft.status_schedule.append(
        (
            (start[0].text or "").strip(),
            None if end is None else (end[0].text or "").strip(),
            element[-1][0].text or "",
        )
    )


def _read_parking_spot(draft: Draft, element: etree._Element, _field: str) -> None:
    key = parking_key(element[0].text or "")
    if key not in draft.parking_keys:
        draft.parking_keys.append(key)


def _read_connector(draft: Draft, element: etree._Element, path: str) -> None:
    tariff_id = element[2].text if len(element) > 2 else None
    draft.connectors.append((element[0][0].text or "", element[1][0].text or "", tariff_id))
    if tariff_id and operator_of(tariff_id) != operator_of(draft.evse_id):
        draft.doubts.note(
            TARIFF_OPERATOR_RULE,
            f"{path}/tariffId",
            tariff_id,
            "this is a tariff of another operator than the EVSE's",
        )


def _read_charge_point_type(draft: Draft, element: etree._Element, _field: str) -> None:
    draft.charge_point_type = element.text or ""


def _read_ratings(draft: Draft, element: etree._Element, path: str) -> None:
    powers = {}
    for child in element:
        name = str(child.tag)[len(_IN) :]
        if name == "nominalVoltage":
            continue
        text = (child.text or "").strip()
        powers[name] = value = draft.problems.decimal(text, f"{path}/{name}")
        if value < 0:
            draft.problems.note(NUMBER_RULE, f"{path}/{name}", text, "a power is 0 kW or more")
    maximum = powers["maximumPower"]
    draft.maximum_power = str(maximum)
    if maximum > _POWER_MAX:
        draft.doubts.note(
            POWER_UNIT_RULE,
            f"{path}/maximumPower",
            str(maximum),
            "powers are in kW, this looks like watts",
        )
    if powers.get("guaranteedPower", maximum) > maximum:
        draft.doubts.note(
            GUARANTEED_POWER_RULE,
            f"{path}/guaranteedPower",
            str(powers["guaranteedPower"]),
            f"it should not exceed maximumPower, {maximum}",
        )


_READERS: Mapping[str, Callable[[Draft, etree._Element, str], None]] = {
    "evseId": _read_evse_id,
    "locationId": _read_location_id,
    "timestamp": _read_timestamp,
    "locationNameLang": _read_language,
    "chargePointAddress": _read_address,
    "chargePointLocation": _read_location,
    "relatedLocation": _read_related_location,
    "timeZone": _read_time_zone,
    "openingTimes": _read_opening_times,
    "status": _read_status,
    "statusSchedule": _read_schedule,
    "parkingSpot": _read_parking_spot,
    "connectors": _read_connector,
    "chargePointType": _read_charge_point_type,
    "ratings": _read_ratings,
    "userInterfaceLang": _read_language,
}
#: Readers that say which of several it was.
_REPEATED = frozenset({"relatedLocation", "statusSchedule", "connectors", "userInterfaceLang"})
