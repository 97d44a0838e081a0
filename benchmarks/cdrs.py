"""How fast CDRs come in: one AddCDRs of 20,000 with five periods each, all rules on.

    python -m benchmarks.cdrs [COUNT]

Prints one JSON line: CDRs per second through a real server, the largest memory that one of its
processes had, and what share of the time judging takes, measured in process.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.figure import Figure
from benchmarks.rig import Rig
from ochp_chs.clearing.cdrs.desk import Desk
from ochp_chs.config import Settings
from tests.acceptance.harness import MemoryWatch, Server, message, streamed
from tests.support.cdrs import cdr_xml, period_xml
from tests.support.charge_points import charge_point_xml, connector_xml
from tests.support.edge import Edge
from tests.support.tariffs import element_xml, individual_of, tariff_xml
from tests.support.tokens import token_xml

_COUNT = 20_000
_EVSES = 500
_TOKENS = 2_000
_TARIFF = "DE*CPO*T1"
_HOUR = timedelta(hours=1)


def cdrs(count: int, now: datetime, first: int = 0) -> Iterator[str]:
    """CDRs that no rule has anything to say of: an hour each, EVSE by EVSE, backwards in time."""
    for number in range(first, first + count):
        end = now.replace(minute=0, second=0, microsecond=0) - _HOUR * (1 + number // _EVSES)
        yield _cdr(number, end - _HOUR)


def _cdr(number: int, start: datetime) -> str:
    moments = [f"{start + _HOUR / 4 * quarter:%Y-%m-%dT%H:%M:%S}+00:00" for quarter in range(5)]
    begin, end = moments[0], moments[-1]
    periods = [
        period_xml("energy", "2.5", "0.30", "0.75", start=one, end=other)
        for one, other in pairwise(moments)
    ]
    periods.append(period_xml("serviceFee", "1", "0.50", "0.50", start=begin, end=end))
    return cdr_xml(
        cdr_id=f"DECPO{number:010}",
        evse_id=_evse(number % _EVSES),
        instance=f"{number % _TOKENS:08X}",
        contract_id=_contract(number % _TOKENS),
        start=begin,
        end=end,
        duration="001:00:00",
        tariff_id=_TARIFF,
        periods=periods,
        total_cost="3.50",
    )


def _evse(number: int) -> str:
    return f"DE*CPO*E{number:05}"


def _contract(number: int) -> str:
    return f"DE-EMP-C{number:08}"


def prepare(call: Callable[[str, str, str], Any]) -> None:
    """Send what the rules compare CDRs with: tokens, charge points and a tariff."""
    tokens = [token_xml(f"{n:08X}", contract_id=_contract(n)) for n in range(_TOKENS)]
    points = [
        charge_point_xml(
            evse_id=_evse(n),
            time_zone="<timeZone>Etc/UTC</timeZone>",
            connectors=connector_xml(tariff_id=_TARIFF),
            ratings="<ratings><maximumPower>22.0</maximumPower></ratings>",
        )
        for n in range(_EVSES)
    ]
    elements = [element_xml("0.30", "energy"), element_xml("0.50", "serviceFee", "1")]
    tariff = tariff_xml(individual_of(elements))
    for partner, operation, records in (
        ("emp", "SetRoamingAuthorisationList", "".join(tokens)),
        ("cpo", "SetChargepointList", "".join(points)),
        ("cpo", "UpdateTariffs", tariff),
    ):
        reply = call(partner, operation, records)
        assert reply.result == "ok", reply.description


def backdate_the_tariff(server: Server) -> None:
    """Let the tariff have been there before the sessions, so that they are rated with it."""
    with server.database() as database, database.begin() as connection:
        connection.exec_driver_sql("UPDATE tariff SET given_from = given_from - interval '1 year'")


def measure_cdrs(rig: Rig) -> None:
    """AddCDRs with all rules on, for the table of all benchmarks."""
    prepare(rig.server.call)
    count, rates = rig.sizes.cdrs, []
    for run in range(rig.sizes.runs):
        seconds, peak_mib = through_the_server(rig.server, count, first=run * count)
        rates.append(count / seconds)
        rig.peak_mib = max(rig.peak_mib, peak_mib)
    rig.results.figures.append(
        Figure(
            "cdrs",
            f"AddCDRs of {count:,} with five periods, all rules",
            "CDRs/s",
            rates,
            at_least=4_000,
            aim=10_000,
        )
    )


def through_the_server(server: Server, count: int, first: int = 0) -> tuple[float, float]:
    """Seconds that the message took, and the largest memory of a server process in MiB."""
    records = list(cdrs(count, datetime.now(UTC), first))
    content = b"".join(streamed("cpo", "AddCDRs", records))
    with MemoryWatch(server) as memory:
        began = time.perf_counter()
        reply = server.post(content)
        seconds = time.perf_counter() - began
    assert reply.result == "ok", reply.description
    return seconds, memory.peak_mib


def share_of_rules(server: Server, count: int) -> float:
    """The part of an in-process upload that judging takes, with all that it looks up."""
    spent = 0.0

    def timed(method: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: object) -> object:
            nonlocal spent
            began = time.perf_counter()
            try:
                return method(*arguments)
            finally:
                spent += time.perf_counter() - began

        return wrapped

    judge, context = Desk.judge, Desk.context
    with server.database() as database:
        edge = Edge(database, lambda: datetime.now(UTC), Settings(data_dir=server.data_dir))
        records = cdrs(count, datetime.now(UTC), first=_COUNT)
        content = message("cpo", "AddCDRs", "".join(records))
        Desk.judge, Desk.context = timed(judge), timed(context)  # type: ignore[method-assign]
        try:
            began = time.perf_counter()
            reply = edge.post(content)
            seconds = time.perf_counter() - began
        finally:
            Desk.judge, Desk.context = judge, context  # type: ignore[method-assign]
    assert reply.result == "ok", reply.description
    return spent / seconds


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else _COUNT
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        try:
            server.start()
            server.partner("emp", "emp", "DE-EMP")
            server.partner("cpo", "cpo", "DE*CPO")
            server.connect("emp", "cpo")
            prepare(server.call)
            backdate_the_tariff(server)
            seconds, peak_mib = through_the_server(server, count)
            share = share_of_rules(server, min(count, 5_000))
        finally:
            server.stop()
    print(
        json.dumps(
            {
                "benchmark": "cdrs",
                "cdrs": count,
                "seconds": round(seconds, 2),
                "cdrs_per_s": round(count / seconds),
                "server_process_mib_max": round(peak_mib, 1),
                "rules_share": round(share, 2),
            }
        )
    )


if __name__ == "__main__":
    main()
