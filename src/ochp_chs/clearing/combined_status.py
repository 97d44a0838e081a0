"""GetStatus of both kinds in one: EVSEs whose parking spots are taken are blocked."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from ochp_chs.clearing.download import sources_for, streamed_answer
from ochp_chs.clearing.exchange import Answer, Call, ClearingHouse, no_connection
from ochp_chs.ochp.roles import Carries, Role
from ochp_chs.repository.charge_points import CHARGE_POINTS
from ochp_chs.repository.combined_status import (
    ParkingSource,
    Since,
    View,
    list_parking_sources,
    stream_combined,
)
from ochp_chs.repository.connections import Source
from ochp_chs.repository.live_status import LIVE_STATUS

ELEMENT = "combined"


def combined_status(house: ClearingHouse, call: Call, last_seen: datetime | None) -> Answer:
    """Every EVSE of every connected operator, or those that may be another since `last_seen`.

    The parking states that count for an EVSE are its operator's, those of parking operators
    connected to its operator, and those of parking operators connected to the caller.
    """
    sources = sources_for(house, call, Carries.LIVE_STATUS, LIVE_STATUS, CHARGE_POINTS)
    operators = [source for source in sources if source.role is Role.CPO]
    if not operators:
        return no_connection(call.operation)
    direct = [source for source in sources if source.role is Role.PSO]
    with house.database.begin() as connection:
        parking = list_parking_sources(connection, [source.party_id for source in operators])
    view = View(
        [source.party_id for source in operators],
        [source.party_id for source in direct],
        [(source.operator, source.parking_operator) for source in parking],
    )
    since = None
    if last_seen is not None:
        since = _since(last_seen - house.clock_tolerance, operators, direct, parking)
    read = partial(stream_combined, view=view, at=house.clock(), since=since)
    return streamed_answer(house, read, ELEMENT, has_result=False, with_attributes=True)


def _since(
    moment: datetime,
    operators: Sequence[Source],
    direct: Sequence[Source],
    parking: Sequence[ParkingSource],
) -> Since:
    # What a new parking operator says may change any EVSE: all of it again is harmless and rare.
    if any(source.visible_since >= moment for source in direct):
        return Since(moment, [source.party_id for source in operators])
    new = {source.party_id for source in operators if source.visible_since >= moment}
    new.update(each.operator for each in parking if each.visible_since >= moment)
    return Since(moment, sorted(new))
