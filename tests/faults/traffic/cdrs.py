"""A CPO and an EMP who bill each other: every step that a CDR can take, and repeats."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import cast

import sqlalchemy as sa

from tests.faults.traffic.contents import content_of, element_of_payload, elements_of
from tests.faults.traffic.ledger import Entries, Upload
from tests.faults.traffic.lists import Compose
from tests.support.cdrs import cdr_xml, confirmation_xml, period_xml

#: More than travel inside one statement.
_MANY = 230

ADD, CONFIRM = "AddCDRs", "ConfirmCDRs"


@dataclass(frozen=True)
class Cdr:
    """Where a CDR stands, how it came there, and what it says."""

    status: str
    steps: tuple[str, ...]
    content: str

    def step(self, event: str, status: str, content: str | None = None) -> "Cdr":
        return Cdr(status, (*self.steps, event), content or self.content)


class Billing:
    """The next message of the CPO or of the EMP, who take turns as the dice decide."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._ids = itertools.count(1)
        self._versions = itertools.count(1)
        #: The version of each CDR that was sent first, and the last one.
        self._first: dict[str, int] = {}
        self._last: dict[str, int] = {}
        start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
        self._begin, self._end = (
            f"{t:%Y-%m-%dT%H:%M:%S}+00:00" for t in (start, start + timedelta(hours=2))
        )

    def compose(self, entries: Entries, dice: Random) -> Upload:
        """What comes next; new CDRs where nothing can be done with those that are there."""
        cdrs = cast(Mapping[str, Cdr], entries)
        ways = (self._confirm, self._confirm, self._answer, self._revise, self._repeat)
        upload = dice.choice(ways)(cdrs, dice) if dice.random() < 0.7 else None
        return upload or self._submit(cdrs, dice)

    def _submit(self, cdrs: Mapping[str, Cdr], dice: Random) -> Upload:
        count = _MANY if dice.random() < 0.01 else dice.randint(1, 5)
        version, ids = next(self._versions), [self._new_id() for _ in range(count)]
        self._first |= dict.fromkeys(ids, version)
        self._last |= dict.fromkeys(ids, version)
        records = [self._xml(cdr_id, version, "new") for cdr_id in ids]
        taken = {each: Cdr("accepted", ("submit",), self._content(each, version)) for each in ids}
        return self._add(cdrs, records, taken, dice)

    def _revise(self, cdrs: Mapping[str, Cdr], dice: Random) -> Upload | None:
        chosen = _some(cdrs, {"accepted", "declined"}, dice)
        version = next(self._versions)
        self._last |= dict.fromkeys(chosen, version)
        records = [self._xml(cdr_id, version, "revised") for cdr_id in chosen]
        taken = {
            each: cdrs[each].step("revise", "revised", self._content(each, version))
            for each in chosen
        }
        return self._add(cdrs, records, taken, dice) if chosen else None

    def _answer(self, cdrs: Mapping[str, Cdr], dice: Random) -> Upload | None:
        """To a decline: the CDR is given up, as it was."""
        chosen = _some(cdrs, {"declined"}, dice)
        records = [self._xml(cdr_id, self._last[cdr_id], "rejected") for cdr_id in chosen]
        taken = {each: cdrs[each].step("reject", "rejected") for each in chosen}
        return self._add(cdrs, records, taken, dice) if chosen else None

    def _repeat(self, cdrs: Mapping[str, Cdr], dice: Random) -> Upload | None:
        """As after a timeout, however late: nothing may come of it."""
        chosen = dice.sample(sorted(cdrs), min(3, len(cdrs)))
        records = [self._xml(cdr_id, self._first[cdr_id], "new") for cdr_id in chosen]
        return Upload(self._cpo, ADD, "".join(records), dict(cdrs)) if chosen else None

    def _confirm(self, cdrs: Mapping[str, Cdr], dice: Random) -> Upload | None:
        chosen = _some(cdrs, {"accepted", "revised"}, dice)
        wishes = {each: dice.choice(("approved", "approved", "declined")) for each in chosen}
        # The approved ones come first in the message.
        records = [
            confirmation_xml(wish, each, self._evse_id(each))
            for each, wish in sorted(wishes.items(), key=lambda item: item[1])
        ]
        event = {"approved": "approve", "declined": "decline"}
        taken = {each: cdrs[each].step(event[wish], wish) for each, wish in wishes.items()}
        unknown = dice.random() < 0.1
        if unknown:
            records.append(confirmation_xml("declined", f"DECP{self._number}UNKNOWN"))
        return (
            Upload(
                f"emp{self._number}",
                CONFIRM,
                "".join(records),
                {**cdrs, **taken},
                result="partly" if unknown else "ok",
            )
            if chosen
            else None
        )

    def _add(
        self, cdrs: Mapping[str, Cdr], records: Sequence[str], taken: Entries, dice: Random
    ) -> Upload:
        implausible = dice.random() < 0.1
        foreign = [cdr_xml(cdr_id="NLXXX1", evse_id="NL*XXX*E1")] if implausible else []
        return Upload(
            self._cpo,
            ADD,
            "".join([*records, *foreign]),
            {**cdrs, **taken},
            result="partly" if implausible else "ok",
        )

    @property
    def _cpo(self) -> str:
        return f"cpo{self._number}"

    def _new_id(self) -> str:
        return f"DECP{self._number}{next(self._ids):08}"

    def _evse_id(self, cdr_id: str) -> str:
        return f"DE*CP{self._number}*E{cdr_id[5:]}"

    def _content(self, cdr_id: str, version: int) -> str:
        (element,) = elements_of(self._xml(cdr_id, version, "new"))
        return content_of(element, "status")

    def _xml(self, cdr_id: str, version: int, status: str) -> str:
        return cdr_xml(
            cdr_id=cdr_id,
            evse_id=self._evse_id(cdr_id),
            contract_id=f"DE-EM{self._number}-C00000001",
            status=status,
            start=self._begin,
            end=self._end,
            meter_id=f"v{version}",
            periods=[period_xml(cost="3.00", start=self._begin, end=self._end)],
        )


def billing(number: int) -> Compose:
    """Of the CPO and the EMP of this number."""
    return Billing(number).compose


def _some(cdrs: Mapping[str, Cdr], statuses: set[str], dice: Random) -> Sequence[str]:
    found = [key for key, cdr in cdrs.items() if cdr.status in statuses]
    return sorted(dice.sample(found, min(len(found), dice.randint(1, 8))))


_STORED = sa.text(
    "SELECT cdr.cdr_id, cdr.status, payload,"
    " (SELECT array_agg(event ORDER BY id) FROM cdr_step WHERE cdr_step.cdr = cdr.id)"
    " FROM cdr JOIN cdr_version ON cdr_version.cdr = cdr.id AND cdr_version.version = cdr.version"
    " WHERE operator = :party"
)


def stored(connection: sa.Connection, party: str) -> dict[str, Cdr]:
    """All CDRs of an operator as the database has them."""
    return {
        cdr_id: Cdr(status, tuple(steps or ()), content_of(element_of_payload(payload), "status"))
        for cdr_id, status, payload, steps in connection.execute(_STORED, {"party": party})
    }


def shown(cdrs: Mapping[str, Cdr]) -> Iterator[tuple[str, Cdr]]:
    """What partners see of them: not the steps."""
    return ((key, replace(cdr, steps=())) for key, cdr in cdrs.items())
