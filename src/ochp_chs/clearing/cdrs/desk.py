"""What judging the CDRs of one message needs: read once per message, and once per block."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from ochp_chs.clearing.cdrs.settings import SettingsByPartner
from ochp_chs.ochp.identifiers import contract_key_without_check, operator_of, tariff_key
from ochp_chs.ochp.records.cdr import Cdr, Token
from ochp_chs.ochp.records.codec import Judgement, RecordRefused
from ochp_chs.ochp.records.token import TokenKey, token_key
from ochp_chs.ochp.roles import Carries, Role
from ochp_chs.repository import cdr_context
from ochp_chs.repository.cdr_context import ListedToken
from ochp_chs.repository.cdrs import Submitted
from ochp_chs.repository.charge_points import evses_known
from ochp_chs.repository.connections import sinks_of
from ochp_chs.repository.engine import Connection
from ochp_chs.repository.partners import Partner
from ochp_chs.repository.tariff_history import tariffs_for
from ochp_chs.rules.context import Context, GivenTariff, KnownEvse
from ochp_chs.rules.runner import judge
from ochp_chs.rules.sessions import Session, Sessions
from ochp_chs.rules.tariffs import find_tariff_id


@dataclass
class Desk:
    """Judges one caller's CDRs, as of one moment."""

    connection: Connection
    caller: Partner
    now: datetime

    @cached_property
    def operators(self) -> frozenset[str]:
        """The caller's operator IDs."""
        return self.caller.party_ids(Role.CPO)

    @cached_property
    def _partners(self) -> Mapping[str, int]:
        return cdr_context.provider_partners(self.connection)

    @cached_property
    def _providers(self) -> Mapping[str, bool]:
        """Every provider, and whether its CDRs flow to it from the caller."""
        connected = self._receivers_of(Carries.CDRS)
        return {provider: provider in connected for provider in self._partners}

    @cached_property
    def _given_tariffs(self) -> AbstractSet[str]:
        """The providers that are given the caller's tariffs."""
        return self._receivers_of(Carries.TARIFFS)

    def _receivers_of(self, kind: Carries) -> AbstractSet[str]:
        sinks = sinks_of(self.connection, self.caller.id, kind)
        return {sink.party_id for sink in sinks if sink.role is Role.EMP}

    @cached_property
    def _settings(self) -> SettingsByPartner:
        return SettingsByPartner.load(self.connection, self.caller.id)

    def judge(self, cdr: Cdr, context: Context) -> Judgement:
        """What the rules say, as they are set for the connection to the CDR's owner."""
        return judge(cdr, context, self._settings.of(self._partners.get(cdr.provider)))

    def context(self, block: Sequence[Submitted]) -> Context:
        """Everything the rules may look at for these CDRs, in a few statements."""
        cdrs = [submitted.cdr for submitted in block]
        context = Context(
            now=self.now,
            operator_ids=self.operators,
            providers=self._providers,
            evses=self._evses(cdrs),
            listed_tokens=self._listed_tokens(cdrs),
            sessions=self._sessions(cdrs),
        )
        # Which tariff a CDR is about may be known from the charge point data alone.
        return replace(context, tariffs=self._tariffs(cdrs, context))

    def _evses(self, cdrs: Sequence[Cdr]) -> Mapping[str, KnownEvse]:
        known = evses_known(self.connection, sorted({cdr.evse_key for cdr in cdrs}))
        return {
            key: KnownEvse(evse.time_zone, evse.connectors, evse.maximum_power)
            for key, evse in known.items()
        }

    def _tariffs(
        self, cdrs: Sequence[Cdr], context: Context
    ) -> Mapping[tuple[str, str], Sequence[GivenTariff]]:
        named = [(find_tariff_id(cdr, context), cdr) for cdr in cdrs]
        # Another operator's tariff is none of the caller's business: the price that its rule
        # tells would be what a competitor gives to this owner.
        own = [
            (tariff_key(tariff_id), cdr)
            for tariff_id, cdr in named
            if tariff_id is not None and operator_of(tariff_id) in self.operators
        ]
        rated = [(key, cdr) for key, cdr in own if cdr.provider in self._given_tariffs]
        if not rated:
            return {}
        given = tariffs_for(
            self.connection,
            {(key, cdr.provider) for key, cdr in rated},
            min(cdr.start for _, cdr in rated),
            max(cdr.start for _, cdr in rated),
        )
        return {
            pair: [GivenTariff(g.given_from, g.given_until, g.tariff) for g in versions]
            for pair, versions in given.items()
        }

    def _sessions(self, cdrs: Sequence[Cdr]) -> Sessions:
        stored = cdr_context.stored_sessions(
            self.connection,
            {cdr.evse_key for cdr in cdrs},
            min(cdr.start for cdr in cdrs),
            max(cdr.end for cdr in cdrs),
        )
        # What the database has of a CDR that comes again is the same session, not another.
        return Sessions(
            [
                *(Session(s.evse_key, s.cdr_id, s.start, s.end) for s in stored),
                *(Session(c.evse_key, c.cdr_id, c.start, c.end) for c in cdrs),
            ]
        )

    def _listed_tokens(self, cdrs: Sequence[Cdr]) -> AbstractSet[tuple[str, Token]]:
        keys = {cdr.token: _key(cdr.token) for cdr in cdrs}
        known = [key for key in keys.values() if key is not None]
        if not known:
            return frozenset()
        listed: dict[bytes, list[ListedToken]] = defaultdict(list)
        for token in cdr_context.listed_tokens(
            self.connection,
            {digest for key in known for digest in key.digests},
            {key.digest_sha160 for key in known if key.digest_sha160 is not None},
        ):
            listed[token.digest].append(token)
            if token.digest_sha160 is not None:
                listed[token.digest_sha160].append(token)
        return frozenset(
            (cdr.contract_key, cdr.token)
            for cdr in cdrs
            if _is_listed(cdr, keys[cdr.token], listed)
        )


def _key(token: Token) -> TokenKey | None:
    try:
        return token_key(token.instance, token.token_type, token.representation)
    except RecordRefused:
        # A hash that is none: the rule on the token's form says so.
        return None


def _is_listed(
    cdr: Cdr, key: TokenKey | None, listed: Mapping[bytes, Sequence[ListedToken]]
) -> bool:
    if key is None:
        return False
    contract = contract_key_without_check(cdr.contract_id)
    digests = (*key.digests, *((key.digest_sha160,) if key.digest_sha160 else ()))
    return any(
        token.token_type == key.token_type
        and token.provider == cdr.provider
        and contract_key_without_check(token.contract_key) == contract
        for digest in digests
        for token in listed.get(digest, ())
    )
