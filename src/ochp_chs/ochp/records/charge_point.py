"""ChargePointInfo: what an operator publishes of one EVSE (PROTOCOL, "Charge points")."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from lxml import etree

from ochp_chs.ochp.identifiers import evse_key, is_evse_id, operator_of
from ochp_chs.ochp.operations import NAMESPACE
from ochp_chs.ochp.records.charge_point_fields import Draft, read_field
from ochp_chs.ochp.records.codec import RecordRefused
from ochp_chs.ochp.records.opening_times import overlap_each_other
from ochp_chs.ochp.violations import Violation
from ochp_chs.ochp.xml import local_name, outer_xml

SCHEDULE_OVERLAP_RULE = "schedule-overlap"

_IN = f"{{{NAMESPACE}}}"

#: The elements of which the first one present stands behind status and schedule.
_AFTER_STATUS = frozenset({"telephoneNumber", "location"})
_STATUS = frozenset({"status", "statusSchedule"})


class ChargePointRow(NamedTuple):
    """One charge point as it is stored; see repository/tables/charge_points.py.

    Values of several parts travel as the text that the database reads: JSON, an array.
    """

    evse_key: str
    operator: str
    evse_id: str
    location_id: str
    timestamp: str | None
    latitude: str
    longitude: str
    address_fingerprint: int
    time_zone: str | None
    status: str | None
    status_schedule: str | None
    parking_keys: str | None
    connectors: str
    charge_point_type: str
    maximum_power: str | None
    payload: str
    timestamp_from: int
    timestamp_to: int
    status_from: int
    status_to: int


class JudgedChargePoint(ChargePointRow):
    """A row, and beside its columns what is doubtful in the record."""

    doubts: Sequence[Violation] = ()


class ChargePointCodec:
    """XML to row."""

    columns = ChargePointRow._fields

    def decode(self, record: etree._Element) -> JudgedChargePoint:
        """The row of a schema-valid record; raises `RecordRefused`."""
        draft = Draft()
        parts: list[str] = []
        length, status_from, status_to = 0, -1, -1
        timestamp_from = timestamp_to = 0
        previous, index = "", 0
        for child in record:
            name = local_name(child)
            index = index + 1 if name == previous else 1
            previous = name
            read_field(draft, name, child, index)
            xml = outer_xml(child)
            if status_from < 0 and (name in _STATUS or name in _AFTER_STATUS):
                status_from = status_to = length
            if name == "timestamp":
                timestamp_from, timestamp_to = length, length + len(xml)
            length += len(xml)
            if name in _STATUS:
                status_to = length
            parts.append(xml)
        if overlap_each_other(draft.schedule_periods):
            draft.doubts.note(
                SCHEDULE_OVERLAP_RULE,
                "statusSchedule",
                "",
                "scheduled periods overlap; which status holds then is open",
            )
        if draft.problems.found:
            raise RecordRefused(*draft.problems.found)
        row = JudgedChargePoint(
            evse_key(draft.evse_id),
            operator_of(draft.evse_id),
            draft.evse_id,
            draft.location_id,
            draft.timestamp,
            draft.latitude,
            draft.longitude,
            draft.address_fingerprint,
            draft.time_zone,
            draft.status,
            _json(draft.status_schedule),
            _array(draft.parking_keys),
            _json(draft.connectors) or "[]",
            draft.charge_point_type,
            draft.maximum_power,
            "".join(parts),
            timestamp_from,
            timestamp_to,
            status_from,
            status_to,
        )
        if draft.doubts.found:
            row.doubts = draft.doubts.found
        return row

    def identify(self, record: etree._Element) -> str:
        """The EVSE-ID as it was sent."""
        return (record.findtext(f"{_IN}evseId") or "").strip()

    def retained_key(self, record: etree._Element) -> str | None:
        """The key of the EVSE-ID, if it is one."""
        evse_id = self.identify(record)
        return evse_key(evse_id) if is_evse_id(evse_id) else None


def _json(parts: Sequence[Sequence[str | None]]) -> str | None:
    return json.dumps(parts, separators=(",", ":")) if parts else None


def _array(keys: Sequence[str]) -> str | None:
    # Letters, digits and asterisks: nothing that PostgreSQL would want quoted.
    return f"{{{','.join(keys)}}}" if keys else None
