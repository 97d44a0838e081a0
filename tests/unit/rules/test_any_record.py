"""Whatever the schema lets through is read and judged without an exception, in bounded time."""

from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ochp_chs.ochp.records.billing import BillingItem
from ochp_chs.ochp.records.cdr import Cdr, CdrStatus, Connector, decode
from ochp_chs.ochp.records.hours import Hours
from ochp_chs.ochp.records.tariff import IndividualTariff, Restriction, TariffElement
from ochp_chs.ochp.schema import record_schema
from ochp_chs.rules.context import Context, GivenTariff, KnownEvse
from ochp_chs.rules.model import VIOLATIONS_PER_RULE_MAX
from ochp_chs.rules.registry import RULES, RULES_BY_ID
from ochp_chs.rules.runner import judge
from ochp_chs.rules.sessions import Session, Sessions
from ochp_chs.rules.settings import Override, RuleSettings, merge
from tests.support.cdrs import NOW, cdr_xml, element_of, period_xml

# Odd values are what only the facets of the schema bound; of them almost every record is refused
# when it is read. Sound ones have a meaning, so that the rules see the record, and are still far
# from plausible.
_odd_moments = st.builds(
    "{}T{}{}".format,
    st.one_of(
        st.dates().map(str),
        st.sampled_from(["0000-00-00", "2026-02-30", "2026-13-01", "9999-12-31", "0001-01-01"]),
    ),
    st.sampled_from(["00:00:00", "23:59:59", "29:00:00", "24:00:00", "12:60:00", "02:30:60"]),
    st.sampled_from(["+01:00", "-11:30", "+14:00", "+99:00", "-00:01"]),
)
_odd_floats = st.one_of(
    st.sampled_from(["NaN", "INF", "-INF", "-0.0"]),
    st.from_regex(r"[+-]?[0-9]{1,40}(\.[0-9]{0,70})?([Ee][+-]?[0-9]{1,9})?", fullmatch=True),
)
_sound_moments = st.one_of(
    st.builds("2026-01-05T{:02}:{:02}:00+01:00".format, st.integers(8, 14), st.integers(0, 59)),
    st.builds(
        "{}T{}{}".format,
        st.one_of(
            st.dates(min_value=date(2, 1, 1), max_value=date(9998, 12, 31)).map(str),
            st.sampled_from(["2026-03-29", "2025-10-26", "0001-01-02", "9999-12-30"]),
        ),
        st.times().map(lambda time: f"{time:%H:%M:%S}"),
        st.sampled_from(["+01:00", "+02:00", "+00:00", "-11:30", "+14:00"]),
    ),
)
_sound_floats = st.one_of(
    st.sampled_from(["0", "1", "1.0", "-1", "0.5", "10.0", "1E1", "-0.0"]),
    st.from_regex(r"[+-]?[0-9]{1,18}(\.[0-9]{0,60})?", fullmatch=True),
    st.from_regex(r"[0-9](\.[0-9]{0,30})?E[+-]?(1[0-7]|[0-9])", fullmatch=True),
)
_ints = st.one_of(st.integers(-(2**31), 2**31 - 1).map(str), st.just("0" * 5000 + "1"))


def _periods(
    moments: st.SearchStrategy[str], floats: st.SearchStrategy[str], ints: st.SearchStrategy[str]
) -> st.SearchStrategy[str]:
    return st.builds(
        period_xml,
        st.sampled_from([item.value for item in BillingItem]),
        floats,
        floats,
        st.none() | floats,
        start=moments,
        end=moments,
        tax_rate=st.none() | ints,
    )


_texts = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="<>&￾￿"),
    min_size=1,
    max_size=20,
)


def _records(
    moments: st.SearchStrategy[str],
    floats: st.SearchStrategy[str],
    ints: st.SearchStrategy[str],
    durations: st.SearchStrategy[str],
) -> st.SearchStrategy[str]:
    ratings = st.builds(
        "<maximumPower>{}</maximumPower><guaranteedPower>{}</guaranteedPower>"
        "<nominalVoltage>{}</nominalVoltage>".format,
        floats,
        floats,
        st.integers(1, 1000),
    )
    return st.builds(
        cdr_xml,
        cdr_id=st.from_regex(r"[0-9A-Z]{1,36}", fullmatch=True),
        evse_id=st.from_regex(r"[A-Z]{2}\*[a-z0-9]{3}\*E[A-Z0-9][A-Z0-9*]{0,30}", fullmatch=True),
        instance=_texts,
        token_type=st.sampled_from(["rfid", "remote", "15118"]),
        sub_type=st.none() | st.sampled_from(["mifareCls", "mifareDes", "calypso"]),
        representation=st.none() | st.sampled_from(["plain", "sha-160", "sha-256"]),
        contract_id=st.from_regex(r"[A-Za-z]{2}[A-Z0-9]{3}[a-z0-9]{9}[A-Z0-9]?", fullmatch=True),
        status=st.sampled_from([status.value for status in CdrStatus]),
        start=moments,
        end=moments,
        duration=st.none() | durations,
        country=st.sampled_from(["DEU", "XXX", "GER"]),
        charge_point_type=st.sampled_from(["AC", "DC"]),
        connector=st.sampled_from(["IEC_62196_T2", "Chademo", "TESLA_S"]),
        tariff_id=st.none() | st.just("DE*CPO*T1"),
        ratings=st.none() | ratings,
        meter_id=st.none() | _texts,
        periods=st.lists(_periods(moments, floats, ints), min_size=1, max_size=4),
        total_cost=st.none() | floats,
        currency=st.sampled_from(["EUR", "JPY", "KWD", "XXX", "", "EURO"]) | _texts,
    )


