"""What the rules may know beside the record: loaded for a block of CDRs, read-only, no I/O.

Keys are those of ochp.identifiers: `evse_key`, `tariff_key`, the five characters of a party.
Whoever loads it needs one statement per field, never one per CDR.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from ochp_chs.ochp.records.cdr import Cdr, Connector, Token
from ochp_chs.ochp.records.tariff import IndividualTariff
from ochp_chs.rules.sessions import Sessions


@dataclass(frozen=True, slots=True)
class KnownEvse:
    """An EVSE as charge point data has it: time zone by tzdata's name, largest power in kW."""

    time_zone: str | None = None
    connectors: tuple[Connector, ...] = ()
    maximum_power: Decimal | None = None


@dataclass(frozen=True, slots=True)
class GivenTariff:
    """What one owner was given for one tariff, from one moment until another (None: still)."""

    given_from: datetime
    given_until: datetime | None
    tariff: IndividualTariff


@dataclass(frozen=True, slots=True)
class Context:
    """Everything for one block of CDRs of one caller.

    providers: every provider ID that some EMP speaks for, and whether a roaming connection that
        carries CDRs joins it to the caller.
    evses: by `Cdr.evse_key`, those of the block that charge point data knows.
    listed_tokens: pairs of `Cdr.contract_key` and `Cdr.token`, just as the CDRs of the block have
        them, that are in the owner's list for that contract; how a plain token is found in a
        hashed list is the loader's knowledge.
    sessions: stored and same-message sessions on the EVSEs of the block.
    tariffs: by tariff key and provider, what that provider was given over time: an individual
        tariff that names it, else the default.
    """

    now: datetime
    operator_ids: AbstractSet[str]
    providers: Mapping[str, bool] = field(default_factory=dict)
    evses: Mapping[str, KnownEvse] = field(default_factory=dict)
    listed_tokens: AbstractSet[tuple[str, Token]] = frozenset()
    sessions: Sessions = field(default_factory=Sessions)
    tariffs: Mapping[tuple[str, str], Sequence[GivenTariff]] = field(default_factory=dict)

    def rated_power(self, cdr: Cdr) -> Decimal | None:
        """The charge point's largest power in kW, None where nobody stated one above zero.

        The CDR's own ratings and the charge point data may differ; the larger counts, so that an
        outdated record does not make an honest CDR impossible.
        """
        evse = self.evses.get(cdr.evse_key)
        powers = (
            cdr.ratings.maximum_power if cdr.ratings else None,
            evse.maximum_power if evse else None,
        )
        return max((power for power in powers if power is not None and power > 0), default=None)
