"""How strict the rules are for one caller: globally, and on each of its roaming connections."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from ochp_chs.ochp.violations import Severity
from ochp_chs.repository.engine import Connection
from ochp_chs.repository.rule_overrides import StoredOverride, list_overrides
from ochp_chs.rules.registry import RULES_BY_ID
from ochp_chs.rules.settings import Override, RuleSettings, merge, parse_parameter


@dataclass
class SettingsByPartner:
    """The settings that hold towards each partner; read once per message."""

    everybody: Mapping[str, Override]
    by_partner: Mapping[int, Mapping[str, Override]]
    _merged: dict[int | None, RuleSettings] = field(default_factory=dict)

    @classmethod
    def load(cls, connection: Connection, partner_id: int) -> Self:
        """What is set for everybody and for the caller's connections."""
        everybody: list[StoredOverride] = []
        by_partner: dict[int, list[StoredOverride]] = {}
        for stored in list_overrides(connection, partner_id):
            other = stored.other_partner(partner_id)
            if stored.low_partner_id is None or other is None:
                everybody.append(stored)
            else:
                by_partner.setdefault(other, []).append(stored)
        return cls(
            overrides(everybody), {other: overrides(own) for other, own in by_partner.items()}
        )

    def of(self, partner_id: int | None) -> RuleSettings:
        """The settings towards one partner, None for one that is not known."""
        scope = partner_id if partner_id in self.by_partner else None
        if scope not in self._merged:
            layers = [self.everybody]
            if scope is not None:
                layers.append(self.by_partner[scope])
            self._merged[scope] = merge(*layers)
        return self._merged[scope]


def overrides(stored: Iterable[StoredOverride]) -> Mapping[str, Override]:
    """What is stored, as the rules understand it; what no rule has any more is passed over."""
    return {
        each.rule: Override(
            Severity(each.severity) if each.severity else None,
            {
                parameter.name: parse_parameter(
                    each.rule, parameter.name, each.parameters[parameter.name]
                )
                for parameter in RULES_BY_ID[each.rule].parameters
                if parameter.name in each.parameters
            },
        )
        for each in stored
        if each.rule in RULES_BY_ID
    }
