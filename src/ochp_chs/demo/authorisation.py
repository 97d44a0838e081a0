"""Authorisation data in the round trip: tokens from an EMP to a CPO."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lxml import etree

from ochp_chs.demo.client import Reply, text_of
from ochp_chs.demo.partners import CPO, EMP, EMP2
from ochp_chs.demo.step import Step, Trip, moment_xml, told
from ochp_chs.ochp.times import format_date_time

_SINGLE = "GetSingleRoamingAuthorisation"
_EXPIRY = datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC)
_LIST_ITEM = "roamingAuthorisationInfoArray"
_DELTA_ITEM = "roamingAuthorisationInfo"


@dataclass(frozen=True, slots=True)
class Card:
    """A token as its EMP knows it."""

    instance: str
    contract_id: str
    #: How the EMP hands it out: None is plain.
    representation: str | None = None

    @property
    def sent_as(self) -> str:
        """The instance as it stands in the EMP's list."""
        return sha_256(self.instance) if self.representation == "sha-256" else self.instance

    def xml(self, expiry: datetime = _EXPIRY) -> str:
        """The token as a record of a list."""
        kind = f' representation="{self.representation}"' if self.representation else ""
        return (
            f"<{_LIST_ITEM}><EmtId{kind}><instance>{self.sent_as}</instance>"
            f"<tokenType>rfid</tokenType></EmtId><contractId>{self.contract_id}</contractId>"
            f"{moment_xml('expiryDate', expiry)}</{_LIST_ITEM}>"
        )


def sha_256(text: str) -> str:
    """The hash of an instance, as representation sha-256 has it."""
    return hashlib.sha256(text.encode()).hexdigest()


PLAIN_CARD = Card("04A1B2C3D4E5F6", "DE-EMP-C00000011-R")
HASHED_CARD = Card("04B2C3D4E5F6A7", "DE-EMP-C00000012-X", "sha-256")
LOST_CARD = Card("04C3D4E5F6A7B8", "DE-EMP-C00000013-T")
CARDS = (PLAIN_CARD, HASHED_CARD, LOST_CARD)
#: Of a provider that is connected to nobody.
UNCONNECTED_CARD = Card("04D4E5F6A7B8C9", "NL-EM2-C00000021-V")


def play(trip: Trip) -> Iterator[Step]:
    """Send a list, read it, look cards up, revoke one, and follow the change."""
    yield from _list_goes_up_and_down(trip)
    yield from _cards_are_looked_up(trip)
    yield from _card_is_revoked(trip)
    yield from _strangers_get_nowhere(trip)


def _list_goes_up_and_down(trip: Trip) -> Iterator[Step]:
    reply = trip.call(EMP, "SetRoamingAuthorisationList", "".join(card.xml() for card in CARDS))
    yield told(reply, "Three cards are the EMP's whole list now, whatever it had before.")
    reply = trip.call(CPO, "GetRoamingAuthorisationList")
    found = reply.records(_LIST_ITEM)
    yield told(
        reply,
        f"The connected CPO gets the list, {len(found)} tokens, each as it was sent.",
        holds={card.sent_as for card in CARDS} <= _instances(found),
    )


def _cards_are_looked_up(trip: Trip) -> Iterator[Step]:
    reply = trip.call(CPO, _SINGLE, _wanted(sha_256(PLAIN_CARD.instance), "sha-256"))
    contract = _contract(reply)
    yield told(
        reply,
        f"A card sent in plain text is found by its SHA-256: contract {contract}.",
        holds=contract == PLAIN_CARD.contract_id,
    )
    reply = trip.call(CPO, _SINGLE, _wanted(HASHED_CARD.instance))
    contract = _contract(reply)
    yield told(
        reply,
        f"A card sent as a hash is found by what its reader reads: contract {contract}.",
        holds=contract == HASHED_CARD.contract_id,
    )


def _card_is_revoked(trip: Trip) -> Iterator[Step]:
    expired = trip.now - timedelta(minutes=1)
    reply = trip.call(EMP, "UpdateRoamingAuthorisationList", LOST_CARD.xml(expired))
    yield told(reply, "A lost card is revoked: it is sent again, expired a minute ago.")
    reply = trip.call(CPO, "GetRoamingAuthorisationListUpdates", moment_xml("lastUpdate", trip.now))
    expiries = {
        _instance(record): text_of(record, "expiryDate", "DateTime")
        for record in reply.records(_DELTA_ITEM)
    }
    yield told(
        reply,
        f"The changes since this demo began, {len(expiries)} tokens, tell the CPO of the lost"
        f" card: expired {expiries.get(LOST_CARD.instance, 'never')}.",
        holds=expiries.get(LOST_CARD.instance) == format_date_time(expired),
    )
    reply = trip.call(CPO, _SINGLE, _wanted(LOST_CARD.instance))
    yield told(
        reply,
        "The lost card opens no charge point any more.",
        expected="invalid-id",
        holds=not reply.records(_DELTA_ITEM),
    )


def _strangers_get_nowhere(trip: Trip) -> Iterator[Step]:
    foreign = Card(UNCONNECTED_CARD.instance, PLAIN_CARD.contract_id)
    reply = trip.call(EMP2, "SetRoamingAuthorisationList", UNCONNECTED_CARD.xml() + foreign.xml())
    yield told(
        reply,
        "Records are judged one by one: a contract of another EMP is refused, the other is kept.",
        expected="partly",
        holds=len(reply.records("refusedRoamingAuthorisationInfo")) == 1,
    )
    reply = trip.call(CPO, _SINGLE, _wanted(UNCONNECTED_CARD.instance))
    yield told(
        reply,
        "demo-emp2 is connected to nobody: to the CPO its card is unknown.",
        expected="invalid-id",
        holds=not reply.records(_DELTA_ITEM),
    )
    reply = trip.call(EMP2, "GetRoamingAuthorisationList")
    yield told(
        reply,
        "Token lists are read by CPOs; an EMP is told so.",
        expected="not-authorized",
        holds=not reply.records(_LIST_ITEM),
    )


def _wanted(instance: str, representation: str = "plain") -> str:
    return (
        f'<emtId representation="{representation}"><instance>{instance}</instance>'
        "<tokenType>rfid</tokenType></emtId>"
    )


def _instance(record: etree._Element) -> str:
    return text_of(record, "EmtId", "instance")


def _instances(records: Sequence[etree._Element]) -> set[str]:
    return {_instance(record) for record in records}


def _contract(single: Reply) -> str:
    records = single.records(_DELTA_ITEM)
    return text_of(records[0], "contractId") if records else "nothing"
