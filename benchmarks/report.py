"""The results as a table for people, and as JSON."""

import json
import os
import platform
import subprocess
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import lxml.etree
import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

import ochp_chs
from benchmarks.figure import Figure, Point, Results

_STYLES = {"aim": "green", "at least": "yellow", "below": "red", "": ""}
_VERDICTS = {"aim": "aim met", "at least": "enough", "below": "too little", "": ""}


def print_table(results: Results, machine: dict[str, Any]) -> None:
    """Medians; smallest and largest of the runs in brackets."""
    # Wide enough for a log file too, where there is no terminal to ask.
    console = Console(width=None if Console().is_terminal else 150)
    table = Table(title=f"{machine['processors']} x {machine['processor']}", title_justify="left")
    for column in ("", "ours", "against", "theirs", "ratio", "at least", "aim", ""):
        numeric = column in ("ours", "theirs", "ratio", "at least", "aim")
        table.add_column(column, justify="right" if numeric else "left")
    for figure in results.figures:
        table.add_row(*_cells(figure))
    console.print(table)
    if results.growth:
        console.print(_growth_table(results.growth))
    for figure in results.figures:
        if figure.note:
            console.print(f"{figure.name}: {figure.note}")


def _cells(figure: Figure) -> Iterable[str]:
    style = _STYLES[figure.verdict]
    judged = figure.judged
    ratio = "" if not figure.against else "?" if judged is None else f"{judged:.2f}"
    limit = "at most " if figure.less_is_better else ""
    return (
        figure.what,
        _spread(figure.runs, figure.unit),
        figure.against,
        _spread(figure.against_runs, figure.unit) if figure.against_runs else "",
        ratio,
        "" if figure.at_least is None else f"{limit}{figure.at_least:,g}",
        "" if figure.aim is None else f"{figure.aim:,g}",
        f"[{style}]{_VERDICTS[figure.verdict]}[/]" if style else "",
    )


def _spread(runs: Iterable[float], unit: str) -> str:
    values = sorted(runs)
    digits = 2 if median(values) < 100 else 0
    shown = f"{median(values):,.{digits}f} {unit}"
    if len(values) == 1:
        return shown
    return f"{shown}\n({values[0]:,.{digits}f} to {values[-1]:,.{digits}f})"


def _growth_table(points: Iterable[Point]) -> Table:
    table = Table(title="growth", title_justify="left")
    for column in ("", "size", "value"):
        table.add_column(column, justify="right" if column else "left")
    for point in sorted(points, key=lambda each: (each.curve, each.size)):
        digits = 2 if point.value < 100 else 0
        table.add_row(point.curve, f"{point.size:,}", f"{point.value:,.{digits}f} {point.unit}")
    return table


def write_json(path: Path, results: Results, machine: dict[str, Any]) -> None:
    """All runs, with what they ran on."""
    figures = [
        {**asdict(figure), "value": figure.value, "judged": figure.judged, "met": figure.verdict}
        for figure in results.figures
    ]
    content = {
        "machine": machine,
        "figures": figures,
        "growth": [asdict(point) for point in results.growth],
    }
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def machine(postgres_url: str) -> dict[str, Any]:
    """What was measured, on what."""
    engine = sa.create_engine(postgres_url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        postgres = connection.exec_driver_sql("SHOW server_version").scalar_one()
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": ochp_chs.__version__,
        "commit": _commit(),
        "processors": os.cpu_count(),
        "processor": _processor(),
        "load_before": os.getloadavg()[0],
        "python": platform.python_version(),
        "postgresql": postgres,
        "lxml": lxml.etree.__version__,
        "libxml2": ".".join(map(str, lxml.etree.LIBXML_VERSION)),
        "psycopg2": version("psycopg2-binary"),
        "sqlalchemy": sa.__version__,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _commit() -> str:
    command = ["git", "-C", str(Path(__file__).parents[1]), "rev-parse", "--short", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
