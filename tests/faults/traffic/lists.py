"""Senders' next messages about tokens, charge points, tariffs and states: what dice decide."""

import itertools
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random

from ochp_chs.ochp.times import format_date_time
from tests.faults.traffic import chapters
from tests.faults.traffic.chapters import REVOKED_AT, prices, state
from tests.faults.traffic.contents import elements_of
from tests.faults.traffic.ledger import GONE, Entries, Upload
from tests.support.charge_points import charge_point_xml, parking_xml
from tests.support.live_status import evse_xml
from tests.support.live_status import parking_xml as parking_state_xml
from tests.support.tariffs import individual_xml, tariff_xml
from tests.support.tokens import token_xml

#: Makes a sender's next message from what its records are.
Compose = Callable[[Entries, Random], Upload]

_KEYS = 60
#: More than travel inside one statement.
_LONG_KEYS = 320
_LONG_S_MAX = 1.2
_EVSE_STATES = (
    ("available", None),
    ("available", "reserved"),
    ("not-available", "charging"),
    ("unknown", None),
)
_VERSIONS_BEGIN = datetime(2090, 1, 1, tzinfo=UTC)
#: A record that is refused, among others that are not: it names a party that is not the sender.
_FOREIGN_TOKEN = token_xml("04FFFFFFFF", contract_id="NL-XXX-C00000001")
_FOREIGN_POINT = charge_point_xml("NL*XXX*E1")
_FOREIGN_TARIFF = tariff_xml(tariff_id="NL*XXX*T1")
_FOREIGN_STATE = evse_xml("NL*XXX*E1")
_FOREIGN_SPOT = parking_state_xml("NL*XXX*P1")


def evse_id(number: int, key: int) -> str:
    """An EVSE of the CPO of this number."""
    return f"DE*CP{number}*E{key}"


def spots_of(number: int, key: int) -> Sequence[str]:
    """The parking spots of an EVSE: those of the first CPO have some."""
    return [f"DE*PSO*P{2 * key + each}" for each in (0, 1)] if number == 1 and key % 2 else []


def tokens(number: int) -> Compose:
    """Of the EMP of this number: Sets, Updates, revocations, and records that are refused."""
    partner, versions = f"emp{number}", itertools.count(1)

    def record(key: int, version: int, expiry: str = chapters.VALID_UNTIL) -> str:
        contract_id = f"DE-EM{number}-C{key:08d}"
        uid = f"04{number:02X}{key:08X}"
        return token_xml(uid, contract_id=contract_id, printed_number=f"v{version}", expiry=expiry)

    def compose(entries: Entries, dice: Random) -> Upload:
        keys, replaces, seconds = _keys(dice)
        version = next(versions)
        records = [
            record(
                key,
                version,
                REVOKED_AT if not replaces and dice.random() < 0.2 else chapters.VALID_UNTIL,
            )
            for key in keys
        ]
        sent = dict(map(chapters.TOKENS.read, elements_of("".join(records))))
        operation = "SetRoamingAuthorisationList" if replaces else "UpdateRoamingAuthorisationList"
        return _upload(
            partner,
            operation,
            records,
            _FOREIGN_TOKEN,
            entries,
            sent,
            dice,
            replaces=replaces,
            seconds=seconds,
        )

    return compose


def charge_points(number: int) -> Compose:
    """Of the CPO of this number: Sets and Updates."""
    partner, versions = f"cpo{number}", itertools.count(1)

    def record(key: int, version: int) -> str:
        return charge_point_xml(
            evse_id(number, key),
            location_id=f"L{key}",
            name=f"v{version}",
            parking="".join(map(parking_xml, spots_of(number, key))),
        )

    def compose(entries: Entries, dice: Random) -> Upload:
        keys, replaces, seconds = _keys(dice)
        version = next(versions)
        records = [record(key, version) for key in keys]
        sent = dict(map(chapters.CHARGE_POINTS.read, elements_of("".join(records))))
        operation = "SetChargepointList" if replaces else "UpdateChargePointList"
        return _upload(
            partner,
            operation,
            records,
            _FOREIGN_POINT,
            entries,
            sent,
            dice,
            replaces=replaces,
            seconds=seconds,
        )

    return compose


