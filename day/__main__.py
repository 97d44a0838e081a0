"""`python -m day`: run the day, check it, tell what it took; exit status 1 if it went wrong."""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.report import machine
from day.audit import differences, settle
from day.cpo import Cpo
from day.emp import Emp
from day.market import Market, open_market
from day.report import print_report, rows_of, write_results
from day.run import live, replace_nodes
from day.wire import Book
from tests.support.scale import Scale, scale

#: A day in ten minutes is 144 times as fast; so are the clocks that partners may differ by.
_SETTINGS = {"OCHP_CHS_CLOCK_TOLERANCE_S": "2", "OCHP_CHS_LOG_LEVEL": "warning"}
_SHOWN_MAX = 20


def main() -> int:
    """Run the day."""
    parser = argparse.ArgumentParser(prog="python -m day", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600, help="how long the day takes")
    parser.add_argument("--partners", type=int, default=50, help="so many CPOs, and so many EMPs")
    parser.add_argument("--out", type=Path, default=Path("day/results"), help="where results go")
    options = parser.parse_args()
    market = Market(partners=options.partners)
    # Ended from outside, too, nothing that was started stays behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with (
        tempfile.TemporaryDirectory(prefix="ochp-chs-day-") as folder,
        scale(Path(folder), settings=_SETTINGS) as topology,
    ):
        open_market(topology, market)
        topology.wait_until_in_use(topology.nodes[0])
        return _run(topology, market, options.seconds, options.out)


def _run(topology: Scale, market: Market, day_s: float, out: Path) -> int:
    about = machine(topology.primary_url)
    book = Book()
    cpos = [Cpo(topology, market, number, book) for number in market.numbers()]
    emps = [Emp(topology, market, number, book) for number in market.numbers()]
    marks: list[float] = []
    live([*cpos, *emps], day_s, lambda: replace_nodes(topology, book, day_s, marks))
    took_s = time.monotonic() - book.began
    rows = rows_of(book.timings)
    timings = list(book.timings)
    settle(cpos, emps)
    wrong = differences(topology, market, cpos, emps)
    facts = {
        **_facts(market, book, cpos, emps),
        "nodes replaced meanwhile": len(marks),
        "a day in": str(timedelta(seconds=round(took_s))),
        "requests": f"{len(timings):,}, {len(timings) / took_s:.1f} each second",
        "error rate": f"{len(book.errors)} of {len(timings):,}",
        "differences from the model": len(wrong),
        "machine": about,
    }
    write_results(out, rows, facts, timings, marks)
    print_report(rows, facts)
    for _line in [*book.errors[:_SHOWN_MAX], *wrong[:_SHOWN_MAX]]:
        pass
    return 1 if book.errors or wrong else 0


def _facts(market: Market, book: Book, cpos: Sequence[Cpo], emps: Sequence[Emp]) -> dict[str, Any]:
    return {
        "partners": f"{market.partners} CPOs, {market.partners} EMPs",
        "connections": len(list(market.pairs())),
        "tokens": sum(len(emp.sent) for emp in emps),
        "EVSEs": sum(len(cpo.charge_points) for cpo in cpos),
        "CDRs": sum(len(cpo.cdrs) for cpo in cpos),
        "MiB sent to the clearing house": round(book.bytes_in / 2**20, 1),
        "MiB received from it": round(book.bytes_out / 2**20, 1),
        "longest delay against the timetable, s": round(book.late_s, 2),
    }


if __name__ == "__main__":
    sys.exit(main())
