"""Tariffs: from operators to EMPs (PROTOCOL, "Tariffs")."""

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import datetime
from functools import partial
from typing import cast

from ochp_chs.clearing.download import sources_for, streamed_answer
from ochp_chs.clearing.exchange import Answer, Call, ClearingHouse, Message, no_connection
from ochp_chs.clearing.intake import Judge
from ochp_chs.clearing.parameters import optional_time
from ochp_chs.clearing.upload import Finding, Upload, receive
from ochp_chs.ochp.records.codec import Judgement
from ochp_chs.ochp.records.decimals import ZERO
from ochp_chs.ochp.records.tariff import IndividualTariff, TariffInfo
from ochp_chs.ochp.records.tariff_codec import JudgedTariff, TariffCodec, ends_at
from ochp_chs.ochp.results import shorten
from ochp_chs.ochp.roles import Carries, Role
from ochp_chs.ochp.times import format_date_time
from ochp_chs.ochp.violations import Reason, Violation
from ochp_chs.repository import tariffs as store
from ochp_chs.repository.connections import sinks_of
from ochp_chs.repository.engine import Connection
from ochp_chs.repository.staging import SizedIterable, Staged
from ochp_chs.repository.tariff_views import Since, View, stream_seen
from ochp_chs.repository.tariffs import TARIFFS
from ochp_chs.rules.codes import currency_codes

_ELEMENT = "TariffInfoArray"
_CODEC = TariffCodec()


def update_tariffs(house: ClearingHouse, call: Call, message: Message) -> Answer:
    """UpdateTariffs: add and replace tariffs, each as a whole."""
    upload = Upload(
        TARIFFS,
        _CODEC,
        _judge(call.partner.party_ids(Role.CPO), call.received_at),
        owners=(),
        replaces=False,
        check=partial(_name_unknown_recipients, call.partner.id),
        store=partial(_replace, house),
    )
    return receive(house, call, message, upload)


def get_updates(house: ClearingHouse, call: Call, message: Message) -> Answer:
    """GetTariffUpdates: what is valid for the caller, or what is another for it since lastUpdate.

    In a delta, a tariff that is no longer for the caller comes as it was, ended.
    """
    last_update = optional_time(message.parameters(call.partner.reading), "lastUpdate")
    sources = sources_for(house, call, Carries.TARIFFS, TARIFFS)
    if not sources:
        return no_connection(call.operation)
    operators = [source.party_id for source in sources]
    since = None
    if last_update is not None:
        moment = last_update - house.clock_tolerance
        new = [source.party_id for source in sources if source.visible_since >= moment]
        since = Since(moment, new)
    view = View(operators, sorted(call.partner.party_ids(Role.EMP)))
    read = partial(stream_seen, view=view, at=house.clock(), since=since)
    return streamed_answer(house, read, _ELEMENT)


def _judge(operators: Collection[str], received_at: datetime) -> Judge:
    """What the record alone tells: whose it is, for whom, and whether prices can be meant."""

    def judge(values: tuple[object, ...]) -> Judgement | None:
        info = cast(JudgedTariff, values).info
        if info.operator not in operators:
            return Judgement(refusals=[_foreign_operator(info, operators)])
        refusals = [*_repeated_recipients(info), *_impossible_values(info)]
        warnings = [*_missing_default(info), *_already_over(info, received_at)]
        return Judgement(refusals, warnings) if refusals or warnings else None

    return judge


def _foreign_operator(info: TariffInfo, operators: Collection[str]) -> Violation:
    own = ", ".join(sorted(operators)) or "none"
    return Violation(
        "tariff-operator",
        "tariffId",
        info.tariff_id,
        f"operator {info.operator} is not one of yours ({own})",
        Reason.IDENTIFIER,
    )


def _repeated_recipients(info: TariffInfo) -> Iterator[Violation]:
    """Nobody can be given two things at once, neither a provider nor everybody else."""
    named = Counter(name for each in info.individual for name in each.recipients)
    for recipient in sorted(name for name, count in named.items() if count > 1):
        yield Violation(
            "tariff-recipient-repeated",
            "individualTariff/recipient",
            recipient,
            "this recipient is named twice; which prices hold for it is open",
        )
    defaults = [str(place) for place, each in _placed(info) if not each.recipients]
    if len(defaults) > 1:
        yield Violation(
            "tariff-default-repeated",
            "individualTariff",
            "",
            f"numbers {', '.join(defaults[:10])} have no recipient, and there is one default only",
        )


def _missing_default(info: TariffInfo) -> Iterator[Violation]:
    if all(each.recipients for each in info.individual):
        yield Violation(
            "tariff-default-missing",
            "individualTariff",
            "",
            "none is without recipient: whoever is not named sees nothing of this tariff",
        )


def _impossible_values(info: TariffInfo) -> Iterator[Violation]:
    for place, each in _placed(info):
        field = f"individualTariff[{place}]"
        if each.currency not in currency_codes():
            yield Violation(
                "tariff-currency",
                f"{field}/currency",
                shorten(each.currency, 40),
                "this is not a currency of ISO 4217, write for example EUR",
            )
        for number, element in enumerate(each.elements, 1):
            if element.price < ZERO:
                yield Violation(
                    "tariff-price-negative",
                    f"{field}/tariffElement[{number}]/itemPrice",
                    str(element.price),
                    "a price is 0 or more",
                )


def _already_over(info: TariffInfo, received_at: datetime) -> Iterator[Violation]:
    for place, each in _placed(info):
        end = ends_at(each)
        if end is not None and end <= received_at:
            yield Violation(
                "tariff-over",
                f"individualTariff[{place}]",
                format_date_time(end),
                "all of its elements have ended: it is not in full lists",
            )


def _placed(info: TariffInfo) -> Iterator[tuple[int, IndividualTariff]]:
    return enumerate(info.individual, 1)


def _name_unknown_recipients(
    partner_id: int, connection: Connection, staged: Staged
) -> Iterator[Finding]:
    """A recipient should be a provider to whom the caller's tariffs flow."""
    sinks = sinks_of(connection, partner_id, Carries.TARIFFS)
    known = {sink.party_id for sink in sinks if sink.role is Role.EMP}
    found, count = store.unknown_recipients(connection, staged.source, known)
    more = count - len(found)
    for each in found:
        violation = Violation(
            "tariff-recipient-unknown",
            "individualTariff/recipient",
            ", ".join(each.recipients),
            "no provider of this ID is connected to you; taken, and seen once one is",
        )
        yield Finding(each.position, each.tariff_id, violation, refuses=False, more=more)
        more = 0


def _replace(
    house: ClearingHouse,
    connection: Connection,
    staged: Staged,
    _retained: SizedIterable,
    change_id: int,
) -> tuple[int, int]:
    return store.replace(connection, staged.source, change_id, house.clock()), 0
