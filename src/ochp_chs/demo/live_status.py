"""Live status in the round trip: EVSEs, parking spots, and both combined."""

from collections.abc import Iterator
from datetime import timedelta

from ochp_chs.demo.charge_points import AC, DC
from ochp_chs.demo.client import Reply
from ochp_chs.demo.partners import CPO, EMP, EMP2, NSP, PSO
from ochp_chs.demo.step import Step, Trip, moment_xml, told

_PSO_SPOT = "DE*PSO*P0001"


def play(trip: Trip) -> Iterator[Step]:
    """Tell what is free, read it as NSP and EMP, with and without the parking spots."""
    content = (
        _evse(AC.evse_id, "available")
        + _evse(DC.evse_id, "not-available", "outoforder")
        + _parking(AC.parking_id, "not-available")
        + moment_xml("ttl", trip.now + timedelta(hours=1))
    )
    reply = trip.call(CPO, "UpdateStatus", content)
    yield told(
        reply, "AC is available, DC out of order, and somebody is parked before AC; for an hour."
    )
    yield _states(trip)
    yield _combined(trip)
    reply = trip.call(PSO, "UpdateStatus", _parking(_PSO_SPOT, "available"))
    yield told(reply, "The PSO tells that a spot of its own is free.")
    reply = trip.call(CPO, "GetStatus", "<statusType>parking</statusType>")
    spots = {record[0].text: record.get("status") for record in reply.records("parking")}
    yield told(
        reply,
        f"The connected CPO learns that {_PSO_SPOT} is {spots.get(_PSO_SPOT, 'unknown')}.",
        holds=spots.get(_PSO_SPOT) == "available",
    )
    reply = trip.call(EMP2, "GetStatus")
    yield told(
        reply,
        "demo-emp2 is connected to nobody, and gets nothing.",
        holds=not len(reply.body),
    )


def _states(trip: Trip) -> Step:
    reply = trip.call(EMP, "GetStatus")
    states = _by_evse(reply, "evse")
    return told(
        reply,
        f"The EMP sees both: AC is {states.get(AC.evse_id)}, DC is {states.get(DC.evse_id)}.",
        holds=states.get(AC.evse_id) == "available"
        and states.get(DC.evse_id) == "not-available, outoforder",
    )


def _combined(trip: Trip) -> Step:
    reply = trip.call(NSP, "GetStatus", "<statusType>combined</statusType>")
    states = _by_evse(reply, "combined")
    return told(
        reply,
        f"Combined, nobody is sent there in vain: AC is {states.get(AC.evse_id)}.",
        holds=states.get(AC.evse_id) == "not-available, blocked",
    )


def _by_evse(reply: Reply, element: str) -> dict[str | None, str]:
    return {
        record[0].text: ", ".join(filter(None, (record.get("major"), record.get("minor"))))
        for record in reply.records(element)
    }


def _evse(evse_id: str, major: str, minor: str | None = None) -> str:
    attribute = f' minor="{minor}"' if minor else ""
    return f'<evse major="{major}"{attribute}><evseId>{evse_id}</evseId></evse>'


def _parking(parking_id: str, status: str) -> str:
    return f'<parking status="{status}"><parkingId>{parking_id}</parkingId></parking>'
