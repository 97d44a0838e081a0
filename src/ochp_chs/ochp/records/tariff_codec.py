"""TariffInfo as it is uploaded, kept for each recipient, and given out (PROTOCOL, "Tariffs")."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from lxml import etree

from ochp_chs.ochp.identifiers import is_tariff_id, tariff_key
from ochp_chs.ochp.operations import NAMESPACE
from ochp_chs.ochp.records.codec import RecordRefused
from ochp_chs.ochp.records.problems import Problems
from ochp_chs.ochp.records.tariff import IndividualTariff, TariffInfo, decode, decode_individual
from ochp_chs.ochp.times import format_date_time
from ochp_chs.ochp.xml import outer_xml

#: Stands where a provider ID stands, for the default: everybody who is not named.
EVERYBODY_ELSE = ""

_IN = f"{{{NAMESPACE}}}"
_RECIPIENT = f"{_IN}recipient"


class TariffRow(NamedTuple):
    """One tariff on its way in, with its individual tariffs as JSON.

    Each of them is an object with `recipients` (provider IDs, or `EVERYBODY_ELSE` alone),
    `position` (from 1), `ends_at` (text, null: never) and `payload`: the element as it is given
    out, without recipients.
    """

    tariff_key: str
    tariff_id: str
    operator: str
    individual: str


class JudgedTariff(TariffRow):
    """A row, and beside its columns what was read of the record."""

    info: TariffInfo


class TariffCodec:
    """XML to row."""

    columns = TariffRow._fields

    def decode(self, record: etree._Element) -> JudgedTariff:
        """The row of a schema-valid record; raises `RecordRefused`."""
        info = decode(record)
        if isinstance(info, list):
            raise RecordRefused(*info)
        individual = [
            {
                "recipients": read.recipients or (EVERYBODY_ELSE,),
                "position": position,
                "ends_at": _time_text(ends_at(read)),
                "payload": _without_recipients(element),
            }
            for position, (read, element) in enumerate(
                zip(info.individual, list(record)[1:], strict=True), 1
            )
        ]
        row = JudgedTariff(
            info.tariff_key,
            info.tariff_id,
            info.operator,
            json.dumps(individual, separators=(",", ":")),
        )
        row.info = info
        return row

    def identify(self, record: etree._Element) -> str:
        """The Tariff-ID as it was sent."""
        return (record.findtext(f"{_IN}tariffId") or "").strip()

    def retained_key(self, record: etree._Element) -> str | None:
        """The key of the Tariff-ID, if it is one."""
        tariff_id = self.identify(record)
        return tariff_key(tariff_id) if is_tariff_id(tariff_id) else None


def ends_at(tariff: IndividualTariff) -> datetime | None:
    """From when on nothing of it holds any more; None: something of it has no end."""
    latest: datetime | None = None
    for element in tariff.elements:
        end = element.restriction.end
        if end is None:
            return None
        latest = end if latest is None else max(latest, end)
    return latest


def tariff_xml(tariff_id: str, individual: Iterable[str]) -> str:
    """What stands inside a TariffInfo that is given out."""
    return f"<tariffId>{tariff_id}</tariffId>{''.join(individual)}"


def read_individual(payload: str) -> IndividualTariff:
    """Read an individual tariff as it is stored."""
    # It was read once without any problem: there is none to be told of.
    return decode_individual(_parsed(payload), Problems())


def ended(payload: str, moment: datetime) -> str:
    """A stored individual tariff as it was until then: each of its elements ends by `moment`.

    A TariffInfo must hold an individual tariff, and knows no way to say that there is none; this
    is how the clearing house says so.
    """
    latest = format_date_time(moment)
    individual = _parsed(payload)
    for restriction in individual.iter(f"{_IN}tariffRestriction"):
        end = restriction.find(f"{_IN}endDateTime")
        if end is None:
            end = etree.Element(f"{_IN}endDateTime")
            etree.SubElement(end, f"{_IN}DateTime").text = latest
            restriction.insert(sum(child.tag in _BEFORE_END for child in restriction), end)
        else:
            # Both are DateTimeType, which sorts as text.
            end[0].text = min((end[0].text or "").strip(), latest)
    return outer_xml(individual)


#: What stands before endDateTime in a tariffRestriction.
_BEFORE_END = (f"{_IN}regularHours", f"{_IN}startDateTime")


def _parsed(payload: str) -> etree._Element:
    return etree.fromstring(f'<stored xmlns="{NAMESPACE}">{payload}</stored>')[0]


def _without_recipients(individual: etree._Element) -> str:
    inside = [outer_xml(child) for child in individual if child.tag != _RECIPIENT]
    return f"<individualTariff>{''.join(inside)}</individualTariff>"


def _time_text(moment: datetime | None) -> str | None:
    return None if moment is None else format_date_time(moment)
