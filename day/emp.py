"""An EMP's day: tokens out, charge points, states and tariffs in, CDRs confirmed."""

import random

from day.agenda import NIGHT_ENDS, Agenda
from day.follow import View
from day.market import Market, emp_name
from day.records import (
    GONE,
    Versions,
    contract_id,
    is_declined_at_first,
    read_cdr,
    read_charge_point,
    read_state,
    read_tariff,
    token,
)
from day.wire import Book, Line
from tests.support.cdrs import confirmation_xml
from tests.support.edge import O
from tests.support.endpoints import provider_xml
from tests.support.scale import Scale

#: Tokens below this number live through the day: sessions are charged with them.
STABLE_TOKENS = 50


class Emp:
    """One EMP: what it sent, what it knows, and the CDRs that it has seen."""

    def __init__(self, scale: Scale, market: Market, number: int, book: Book) -> None:
        self.number = number
        self.line = Line(scale, emp_name(number), book)
        self.sent: Versions = {}
        self.charge_points = self._view(
            "GetChargePointListUpdates", "lastUpdate", "chargePointInfoArray", read_charge_point
        )
        self.tariffs = self._view("GetTariffUpdates", "lastUpdate", "TariffInfoArray", read_tariff)
        self.states = self._view("GetStatus", "startDateTime", "evse", read_state)
        #: Cost in cents of every version of a CDR that waited for a confirmation, in order.
        self.seen: dict[str, list[int]] = {}
        #: Kind of CDR confirmation by CDR-ID, the last one.
        self.confirmed: dict[str, str] = {}
        self._market = market
        self._chance = random.Random(f"emp {number}")
        self._book = book

    def agenda(self) -> Agenda:
        """What it does when."""
        agenda = Agenda(self.line, self._book, self._chance)
        agenda.at(0, NIGHT_ENDS / 2, self.send_all_tokens)
        agenda.at(0, NIGHT_ENDS, self.send_endpoint)
        agenda.at(NIGHT_ENDS / 2, NIGHT_ENDS, self.fetch_charge_points)
        agenda.regularly(12, self.change_tokens)
        agenda.regularly(24, self.charge_points.poll)
        agenda.regularly(24, self.states.poll)
        agenda.regularly(6, self.tariffs.poll)
        agenda.regularly(24, self.confirm)
        agenda.regularly(2, self.endpoints)
        if self.number % 5 == 0:
            agenda.at(0.9, 1, self.send_all_tokens)
        return agenda

    def send_all_tokens(self) -> None:
        """The whole list; some are changed, and some of those that were there are left out."""
        kept = range(self._market.tokens)
        if self.sent:
            kept = range(self._market.tokens - self._market.tokens // 20)
        versions = {key: self._version(key) + self._chance.randrange(2) for key in kept}
        self._send("SetRoamingAuthorisationList", versions)
        fresh = {contract_id(self.number, key): version for key, version in versions.items()}
        self.sent = dict.fromkeys(self.sent, GONE) | fresh

    def change_tokens(self) -> None:
        """New versions of some, and one that is revoked."""
        keys = self._chance.sample(range(self._market.tokens), self._chance.randint(1, 20))
        versions = {key: self._version(key) + 1 for key in keys}
        versions[self._chance.randrange(STABLE_TOKENS, self._market.tokens)] = GONE
        self._send("UpdateRoamingAuthorisationList", versions)
        self.sent |= {contract_id(self.number, key): v for key, v in versions.items()}

    def send_endpoint(self) -> None:
        """Where partners reach it."""
        self.line.call(
            "AddServiceEndpoints",
            provider_xml(
                f"token-of-emp-{self.number}",
                whitelist=[f"DEP{self.number:02d}C%"],
                url=endpoint_url(self.number),
            ),
        )

    def fetch_charge_points(self) -> None:
        """The full list, as a first view."""
        self.charge_points.begin("GetChargePointList", "chargePointInfoArray")

    def confirm(self) -> None:
        """Fetch the CDRs that wait, and approve or decline each."""
        waiting = [read_cdr(each) for each in self.line.records("GetCDRs", "cdrInfoArray")]
        entries = {"approved": "", "declined": ""}
        decided = {}
        for identifier, status, cents in waiting:
            self.seen.setdefault(identifier, []).append(cents)
            declines = status == "accepted" and is_declined_at_first(identifier)
            wish = decided[identifier] = "declined" if declines else "approved"
            cpo, key = int(identifier[3:5]), int(identifier[5:])
            evse = f"DE*Q{cpo:02d}*E{key % self._market.evses}"
            entries[wish] += confirmation_xml(wish, identifier, evse)
        if waiting:
            self.line.call("ConfirmCDRs", "".join(entries.values()))
            self.confirmed |= decided

    def endpoints(self) -> set[str]:
        """The addresses of the CPOs' systems that it is told."""
        found = self.line.records("GetServiceEndpoints", "operatorEndpointArray")
        return {each.findtext(f"{O}url") or "" for each in found}

    def final_poll(self) -> None:
        """See what came after the last regular requests."""
        for view in (self.charge_points, self.tariffs, self.states):
            view.poll()

    def _version(self, key: int) -> int:
        return max(0, self.sent.get(contract_id(self.number, key), 0))

    def _send(self, operation: str, versions: dict[int, int]) -> None:
        self.line.call(
            operation, "".join(token(self.number, key, v) for key, v in versions.items())
        )

    def _view(self, ask: str, since: str, element: str, read: object) -> View:
        return View(self.line, ask=ask, since=since, element=element, read=read)  # type: ignore[arg-type]


def endpoint_url(number: int) -> str:
    """The address of an EMP's system."""
    return f"https://emp-{number}.example/direct"
