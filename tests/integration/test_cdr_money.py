"""Money and energy: the text that was sent is the text that is given back, exactly judged."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ochp_chs.clearing.cdrs.export import Number, exported
from ochp_chs.clearing.cdrs.tuning import list_rules, set_rule
from ochp_chs.ochp.records.decimals import CHARACTERS_MAX, InvalidNumber, parse_decimal
from tests.support.cdrs import NOW, cdr_xml, period_xml
from tests.support.edge import Clock, Edge, O

DIGITS = st.text("0123456789", max_size=24)
SPACE = st.text(" \t\n\r", max_size=2)


@st.composite
def floats(draw: st.DrawFn) -> str:
    """Any finite xs:float as the schema allows it, surrounding space included."""
    whole, decimals = draw(DIGITS), draw(DIGITS)
    point = draw(st.booleans()) or not whole
    if point and not whole + decimals:
        decimals = "0"
    mantissa = f"{whole}.{decimals}" if point else whole
    exponent = draw(st.just("") | st.integers(-70, 30).map(lambda e: f"E{e}" if e % 2 else f"e{e}"))
    sign = draw(st.sampled_from(["", "+", "-"]))
    return f"{draw(SPACE)}{sign}{mantissa}{exponent}{draw(SPACE)}"


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def pair(edge: Edge) -> Edge:
    """A CPO and an EMP, connected; no rule has anything to say of a readable number."""
    edge.partner("cpo", "cpo", "DE*CPO")
    edge.partner("emp", "emp", "DE-EMP")
    edge.connect("cpo", "emp")
    for rule in list_rules(edge.database):
        set_rule(edge.database, rule.rule, "off", {})
    return edge


def sent_as(text: str) -> str:
    # A carriage return is read as a line feed unless it is written as a reference.
    return text.replace("\r", "&#13;")


def is_readable(text: str) -> bool:
    try:
        parse_decimal(text.strip(" \t\r\n"))
    except InvalidNumber:
        return False
    return True


@settings(
    max_examples=60,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(numbers=st.lists(st.tuples(floats(), floats(), floats(), floats()), min_size=1, max_size=5))
def test_upload_and_download_texts_are_equal(
    pair: Edge, numbers: list[tuple[str, str, str, str]]
) -> None:
    with pair.database.begin() as connection:
        connection.exec_driver_sql("TRUNCATE cdr, message CASCADE")
    sent = {f"DECPO{position}": texts for position, texts in enumerate(numbers)}
    reply = pair.call(
        "cpo",
        "AddCDRs",
        "".join(
            cdr_xml(
                cdr_id=cdr_id,
                evse_id=f"DE*CPO*E{cdr_id}",
                periods=[period_xml(value=value, price=price, cost=cost)],
                total_cost=total,
            )
            for cdr_id, (value, price, cost, total) in (
                (cdr_id, map(sent_as, texts)) for cdr_id, texts in sent.items()
            )
        ),
    )
    readable = {i for i, texts in sent.items() if all(map(is_readable, texts))}
    refused = {str(each.text) for each in reply.elements("implausibleCdrsArray")}
    assert refused == sent.keys() - readable
    given_back = {
        str(cdr.findtext(f"{O}CdrId")): (
            cdr.findtext(f"{O}chargingPeriods/{O}billingValue"),
            cdr.findtext(f"{O}chargingPeriods/{O}itemPrice"),
            cdr.findtext(f"{O}chargingPeriods/{O}periodCost"),
            cdr.findtext(f"{O}totalCost"),
        )
        for cdr in pair.call("emp", "GetCDRs").elements("cdrInfoArray")
    }
    assert given_back == {cdr_id: sent[cdr_id] for cdr_id in readable}


#: So large that six products are below the bound of one number (ochp/records/decimals.py).
plain_amounts = st.decimals(0, 4 * 10**8, places=6).map(lambda amount: f"{amount:f}")


@settings(
    max_examples=40,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(periods=st.lists(st.tuples(plain_amounts, plain_amounts), min_size=1, max_size=6))
def test_sums_and_products_are_those_of_decimal_arithmetic(
    pair: Edge, periods: list[tuple[str, str]]
) -> None:
    for rule in ("period-cost", "total-cost"):
        set_rule(pair.database, rule, "reject", {"tolerance_units": "0"})
    with pair.database.begin() as connection:
        connection.exec_driver_sql("TRUNCATE cdr, message CASCADE")
    with localcontext() as exact:
        exact.prec = CHARACTERS_MAX
        costs = [Decimal(value) * Decimal(price) for value, price in periods]
        total = sum(costs, Decimal(0))
        # The last digit that there is, off by one.
        wrong = total + Decimal(1).scaleb(-12)
    billed = [
        period_xml(value=value, price=price, cost=f"{cost:f}")
        for (value, price), cost in zip(periods, costs, strict=True)
    ]
    right = cdr_xml(periods=billed, total_cost=f"{total:f}")
    almost = cdr_xml(cdr_id="DECPO2", evse_id="DE*CPO*E2", periods=billed, total_cost=f"{wrong:f}")
    reply = pair.call("cpo", "AddCDRs", right + almost)
    assert [str(each.text) for each in reply.elements("implausibleCdrsArray")] == ["DECPO2"]
    with exported(pair.database) as table:
        ((row,),) = table.rows_by_cdr
    cells = dict(zip(table.columns, row, strict=True))
    assert cells["totalCost"] == Number(f"{total:f}")
    sum_of_costs = cells["sumOfCosts"]
    assert isinstance(sum_of_costs, Number)
    assert Decimal(sum_of_costs.text) == total
