"""A small day, all of whose traffic is checked; and the check itself, which must notice things."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from day.audit import differences, settle
from day.cpo import Cpo
from day.emp import Emp
from day.market import Market, open_market
from day.records import GONE
from day.report import chart, rows_of
from day.run import live
from day.wire import Book
from ochp_chs.ochp.operations import OPERATIONS
from tests.support.scale import Scale, scale

_DAY_S = 5
_MARKET = Market(partners=5, tokens=100, evses=10, cdrs=60)


@dataclass
class Evening:
    """What is left of the day."""

    scale: Scale
    book: Book
    cpos: list[Cpo]
    emps: list[Emp]

    def differences(self) -> list[str]:
        return differences(self.scale, _MARKET, self.cpos, self.emps)


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evening]:
    settings = {"OCHP_CHS_CLOCK_TOLERANCE_S": "1", "OCHP_CHS_LOG_LEVEL": "warning"}
    with scale(tmp_path_factory.mktemp("day"), workers=1, settings=settings) as topology:
        open_market(topology, _MARKET)
        topology.wait_until_in_use(topology.nodes[0])
        book = Book()
        cpos = [Cpo(topology, _MARKET, number, book) for number in _MARKET.numbers()]
        emps = [Emp(topology, _MARKET, number, book) for number in _MARKET.numbers()]
        live([*cpos, *emps], _DAY_S, lambda: None)
        settle(cpos, emps)
        yield Evening(topology, book, cpos, emps)
        for each in (*cpos, *emps):
            each.line.close()


def test_everybody_has_what_the_model_says(evening: Evening) -> None:
    assert evening.book.errors == []
    assert evening.differences() == []
    assert {timing.operation for timing in evening.book.timings} == {o.name for o in OPERATIONS}


def test_every_way_of_a_cdr_was_taken(evening: Evening) -> None:
    outcomes = {len(costs) for emp in evening.emps for costs in emp.seen.values()}
    versions = {version for cpo in evening.cpos for _, version in cpo.cdrs.values()}

    assert outcomes == {1, 2}
    assert versions == {1, 2}
    assert sum(len(cpo.cdrs) for cpo in evening.cpos) == 5 * 60


class TestWhatWouldBeNoticed:
    def test_change_of_a_token_that_a_cpo_missed(self, evening: Evening) -> None:
        cpo = evening.cpos[0]
        known = next(key for key, version in cpo.tokens.known.items() if version != GONE)
        before = cpo.tokens.known[known]
        cpo.tokens.known[known] = before + 1

        (noticed,) = evening.differences()

        assert known in noticed
        cpo.tokens.known[known] = before

    def test_revoked_token_that_lives_on(self, evening: Evening) -> None:
        emp = next(each for each in evening.emps if GONE in each.sent.values())
        gone = next(key for key, version in emp.sent.items() if version == GONE)
        cpo = next(c for c in evening.cpos if _MARKET.are_connected(c.number, emp.number))
        before = cpo.tokens.known.get(gone, GONE)
        cpo.tokens.known[gone] = 3

        (noticed,) = evening.differences()

        assert f"{gone} is known as 3, not as None" in noticed
        cpo.tokens.known[gone] = before

    def test_token_of_a_stranger(self, evening: Evening) -> None:
        evening.cpos[0].tokens.known["DE-XYZ-C00000001"] = 1

        (noticed,) = evening.differences()

        assert "DE-XYZ-C00000001" in noticed
        del evening.cpos[0].tokens.known["DE-XYZ-C00000001"]

    def test_cdr_that_was_never_shown_to_its_emp(self, evening: Evening) -> None:
        emp = evening.emps[0]
        identifier, costs = emp.seen.popitem()

        (noticed,) = evening.differences()

        assert f"{len(emp.seen)} CDRs, not its {len(emp.seen) + 1}" in noticed
        emp.seen[identifier] = costs

    def test_cdr_that_nobody_sent(self, evening: Evening) -> None:
        cpo = evening.cpos[0]
        identifier, sent = cpo.cdrs.popitem()

        noticed = evening.differences()

        # The CPO is told of one more, so is the EMP, in two ways, and the database has it.
        assert len(noticed) == 4
        cpo.cdrs[identifier] = sent


def test_report_has_all_operations(evening: Evening) -> None:
    rows = rows_of(evening.book.timings)

    assert {row.operation for row in rows} == {o.name for o in OPERATIONS} | {"all"}
    assert all(row.median <= row.p95 <= row.p99 <= row.longest for row in rows)
    drawn = chart(rows, evening.book.timings, [2.0])
    assert all(f">{row.operation} (" in drawn for row in rows)
