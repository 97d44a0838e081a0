"""Repairs of single values. Each is one small function: text in, better text out or None.

A function is asked only for the fields it is listed for in ``VALUE_REPAIRS``, in that order, and
gets what the one before it made of the text.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from ochp_chs.ochp.repair.places import Place, Repair, members
from ochp_chs.ochp.schema import complex_types
from ochp_chs.ochp.times import InvalidTime, format_date_time, parse_local_date_time

#: White space of XML, which the types of times and whole numbers collapse.
_XML_SPACE = " \t\r\n"

_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
_OFFSET = r"[+-][0-9]{2}:[0-9]{2}"
_BARE_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})Z?")
_WITH_FRACTION = re.compile(rf"({_TIME})\.[0-9]+(Z|{_OFFSET})")
_WITH_OFFSET = re.compile(_TIME + _OFFSET)
_WITH_Z = re.compile(f"({_TIME})Z")
_WHOLE_NUMBER = re.compile(r"([+-]?[0-9]+)\.0+")
_COORDINATE = re.compile(r"-?[0-9]{1,3}(?:\.([0-9]+))?")
_LANGUAGE = re.compile(r"[A-Za-z]{3}")
_HOUSE_NUMBER = re.compile(r"[A-Za-z0-9 -]{1,6}")
_ZIP_CODE = re.compile(r"[A-Za-z0-9 -]{1,10}")
_RECIPIENT = re.compile(r"([A-Z]{2})[*-]([A-Z0-9]{3})")

_COORDINATE_DECIMALS = 6
_MICRODEGREE = Decimal("0.000001")

_REPRESENTATIONS = {"SHA160": "sha-160", "SHA256": "sha-256"}

#: The values of ConnectorStandard that hold an underscore; the specification's table of OCPP's
#: connector types writes them with hyphens.
CONNECTOR_STANDARDS = frozenset(
    {f"DOMESTIC_{letter}" for letter in "ABCDEFGHIJKL"}
    | {f"IEC_62196_{kind}" for kind in ("T1", "T1_COMBO", "T2", "T2_COMBO", "T3A", "T3C")}
    | {f"IEC_60309_2_{kind}" for kind in ("single_16", "three_16", "three_32", "three_64")}
    | {"TESLA_R", "TESLA_S"}
)

#: Fields of the XSD type int, elements and (with @) attributes.
WHOLE_NUMBERS = frozenset(
    {
        "taxrate",
        "nominalVoltage",
        "width",
        "height",
        "minDuration",
        "maxDuration",
        "maxReservation",
        "@weekday",
    }
)


def bare_date_as_midnight(text: str) -> str | None:
    """A date alone is its 00:00 in UTC; an offset behind it would make it another day's."""
    match = _BARE_DATE.fullmatch(text.strip(_XML_SPACE))
    return f"{match[1]}T00:00:00Z" if match else None


def whole_seconds(text: str) -> str | None:
    """A fraction of a second is dropped; without a zone behind it there is no moment to mend."""
    match = _WITH_FRACTION.fullmatch(text.strip(_XML_SPACE))
    return match[1] + match[2] if match else None


def offset_as_utc(text: str) -> str | None:
    """A moment that was written with an offset is the same moment in UTC."""
    stripped = text.strip(_XML_SPACE)
    if _WITH_OFFSET.fullmatch(stripped) is None:
        return None
    try:
        return format_date_time(parse_local_date_time(stripped))
    except InvalidTime:
        return None


def utc_as_offset(text: str) -> str | None:
    """``Z`` is the offset +00:00: the same moment, although the local time stays unknown."""
    match = _WITH_Z.fullmatch(text.strip(_XML_SPACE))
    return f"{match[1]}+00:00" if match else None


def whole_number(text: str) -> str | None:
    """``15.0`` is 15; ``15.5`` is nothing that could be repaired."""
    match = _WHOLE_NUMBER.fullmatch(text.strip(_XML_SPACE))
    return match[1] if match else None


def six_decimals(text: str) -> str | None:
    """A coordinate has six decimals: filled up with zeros, or rounded to the nearest.

    Six are 11 centimetres. Cutting would draw every point towards the equator and Greenwich;
    half to even keeps the middle where it was.
    """
    match = _COORDINATE.fullmatch(text)
    if match is None or len(match[1] or "") == _COORDINATE_DECIMALS:
        return None
    return format(Decimal(text).quantize(_MICRODEGREE, ROUND_HALF_EVEN), "f")


