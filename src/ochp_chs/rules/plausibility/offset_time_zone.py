"""Rule offset-time-zone."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from ochp_chs.ochp.records.cdr import Cdr
from ochp_chs.ochp.violations import Severity, Violation
from ochp_chs.rules.context import Context
from ochp_chs.rules.model import Found, Rule, Value, first_few
from ochp_chs.rules.time_zones import find_offset, find_time_zone

ID = "offset-time-zone"


def check(cdr: Cdr, context: Context, _parameters: Mapping[str, Value]) -> Found:
    """Every time is given with the offset that the charge point's time zone has at that moment.

    PROTOCOL, "Plausibility"; specification, "LocalDateTimeType". Checked where charge point data
    names a time zone of tzdata for the EVSE; otherwise nothing is known and nothing is said.
    """
    evse = context.evses.get(cdr.evse_key)
    if evse is None or evse.time_zone is None:
        return None
    zone = find_time_zone(evse.time_zone)
    return None if zone is None else first_few(_deviations(cdr, zone))


def _deviations(cdr: Cdr, zone: ZoneInfo) -> Iterator[Violation]:
    # A period mostly begins when another ends: each moment is looked at once, and by its offset,
    # because two moments are equal whatever their offsets are.
    moments = {(moment, moment.tzinfo) for _, moment in _moments(cdr)}
    if all(find_offset(zone, moment) in (None, moment.utcoffset()) for moment, _ in moments):
        return
    for field, moment in _moments(cdr):
        expected = find_offset(zone, moment)
        if expected is not None and expected != moment.utcoffset():
            local = moment.astimezone(zone)
            yield Violation(
                ID,
                field,
                moment.isoformat(),
                f"in {zone.key} this moment is written {local.isoformat()}",
            )


def _moments(cdr: Cdr) -> Iterator[tuple[str, datetime]]:
    yield "startDateTime", cdr.start
    yield "endDateTime", cdr.end
    for position, period in enumerate(cdr.periods, 1):
        yield f"chargingPeriods[{position}]/startDateTime", period.start
        yield f"chargingPeriods[{position}]/endDateTime", period.end


RULE = Rule(ID, Severity.WARN, check)
