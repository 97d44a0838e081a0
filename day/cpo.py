"""A CPO's day: tokens in, charge points, states and tariffs out, CDRs sent and defended."""

import random
from collections.abc import Callable
from datetime import UTC, datetime

from day.agenda import NIGHT_ENDS, Agenda
from day.emp import STABLE_TOKENS
from day.follow import View
from day.market import Market, cpo_name
from day.records import (
    GONE,
    Versions,
    cdr,
    cdr_id,
    charge_point,
    contract_id,
    evse_id,
    is_given_up,
    read_cdr,
    read_token,
    state,
    tariff,
    tariff_id,
    uid,
)
from day.wire import Book, Line, WrongAnswer
from tests.support.edge import O
from tests.support.endpoints import operator_xml
from tests.support.scale import Scale


class Cpo:
    """One CPO: what it sent, what it knows, and its CDRs."""

    def __init__(self, scale: Scale, market: Market, number: int, book: Book) -> None:
        self.number = number
        self.line = Line(scale, cpo_name(number), book)
        self.charge_points: Versions = {}
        self.states: Versions = {}
        self.tariffs: Versions = {}
        self.tokens = View(
            self.line,
            ask="GetRoamingAuthorisationListUpdates",
            since="lastUpdate",
            element="roamingAuthorisationInfo",
            read=read_token,
        )
        #: EMP and version of each CDR that was sent.
        self.cdrs: dict[str, tuple[int, int]] = {}
        self._market = market
        self._emps = market.emps_of(number)
        self._chance = random.Random(f"cpo {number}")
        self._book = book
        self._today = datetime.now(UTC)

    def agenda(self) -> Agenda:
        """What it does when."""
        agenda = Agenda(self.line, self._book, self._chance)
        agenda.at(0, NIGHT_ENDS / 2, self.send_all_charge_points)
        agenda.at(0, NIGHT_ENDS, self.send_endpoint)
        agenda.at(0, NIGHT_ENDS, self.change_tariffs)
        agenda.at(NIGHT_ENDS / 2, NIGHT_ENDS, self.fetch_tokens)
        agenda.regularly(48, self.tokens.poll)
        agenda.regularly(48, self.authorise)
        agenda.regularly(96, self.change_states)
        agenda.regularly(6, self.change_charge_points)
        agenda.regularly(3, self.change_tariffs)
        agenda.regularly(20, self.send_cdrs)
        agenda.regularly(12, self.defend)
        agenda.regularly(2, self.endpoints)
        if self.number % 5 == 0:
            agenda.at(0.9, 1, self.send_all_charge_points)
        return agenda

    def fetch_tokens(self) -> None:
        """The full list, as a first view."""
        self.tokens.begin("GetRoamingAuthorisationList", "roamingAuthorisationInfoArray")

    def authorise(self) -> None:
        """Somebody holds a card to a charge point; now and then one that nobody knows."""
        emp, key = self._chance.choice(self._emps), self._chance.randrange(STABLE_TOKENS)
        is_known = self._chance.random() < 0.95
        instance = uid(emp, key) if is_known else "04FFFFFFFFFF"
        content = f"<emtId><instance>{instance}</instance><tokenType>rfid</tokenType></emtId>"
        expected = "ok" if is_known else "invalid-id"
        reply = self.line.call("GetSingleRoamingAuthorisation", content, expected)
        found = [read_token(each)[0] for each in reply.elements("roamingAuthorisationInfo")]
        if found != ([contract_id(emp, key)] if is_known else []):
            raise WrongAnswer(f"{instance} is of {found}")

    def send_all_charge_points(self) -> None:
        """The whole list; the second one of the day leaves some out."""
        kept = range(self._market.evses - (3 if self.charge_points else 0))
        fresh = self._changed(self.charge_points, kept, evse_id)
        self._send("SetChargepointList", charge_point, fresh)
        gone = dict.fromkeys(self.charge_points, GONE)
        self.charge_points = gone | self._by_identifier(fresh, evse_id)

    def change_charge_points(self) -> None:
        """A few that changed."""
        keys = self._chance.sample(range(self._market.evses), 3)
        fresh = self._changed(self.charge_points, keys, evse_id)
        self._send("UpdateChargePointList", charge_point, fresh)
        self.charge_points |= self._by_identifier(fresh, evse_id)

    def change_states(self) -> None:
        """Sessions begin and end."""
        keys = self._chance.sample(range(self._market.evses), self._chance.randint(1, 4))
        fresh = self._changed(self.states, keys, evse_id)
        self._send("UpdateStatus", state, fresh)
        self.states |= self._by_identifier(fresh, evse_id)

    def change_tariffs(self) -> None:
        """All its tariffs get dearer."""
        fresh = self._changed(self.tariffs, range(self._market.tariffs), tariff_id)
        self._send("UpdateTariffs", tariff, fresh)
        self.tariffs |= self._by_identifier(fresh, tariff_id)

    def send_endpoint(self) -> None:
        """Where partners reach it."""
        self.line.call(
            "AddServiceEndpoints",
            operator_xml(
                f"token-of-cpo-{self.number}",
                whitelist=[f"DEQ{self.number:02d}E%"],
                url=endpoint_url(self.number),
            ),
        )

    def send_cdrs(self) -> None:
        """Sessions that have ended, of whichever EMPs' customers."""
        count = self._market.cdrs // 20
        first = len(self.cdrs)
        batch = {first + n: self._chance.choice(self._emps) for n in range(count)}
        content = "".join(self._cdr(key, emp, 1, "new") for key, emp in batch.items())
        self.line.call("AddCDRs", content)
        self.cdrs |= {cdr_id(self.number, key): (emp, 1) for key, emp in batch.items()}

    def defend(self) -> None:
        """Revise what was declined, or give it up."""
        declined = [read_cdr(each)[0] for each in self.line.records("CheckCDRs", "cdrInfoArray")]
        if not declined:
            return
        content, revised = "", {}
        for identifier in declined:
            key, (emp, version) = int(identifier[5:]), self.cdrs[identifier]
            if is_given_up(identifier):
                content += self._cdr(key, emp, version, "rejected")
            else:
                content += self._cdr(key, emp, version + 1, "revised")
                revised[identifier] = (emp, version + 1)
        self.line.call("AddCDRs", content)
        self.cdrs |= revised

    def endpoints(self) -> set[str]:
        """The addresses of the EMPs' systems that it is told."""
        found = self.line.records("GetServiceEndpoints", "providerEndpointArray")
        return {each.findtext(f"{O}url") or "" for each in found}

    def _cdr(self, key: int, emp: int, version: int, status: str) -> str:
        return cdr(
            self.number,
            key,
            emp,
            evses=self._market.evses,
            version=version,
            status=status,
            today=self._today,
        )

    def _changed(
        self, stored: Versions, keys: object, name: Callable[[int, int], str]
    ) -> dict[int, int]:
        return {
            key: max(0, stored.get(name(self.number, key), 0)) + 1
            for key in keys  # type: ignore[attr-defined]
        }

    def _send(
        self, operation: str, record: Callable[[int, int, int], str], versions: dict[int, int]
    ) -> None:
        content = "".join(record(self.number, key, version) for key, version in versions.items())
        self.line.call(operation, content)

    def _by_identifier(self, versions: dict[int, int], name: Callable[[int, int], str]) -> Versions:
        return {name(self.number, key): version for key, version in versions.items()}


def endpoint_url(number: int) -> str:
    """The address of a CPO's system."""
    return f"https://cpo-{number}.example/direct"