def hash_name(text: str) -> str | None:
    """``SHA160`` and ``SHA256`` are the representations sha-160 and sha-256."""
    return _REPRESENTATIONS.get(text)


def language_in_upper_case(text: str) -> str | None:
    """A language code of three letters is written in upper case."""
    return _upper(text, _LANGUAGE)


def house_number_in_upper_case(text: str) -> str | None:
    """A house number is written in upper case, ``12a`` as 12A."""
    return _upper(text, _HOUSE_NUMBER)


def zip_code_in_upper_case(text: str) -> str | None:
    """A zip code is written in upper case, ``8011 pk`` as 8011 PK."""
    return _upper(text, _ZIP_CODE)


def connector_with_underscores(text: str) -> str | None:
    """A connector standard written with hyphens is the one with underscores."""
    named = text.replace("-", "_")
    return named if named != text and named in CONNECTOR_STANDARDS else None


def recipient_without_separator(text: str) -> str | None:
    """The recipient of a tariff is a provider ID without separator."""
    match = _RECIPIENT.fullmatch(text)
    return match[1] + match[2] if match else None


def _upper(text: str, pattern: re.Pattern[str]) -> str | None:
    # Upper case is safe only for the ASCII letters of the pattern: others change their number.
    if pattern.fullmatch(text) is None or text == text.upper():
        return None
    return text.upper()


@dataclass(frozen=True, slots=True)
class ValueRepair:
    """A repair of values, and the fields it is for: elements and (with @) attributes by name."""

    fix: Callable[[str], str | None]
    fields: frozenset[str]
    text: str


VALUE_REPAIRS: tuple[ValueRepair, ...] = (
    ValueRepair(
        bare_date_as_midnight,
        frozenset({"DateTime", "@ttl"}),
        "The date was taken as its 00:00 in UTC.",
    ),
    ValueRepair(
        whole_seconds,
        frozenset({"DateTime", "LocalDateTime"}),
        "The fraction of a second was dropped.",
    ),
    ValueRepair(
        offset_as_utc, frozenset({"DateTime"}), "The time with an offset was converted to UTC."
    ),
    ValueRepair(
        utc_as_offset,
        frozenset({"LocalDateTime"}),
        "The time in UTC was given the offset +00:00.",
    ),
    ValueRepair(whole_number, WHOLE_NUMBERS, "The whole number was written without decimals."),
    ValueRepair(
        six_decimals, frozenset({"@lat", "@lon"}), "The coordinate was written with six decimals."
    ),
    ValueRepair(
        hash_name, frozenset({"@representation"}), "The name of the hash was put in OCHP's form."
    ),
    ValueRepair(
        language_in_upper_case,
        frozenset({"locationNameLang", "userInterfaceLang"}),
        "The language code was put in upper case.",
    ),
    ValueRepair(
        house_number_in_upper_case,
        frozenset({"houseNumber"}),
        "The house number was put in upper case.",
    ),
    ValueRepair(
        zip_code_in_upper_case, frozenset({"zipCode"}), "The zip code was put in upper case."
    ),
    ValueRepair(
        connector_with_underscores,
        frozenset({"ConnectorStandard"}),
        "The connector standard was written with underscores.",
    ),
    ValueRepair(
        recipient_without_separator,
        frozenset({"recipient"}),
        "The recipient was written without separator.",
    ),
)

_FIELDS = frozenset(field for value_repair in VALUE_REPAIRS for field in value_repair.fields)


def repair_values(place: Place) -> list[Repair]:
    """Repair the values of an element's attributes and of its children of simple types."""
    done: list[Repair] = []
    for name in place.shape.attributes:
        value = place.element.get(name)
        if value is not None and f"@{name}" in _FIELDS:
            now, repairs = _repaired(f"@{name}", str(value), place.below(f"@{name}"))
            if repairs:
                place.element.set(name, now)
                done += repairs
    if place.known.keys().isdisjoint(_FIELDS):
        return done
    for member in members(place):
        element, name = member.element, member.child.name
        if name not in _FIELDS or member.child.type in complex_types() or len(element):
            continue
        now, repairs = _repaired(name, element.text or "", member.path)
        if repairs:
            element.text = now
            done += repairs
    return done


def _repaired(field: str, text: str, path: str) -> tuple[str, list[Repair]]:
    repairs = []
    for value_repair in VALUE_REPAIRS:
        if field not in value_repair.fields:
            continue
        now = value_repair.fix(text)
        if now is not None:
            repairs.append(Repair(path, text, now, value_repair.text))
            text = now
    return text, repairs
