"""Run the benchmarks: `make bench`, or `python -m benchmarks [--full] [--only NAME ...]`.

A real server on embedded PostgreSQL in a temporary folder is measured, on data that is made here.
Table on the terminal; JSON and a chart in benchmarks/results/.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import chart, limits, report
from benchmarks.bulk import measure_get, measure_growth, measure_set, measure_update
from benchmarks.cdrs import measure_cdrs
from benchmarks.figure import FULL, SHORT, Figure, Sizes
from benchmarks.live import measure_live
from benchmarks.rig import Rig, add_partners
from benchmarks.small import measure_delta, measure_single
from ochp_chs.serving.embedded_postgres import EmbeddedPostgres
from tests.acceptance.harness import Server

_RESULTS = Path(__file__).parent / "results"

BENCHMARKS: Mapping[str, Callable[[Rig], None]] = {
    "set": measure_set,
    "update": measure_update,
    "get": measure_get,
    "growth": measure_growth,
    "single": measure_single,
    "delta": measure_delta,
    "live": measure_live,
    "cdrs": measure_cdrs,
}

#: Where messages come in pieces and none is large, memory is not judged.
_BULK = frozenset({"set", "update", "get", "growth", "live", "cdrs"})


def main() -> None:
    """Measure, print, and write."""
    arguments = _arguments()
    chosen = arguments.only or list(BENCHMARKS)
    sizes = FULL if arguments.full else SHORT
    with tempfile.TemporaryDirectory(prefix="ochp-chs-bench-") as folder:
        rig, machine = _measured(Path(folder), sizes, chosen)
    report.print_table(rig.results, machine)
    _RESULTS.mkdir(exist_ok=True)
    path = _RESULTS / f"{datetime.now(UTC):%Y%m%d-%H%M%S}.json"
    report.write_json(path, rig.results, machine)
    chart.write_chart(path.with_suffix(".svg"), rig.results)
    print(f"{path}\n{path.with_suffix('.svg')}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--full", action="store_true", help="the sizes of the aims; half an hour")
    parser.add_argument(
        "--only", nargs="+", choices=BENCHMARKS, metavar="NAME", help=", ".join(BENCHMARKS)
    )
    return parser.parse_args()


def _measured(folder: Path, sizes: Sizes, chosen: Sequence[str]) -> tuple[Rig, dict[str, object]]:
    server = Server(folder / "server")
    # A user of the cluster as long as all of it takes: direct statements need it, too.
    with EmbeddedPostgres(server.data_dir) as postgres:
        server.start()
        try:
            add_partners(server)
            rig = Rig(server, folder, limits.write_schema(folder), postgres.url, sizes)
            machine = report.machine(postgres.url)
            for name in chosen:
                began = time.monotonic()
                print(f"{name} ...", end=" ", flush=True)
                BENCHMARKS[name](rig)
                print(f"{time.monotonic() - began:.0f} s", flush=True)
        finally:
            server.stop()
    if _BULK.intersection(chosen):
        rig.results.figures.append(
            Figure(
                "memory",
                "memory of a server process in bulk messages, at most",
                "MiB",
                [rig.peak_mib],
                at_least=128,
                aim=64,
                less_is_better=True,
            )
        )
    return rig, machine


if __name__ == "__main__":
    main()
