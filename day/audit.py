"""The end of the day: what every partner must have received, against what it has."""

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa

from day import cpo as cpo_module
from day import emp as emp_module
from day.cpo import Cpo
from day.emp import Emp
from day.market import Market
from day.records import cents_of, is_declined_at_first, is_given_up, read_cdr
from ochp_chs.repository.tables import cdr as cdr_table
from tests.support.scale import Scale

#: CDRs as a partner is told of them: cost in cents by CDR-ID.
Ledger = dict[str, int]


def settle(cpos: Sequence[Cpo], emps: Sequence[Emp]) -> None:
    """Let the CDRs that are under way come to their end, and everybody see what came last."""
    with ThreadPoolExecutor(8) as pool:
        for each in (*cpos, *emps):
            each.line.close()
        # What was sent last is declined, revised, approved.
        list(pool.map(Emp.confirm, emps))
        list(pool.map(Cpo.defend, cpos))
        list(pool.map(Emp.confirm, emps))
        list(pool.map(lambda cpo: cpo.tokens.poll(), cpos))
        list(pool.map(Emp.final_poll, emps))


def differences(
    scale: Scale, market: Market, cpos: Sequence[Cpo], emps: Sequence[Emp]
) -> list[str]:
    """What is otherwise than the model has it, a line each; nothing: all is as it must be."""
    found: list[str] = []
    for cpo in cpos:
        found += cpo.tokens.differences(emps[n].sent for n in market.emps_of(cpo.number))
        found += _endpoints_of_cpo(market, cpo)
        found += _cdrs_of_cpo(cpo)
    for emp in emps:
        own = market.cpos_of(emp.number)
        found += emp.charge_points.differences(cpos[n].charge_points for n in own)
        found += emp.tariffs.differences(cpos[n].tariffs for n in own)
        found += emp.states.differences(cpos[n].states for n in own)
        found += _endpoints_of_emp(market, emp)
        found += _cdrs_of_emp(emp, cpos)
    return found + list(_database(scale, cpos))


def _outcome(identifier: str) -> str:
    if is_declined_at_first(identifier) and is_given_up(identifier):
        return "rejected"
    return "approved"


def _versions(identifier: str) -> list[int]:
    """The cost of each version of a CDR that its EMP has to decide on."""
    key = int(identifier[5:])
    is_revised = is_declined_at_first(identifier) and not is_given_up(identifier)
    return [cents_of(key, version) for version in ((1, 2) if is_revised else (1,))]


def _cdrs_of_cpo(cpo: Cpo) -> Iterator[str]:
    for status in ("approved", "rejected"):
        expected = {
            identifier: _versions(identifier)[-1]
            for identifier in cpo.cdrs
            if _outcome(identifier) == status
        }
        found = _ledger(cpo.line.records("CheckCDRs", "cdrInfoArray", _asked(status)))
        yield from _unequal(f"{cpo.line.partner} CheckCDRs {status}", expected, found)
    open_ones = _ledger(cpo.line.records("CheckCDRs", "cdrInfoArray"))
    yield from _unequal(f"{cpo.line.partner} CheckCDRs declined", {}, open_ones)


def _cdrs_of_emp(emp: Emp, cpos: Sequence[Cpo]) -> Iterator[str]:
    mine = {i for cpo in cpos for i, (owner, _) in cpo.cdrs.items() if owner == emp.number}
    if mine != emp.seen.keys():
        yield f"{emp.line.partner} was shown {len(emp.seen)} CDRs, not its {len(mine)}"
    for identifier in mine & emp.seen.keys():
        if emp.seen[identifier] != _versions(identifier):
            yield (
                f"{emp.line.partner} was shown {identifier} for {emp.seen[identifier]} cents, not"
                f" for {_versions(identifier)}"
            )
    for status in ("approved", "rejected"):
        expected = {i: _versions(i)[-1] for i in mine if _outcome(i) == status}
        found = _ledger(emp.line.records("GetCDRs", "cdrInfoArray", _asked(status)))
        yield from _unequal(f"{emp.line.partner} GetCDRs {status}", expected, found)
    waiting = _ledger(emp.line.records("GetCDRs", "cdrInfoArray"))
    yield from _unequal(f"{emp.line.partner} GetCDRs waiting", {}, waiting)


def _database(scale: Scale, cpos: Sequence[Cpo]) -> Iterator[str]:
    expected = Counter(_outcome(identifier) for cpo in cpos for identifier in cpo.cdrs)
    with scale.database() as database, database.begin() as connection:
        rows = connection.execute(
            sa.select(cdr_table.c.status, sa.func.count()).group_by(cdr_table.c.status)
        )
        found = Counter({str(status): count for status, count in rows})
    if found != expected:
        yield f"the database has CDRs {dict(found)}, not {dict(expected)}"


def _endpoints_of_cpo(market: Market, cpo: Cpo) -> Iterator[str]:
    expected = {emp_module.endpoint_url(emp) for emp in market.emps_of(cpo.number)}
    if (found := cpo.endpoints()) != expected:
        yield f"{cpo.line.partner} is told of endpoints {sorted(found)}, not {sorted(expected)}"


def _endpoints_of_emp(market: Market, emp: Emp) -> Iterator[str]:
    expected = {cpo_module.endpoint_url(cpo) for cpo in market.cpos_of(emp.number)}
    if (found := emp.endpoints()) != expected:
        yield f"{emp.line.partner} is told of endpoints {sorted(found)}, not {sorted(expected)}"


def _ledger(records: Sequence[object]) -> Ledger:
    return {identifier: cents for identifier, _, cents in map(read_cdr, records)}  # type: ignore[arg-type]


def _unequal(what: str, expected: Ledger, found: Ledger) -> Iterator[str]:
    for identifier in sorted(expected.keys() | found.keys()):
        if expected.get(identifier) != found.get(identifier):
            yield (
                f"{what}: {identifier} for {found.get(identifier)} cents, not for"
                f" {expected.get(identifier)}"
            )


def _asked(status: str) -> str:
    return f"<cdrStatus><CdrStatusType>{status}</CdrStatusType></cdrStatus>"
