"""Every plausibility rule, in the order in which they are run and their findings are told."""

from types import MappingProxyType

from ochp_chs.rules.model import Rule
from ochp_chs.rules.plausibility import (
    cdr_id_form,
    cdr_id_operator,
    connector_current,
    contract_check_character,
    contract_id_form,
    country_code,
    currency_code,
    duration_difference,
    energy_within_power,
    evse_known,
    evse_operator,
    has_period,
    hours_within_period,
    max_age,
    no_negative_amount,
    not_in_future,
    offset_time_zone,
    one_time_value,
    period_cost,
    period_inside_session,
    provider_connected,
    provider_known,
    session_overlap,
    start_before_end,
    tariff_price,
    token_form,
    token_listed,
    total_cost,
)

#: The order of PROTOCOL, "Plausibility".
RULES: tuple[Rule, ...] = (
    cdr_id_form.RULE,
    cdr_id_operator.RULE,
    evse_operator.RULE,
    contract_id_form.RULE,
    contract_check_character.RULE,
    provider_known.RULE,
    provider_connected.RULE,
    token_form.RULE,
    start_before_end.RULE,
    not_in_future.RULE,
    max_age.RULE,
    duration_difference.RULE,
    offset_time_zone.RULE,
    has_period.RULE,
    period_inside_session.RULE,
    no_negative_amount.RULE,
    one_time_value.RULE,
    hours_within_period.RULE,
    energy_within_power.RULE,
    period_cost.RULE,
    total_cost.RULE,
    currency_code.RULE,
    country_code.RULE,
    connector_current.RULE,
    evse_known.RULE,
    token_listed.RULE,
    session_overlap.RULE,
    tariff_price.RULE,
)

RULES_BY_ID = MappingProxyType({rule.id: rule for rule in RULES})
