"""Charge points: from operators to NSPs and EMPs (PROTOCOL, "Charge points")."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import cast

from ochp_chs.clearing.download import full_list, updates
from ochp_chs.clearing.exchange import Answer, Call, ClearingHouse, Message
from ochp_chs.clearing.intake import Judge
from ochp_chs.clearing.parameters import last_update
from ochp_chs.clearing.upload import Check, Finding, Upload, receive
from ochp_chs.ochp.records.charge_point import ChargePointCodec, JudgedChargePoint
from ochp_chs.ochp.records.codec import Judgement
from ochp_chs.ochp.roles import Carries, Role
from ochp_chs.ochp.times import format_date_time
from ochp_chs.ochp.violations import Reason, Violation
from ochp_chs.repository.charge_points import (
    CHARGE_POINTS,
    Deviation,
    StaleRecord,
    deviating_locations,
    stale_records,
)
from ochp_chs.repository.engine import Connection
from ochp_chs.repository.staging import Staged

_ELEMENT = "chargePointInfoArray"
_CODEC = ChargePointCodec()


def set_list(house: ClearingHouse, call: Call, message: Message) -> Answer:
    """SetChargepointList: replace the caller's whole list."""
    return receive(house, call, message, _upload(house, call, replaces=True))


def update_list(house: ClearingHouse, call: Call, message: Message) -> Answer:
    """UpdateChargePointList: add and change."""
    return receive(house, call, message, _upload(house, call, replaces=False))


def get_list(house: ClearingHouse, call: Call, message: Message) -> Answer:
    """GetChargePointList: all current charge points of connected operators."""
    message.parameters(call.partner.reading)
    return full_list(house, call, CHARGE_POINTS, Carries.CHARGE_POINTS, _ELEMENT)


def get_list_updates(house: ClearingHouse, call: Call, message: Message) -> Answer:
    """GetChargePointListUpdates: what changed since, withdrawn ones as Closed included."""
    since = last_update(message.parameters(call.partner.reading))
    return updates(house, call, CHARGE_POINTS, Carries.CHARGE_POINTS, _ELEMENT, since)


def _upload(house: ClearingHouse, call: Call, *, replaces: bool) -> Upload:
    operators = call.partner.party_ids(Role.CPO)
    plausible_until = call.received_at + house.clock_tolerance
    return Upload(
        CHARGE_POINTS,
        _CODEC,
        _judge(operators, plausible_until),
        operators,
        replaces,
        _check(plausible_until, replaces=replaces),
    )


def _judge(operators: Collection[str], plausible_until: datetime) -> Judge:
    """The operator in evseId must be one of the caller's; what is doubtful is a warning."""
    # Both are DateTimeType, which sorts as text.
    latest = format_date_time(plausible_until)

    def judge(values: tuple[object, ...]) -> Judgement | None:
        row = cast(JudgedChargePoint, values)
        if row.operator not in operators:
            return Judgement(refusals=[_foreign_operator(row, operators)])
        warnings = list(row.doubts)
        if row.timestamp is not None and row.timestamp > latest:
            warnings.append(_future_timestamp(row.timestamp))
        return Judgement(warnings=warnings) if warnings else None

    return judge


def _check(plausible_until: datetime, *, replaces: bool) -> Check:
    """What the stored records say against the staged ones, and those of one location."""

    def check(connection: Connection, staged: Staged) -> Iterator[Finding]:
        outdated: list[int] = []
        for stale in stale_records(connection, staged.source, plausible_until):
            if stale.is_outdated:
                outdated.append(stale.position)
            yield _outdated(stale) if stale.is_outdated else _timestamp_kept(stale)
        # A Set leaves nothing of a location but what it brings (and refused records, whose
        # earlier versions stay: what is wrong with them has been said).
        for deviation in deviating_locations(
            connection, staged.source, outdated, with_stored=not replaces
        ):
            yield _deviating(deviation)

    return check


def _foreign_operator(row: JudgedChargePoint, operators: Collection[str]) -> Violation:
    own = ", ".join(sorted(operators)) or "none"
    return Violation(
        "evse-operator",
        "evseId",
        row.evse_id,
        f"operator {row.operator} is not one of yours ({own})",
        Reason.IDENTIFIER,
    )


def _future_timestamp(timestamp: str) -> Violation:
    return Violation(
        "timestamp-future",
        "timestamp/DateTime",
        timestamp,
        "this is in the future; times of OCHP are in UTC",
    )


def _outdated(stale: StaleRecord) -> Finding:
    return Finding(
        stale.position,
        stale.evse_id,
        Violation(
            "timestamp-outdated",
            "timestamp/DateTime",
            format_date_time(stale.timestamp),
            f"the stored record is newer, it is of {format_date_time(stale.stored_timestamp)}",
        ),
        refuses=True,
        payload=stale.payload,
        retained=stale.evse_key,
    )


def _timestamp_kept(stale: StaleRecord) -> Finding:
    return Finding(
        stale.position,
        stale.evse_id,
        Violation(
            "timestamp-kept",
            "timestamp/DateTime",
            format_date_time(stale.timestamp),
            "the content changed and the timestamp did not; taken all the same",
        ),
        refuses=False,
    )


def _deviating(deviation: Deviation) -> Finding:
    named = {
        "chargePointAddress": deviation.address_differs,
        "chargePointLocation": deviation.position_differs,
    }
    fields = [name for name, differs in named.items() if differs]
    more = f", and {deviation.more} more EVSEs of this location" if deviation.more else ""
    return Finding(
        deviation.position,
        deviation.evse_id,
        Violation(
            "location-differs",
            " and ".join(fields),
            "",
            f"location {deviation.location_id} has other values at {deviation.other_evse_id}"
            f"{more}; all EVSEs of a location have one address and one position",
        ),
        refuses=False,
        more=deviation.more,
    )