_any_records = _records(
    _odd_moments | _sound_moments,
    _odd_floats | _sound_floats,
    _ints,
    st.from_regex(r"\d{3}:\d{2}:\d{2}", fullmatch=True),
)
_sound_records = _records(
    _sound_moments, _sound_floats, st.just("19"), st.just("000:00:00") | st.just("999:59:59")
)

_amounts = st.none() | st.decimals(-100, 1000, allow_nan=False)
_utc = st.none() | st.datetimes(timezones=st.just(UTC))
_restrictions = st.builds(
    Restriction,
    st.lists(
        st.builds(Hours, st.integers(1, 7), st.integers(0, 719), st.integers(720, 1440)), max_size=3
    ).map(tuple),
    _utc,
    _utc,
    *([_amounts] * 4),
    st.none() | st.integers(-(2**31), 2**31 - 1),
    st.none() | st.integers(-(2**31), 2**31 - 1),
)
_elements = st.builds(
    TariffElement,
    st.sampled_from(BillingItem),
    st.decimals(-10, 10, allow_nan=False),
    st.sampled_from([Decimal(0), Decimal("0.1"), Decimal("1E-60"), Decimal(10) ** 17]),
    _restrictions,
)
_tariffs = st.builds(
    IndividualTariff,
    st.sampled_from(["EUR", "JPY"]),
    st.lists(_elements, min_size=1, max_size=5).map(tuple),
)
_zones = st.sampled_from(["Europe/Berlin", "Pacific/Apia", "Asia/Kathmandu", "Nowhere", "..", None])


def _context(cdr: Cdr, tariff: IndividualTariff, zone: str | None) -> Context:
    """Everything is known of this CDR, so that every rule has something to look at."""
    connector = Connector(cdr.connector.standard, cdr.connector.format, "DECPOT1")
    first_moment = datetime(1, 1, 2, tzinfo=UTC)
    return Context(
        now=NOW,
        operator_ids=frozenset({"DECPO"}),
        providers={cdr.provider: False},
        evses={cdr.evse_key: KnownEvse(zone, (connector,), Decimal(22))},
        sessions=Sessions([Session(cdr.evse_key, "OTHER", cdr.start, cdr.end)]),
        tariffs={("DECPOT1", cdr.provider): [GivenTariff(first_moment, None, tariff)]},
    )


@st.composite
def _settings(draw: st.DrawFn) -> RuleSettings:
    """Any value between the bounds for every parameter; no rule is off."""
    layer = {
        rule.id: Override(
            parameters={
                p.name: draw(st.integers(int(p.minimum), int(p.maximum))) for p in rule.parameters
            }
        )
        for rule in RULES
    }
    return merge(layer)


@settings(max_examples=150, deadline=None)
@given(_any_records)
def test_reading_never_raises(xml: str) -> None:
    element = element_of(xml)
    assume(record_schema().validate(element))
    found = decode(element)
    if isinstance(found, Cdr):
        return
    assert found
    assert {violation.rule for violation in found} <= {"time", "number", "duration"}
    assert all(violation.field and violation.text for violation in found)


@settings(max_examples=150, deadline=None)
@given(_sound_records, _tariffs, _zones, _settings())
def test_judging_never_raises(
    xml: str, tariff: IndividualTariff, zone: str | None, rule_settings: RuleSettings
) -> None:
    element = element_of(xml)
    assume(record_schema().validate(element))
    cdr = decode(element)
    assert isinstance(cdr, Cdr), cdr
    judgement = judge(cdr, _context(cdr, tariff, zone), rule_settings)
    found = [*judgement.refusals, *judgement.warnings]
    assert all(violation.rule in RULES_BY_ID and violation.text for violation in found)
    assert len(found) <= len(RULES) * VIOLATIONS_PER_RULE_MAX