def tariffs(number: int) -> Compose:
    """Of the CPO of this number: each with a default and prices for one recipient."""
    partner, versions = f"cpo{number}", itertools.count(1)

    def compose(entries: Entries, dice: Random) -> Upload:
        version = next(versions)
        records, sent = [], {}
        for key in dice.sample(range(_KEYS), dice.randint(1, 6)):
            tariff_id, default, named = f"DE*CP{number}*T{key}", f"{version}.0", f"{version}.5"
            individual = (
                individual_xml(default),
                individual_xml(named, chapters.NAMED_RECIPIENT),
            )
            records.append(tariff_xml(*individual, tariff_id=tariff_id))
            sent[tariff_id] = prices(default, named)
        return _upload(partner, "UpdateTariffs", records, _FOREIGN_TARIFF, entries, sent, dice)

    return compose


def evse_states(number: int) -> Compose:
    """Of the CPO of this number."""

    def record(name: str, ttl: str, dice: Random) -> tuple[str, str]:
        major, minor = dice.choice(_EVSE_STATES)
        return evse_xml(name, major, minor, ttl=ttl), state(major, minor, ttl)

    return _states(f"cpo{number}", lambda key: evse_id(number, key), record, _FOREIGN_STATE)


def parking_states() -> Compose:
    """Of the PSO; most are taken, so that EVSEs are blocked."""

    def record(name: str, ttl: str, dice: Random) -> tuple[str, str]:
        status = dice.choice(("available", "not-available", "not-available", "not-available"))
        return parking_state_xml(name, status, ttl=ttl), state(status, None, ttl)

    return _states("pso", lambda key: f"DE*PSO*P{key}", record, _FOREIGN_SPOT)


def _states(
    partner: str,
    name_of: Callable[[int], str],
    record: Callable[[str, str, Random], tuple[str, str]],
    foreign: str,
) -> Compose:
    versions = itertools.count(1)

    def compose(entries: Entries, dice: Random) -> Upload:
        ttl = format_date_time(_VERSIONS_BEGIN + timedelta(seconds=next(versions)))
        count = _LONG_KEYS if dice.random() < 0.05 else dice.randint(1, 20)
        names = [name_of(key) for key in dice.sample(range(2 * _LONG_KEYS), count)]
        made = {name: record(name, ttl, dice) for name in names}
        records = [xml for xml, _ in made.values()]
        sent = {name: value for name, (_, value) in made.items()}
        return _upload(partner, "UpdateStatus", records, foreign, entries, sent, dice)

    return compose


def _keys(dice: Random) -> tuple[Sequence[int], bool, float]:
    """Which records a message is about, whether it is a Set, and how long it takes to arrive."""
    if dice.random() < 0.1:
        return range(_LONG_KEYS), True, dice.uniform(0.2, _LONG_S_MAX)
    if dice.random() < 0.25:
        return dice.sample(range(_KEYS), dice.randint(1, _KEYS)), True, 0
    return dice.sample(range(_KEYS), dice.randint(1, 6)), False, 0


def _upload(
    partner: str,
    operation: str,
    records: Sequence[str],
    foreign: str,
    entries: Entries,
    sent: dict[str, str],
    dice: Random,
    *,
    replaces: bool = False,
    seconds: float = 0,
) -> Upload:
    """The message, one in ten of them with a record among the others that is refused."""
    refused = dice.random() < 0.1
    before = dict.fromkeys(entries, GONE) if replaces else dict(entries)
    return Upload(
        partner,
        operation,
        "".join([*records, foreign] if refused else records),
        {**before, **sent},
        result="partly" if refused else "ok",
        seconds=seconds,
    )
