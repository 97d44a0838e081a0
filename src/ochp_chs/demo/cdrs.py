"""Charge detail records in the round trip: implausible, declined, revised, approved, rejected."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from ochp_chs.demo.authorisation import PLAIN_CARD
from ochp_chs.demo.charge_points import AC, ADDRESS_XML, TIME_ZONE
from ochp_chs.demo.client import Reply, text_of
from ochp_chs.demo.partners import CPO, EMP
from ochp_chs.demo.step import Step, Trip, told
from ochp_chs.demo.tariffs import PRICE_PER_KWH
from ochp_chs.ochp.times import format_local_date_time

_ITEM = "cdrInfoArray"


@dataclass(frozen=True, slots=True)
class Session:
    """An hour at the AC connector with the plain card, as the CPO bills it."""

    cdr_id: str
    end: datetime
    status: str = "new"
    energy_kwh: Decimal = Decimal(12)
    #: What is claimed to be its length.
    duration: str = "001:00:00"
    #: What is claimed to be the sum of the periods' costs.
    total_cost: Decimal | None = None

    @property
    def cost(self) -> Decimal:
        """Energy at the tariff's price."""
        return self.energy_kwh * PRICE_PER_KWH

    @property
    def xml(self) -> str:
        """The session as a record."""
        times = _time("startDateTime", self.end - timedelta(hours=1))
        times += _time("endDateTime", self.end)
        return (
            f"<{_ITEM}><CdrId>{self.cdr_id}</CdrId><evseId>{AC.evse_id}</evseId>"
            f"<emtId><instance>{PLAIN_CARD.instance}</instance><tokenType>rfid</tokenType></emtId>"
            f"<contractId>{PLAIN_CARD.contract_id}</contractId>"
            f"<status><CdrStatusType>{self.status}</CdrStatusType></status>{times}"
            f"<duration>{self.duration}</duration>{ADDRESS_XML}"
            f"<chargePointType>{AC.current}</chargePointType>"
            f"<connectorType>{AC.connector_xml}</connectorType><ratings>{AC.ratings_xml}</ratings>"
            f"<chargingPeriods>{times}<billingItem><BillingItemType>energy</BillingItemType>"
            f"</billingItem><billingValue>{self.energy_kwh}</billingValue>"
            f"<itemPrice>{PRICE_PER_KWH}</itemPrice><periodCost>{self.cost}</periodCost>"
            f"</chargingPeriods><totalCost>{self.total_cost or self.cost}</totalCost>"
            f"<currency>EUR</currency></{_ITEM}>"
        )


#: The rules that the implausible CDR breaks.
_BROKEN = ("duration-difference", "energy-within-power", "total-cost")


def play(trip: Trip) -> Iterator[Step]:
    """Bill sessions: one is disputed, mended and approved, one is given up, one is implausible."""
    # Each playing bills sessions of its own: a CDR that is approved stays so for good.
    end = (trip.now - timedelta(hours=1)).astimezone(ZoneInfo(TIME_ZONE))
    session = Session(f"DECPODEMO{trip.now:%Y%m%d%H%M%S%f}", end)
    mistaken = replace(session, cdr_id=f"{session.cdr_id}M", end=end - timedelta(hours=1))
    yield from _billed(trip, session, mistaken)
    yield from _disputed(trip, session, mistaken)
    yield from _approved(trip, replace(session, status="revised", energy_kwh=Decimal(10)))
    yield from _given_up(trip, replace(mistaken, status="rejected"))


def _billed(trip: Trip, session: Session, mistaken: Session) -> Iterator[Step]:
    wrong = replace(
        session,
        cdr_id=f"{session.cdr_id}X",
        energy_kwh=Decimal(99),
        duration="002:00:00",
        total_cost=Decimal(99),
    )
    reply = trip.call(CPO, "AddCDRs", session.xml + mistaken.xml + wrong.xml)
    named = [rule for rule in _BROKEN if f"({rule})" in reply.description]
    yield told(
        reply,
        f"Two sessions of an hour, {session.energy_kwh} kWh for {session.cost} EUR each, are"
        f" accepted. A third CDR is implausible, for {len(named)} reasons: {', '.join(named)}.",
        expected="partly",
        holds=len(named) == len(_BROKEN)
        and [each.text for each in reply.records("implausibleCdrsArray")] == [wrong.cdr_id],
    )
    reply = trip.call(EMP, "GetCDRs")
    yield told(
        reply,
        f"The EMP whose contract it is finds it: CDR {session.cdr_id}.",
        holds=_status(reply, session.cdr_id) == "accepted",
    )


def _disputed(trip: Trip, session: Session, mistaken: Session) -> Iterator[Step]:
    entries = [_confirmation("declined", each.cdr_id) for each in (session, mistaken)]
    reply = trip.call(EMP, "ConfirmCDRs", "".join(entries))
    yield told(reply, "The EMP declines both: its customer charged once, and less.")
    reply = trip.call(CPO, "CheckCDRs")
    statuses = {_status(reply, each.cdr_id) for each in (session, mistaken)}
    yield told(
        reply,
        "The CPO asks what was declined, and finds them.",
        holds=statuses == {"declined"},
    )


def _approved(trip: Trip, session: Session) -> Iterator[Step]:
    reply = trip.call(CPO, "AddCDRs", session.xml)
    yield told(reply, f"The CPO revises it: {session.energy_kwh} kWh for {session.cost} EUR.")
    reply = trip.call(EMP, "GetCDRs")
    yield told(
        reply,
        "The EMP finds the revised one.",
        holds=_status(reply, session.cdr_id) == "revised",
    )
    reply = trip.call(EMP, "ConfirmCDRs", _confirmation("approved", session.cdr_id))
    yield told(reply, "The EMP approves it, which is final.")
    reply = trip.call(CPO, "CheckCDRs", _asked("approved"))
    yield told(
        reply,
        "The CPO sees that it will be paid.",
        holds=_status(reply, session.cdr_id) == "approved",
    )


def _given_up(trip: Trip, mistaken: Session) -> Iterator[Step]:
    reply = trip.call(CPO, "AddCDRs", mistaken.xml)
    yield told(reply, "The CPO gives the other session up: rejected for good.")
    reply = trip.call(EMP, "GetCDRs", _asked("rejected"))
    yield told(
        reply,
        "The EMP sees that it will not be asked to pay for that one.",
        holds=_status(reply, mistaken.cdr_id) == "rejected",
    )


def _status(reply: Reply, cdr_id: str) -> str | None:
    """The status in which a CDR is in the answer; None if it is not."""
    for record in reply.records(_ITEM):
        if text_of(record, "CdrId") == cdr_id:
            return text_of(record, "status", "CdrStatusType")
    return None


def _confirmation(wish: str, cdr_id: str) -> str:
    return f"<{wish}><cdrId>{cdr_id}</cdrId><evseId>{AC.evse_id}</evseId></{wish}>"


def _asked(status: str) -> str:
    return f"<cdrStatus><CdrStatusType>{status}</CdrStatusType></cdrStatus>"


def _time(element: str, moment: datetime) -> str:
    text = format_local_date_time(moment)
    return f"<{element}><LocalDateTime>{text}</LocalDateTime></{element}>"
