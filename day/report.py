"""Latencies by operation, as a table, as JSON and as a chart."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from day.wire import Timing


@dataclass(frozen=True, slots=True)
class Row:
    """One operation's calls; times in milliseconds."""

    operation: str
    calls: int
    median: float
    p95: float
    p99: float
    longest: float


def rows_of(timings: Sequence[Timing]) -> list[Row]:
    """One row for each operation, and one for all."""
    by_name: dict[str, list[float]] = {}
    for timing in timings:
        by_name.setdefault(timing.operation, []).append(timing.seconds * 1000)
    rows = [_row(name, sorted(times)) for name, times in sorted(by_name.items())]
    return [*rows, _row("all", sorted(timing.seconds * 1000 for timing in timings))]


def _row(name: str, times: Sequence[float]) -> Row:
    def at(share: float) -> float:
        return round(times[min(len(times) - 1, int(share * len(times)))], 1)

    return Row(name, len(times), at(0.5), at(0.95), at(0.99), round(times[-1], 1))


def print_report(rows: Sequence[Row], facts: Mapping[str, Any]) -> None:
    """For people."""
    console = Console(width=None if Console().is_terminal else 110)
    table = Table(title="latencies in milliseconds", title_justify="left")
    for column in ("operation", "calls", "median", "95 %", "99 %", "longest"):
        table.add_column(column, justify="left" if column == "operation" else "right")
    for row in rows:
        times = (row.median, row.p95, row.p99, row.longest)
        table.add_row(row.operation, f"{row.calls:,}", *[f"{time:,.1f}" for time in times])
    console.print(table)
    for name, value in facts.items():
        console.print(f"{name}: {value}", highlight=False)


def write_results(
    folder: Path,
    rows: Sequence[Row],
    facts: Mapping[str, Any],
    timings: Sequence[Timing],
    marks: Sequence[float],
) -> None:
    """Write `day.json` and `day.svg`; `marks` are moments of the run when a node was replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {**facts, "operations": [asdict(row) for row in rows]}
    (folder / "day.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    (folder / "day.svg").write_text(chart(rows, timings, marks), encoding="utf-8")


_WIDTH, _ROW, _LABEL, _PLOT = 1120, 24, 320, 700
_TIME_HEIGHT = 160
#: The scale of latencies, in milliseconds.
_SHORTEST, _LONGEST = 1.0, 10_000.0
_BUCKETS = 60
_COLOURS = {"median": "#1565c0", "p95": "#f9a825", "p99": "#c62828"}


def chart(rows: Sequence[Row], timings: Sequence[Timing], marks: Sequence[float]) -> str:
    """Latencies by operation, and over the day with the moments when nodes were replaced."""
    top = 60 + _ROW * len(rows) + 60
    height = top + _TIME_HEIGHT + 60
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}"'
            f' viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="13">'
        ),
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
        *_scale(60 + _ROW * len(rows)),
        *(part for place, row in enumerate(rows) for part in _dots(row, 60 + _ROW * place)),
        *_over_the_day(timings, marks, top),
    ]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _scale(bottom: int) -> Iterator[str]:
    for place, (name, colour) in enumerate(_COLOURS.items()):
        x = _LABEL + 110 * place
        yield f'<circle cx="{x}" cy="18" r="5" fill="{colour}"/>'
        yield _text(x + 10, 22, name, "start")
    for milliseconds in (1, 10, 100, 1_000, 10_000):
        x = _x(milliseconds)
        yield f'<line x1="{x:.0f}" y1="50" x2="{x:.0f}" y2="{bottom}" stroke="#ddd"/>'
        yield _text(x, 44, f"{milliseconds:,} ms", "middle")


def _dots(row: Row, y: int) -> Iterator[str]:
    yield _text(_LABEL - 12, y + 16, f"{row.operation} ({row.calls:,})", "end")
    yield (
        f'<line x1="{_x(row.median):.0f}" y1="{y + 12}" x2="{_x(row.p99):.0f}" y2="{y + 12}"'
        ' stroke="#90a4ae" stroke-width="3"/>'
    )
    for name, colour in _COLOURS.items():
        x = _x(getattr(row, name))
        yield f'<circle cx="{x:.0f}" cy="{y + 12}" r="5" fill="{colour}"/>'


def _over_the_day(timings: Sequence[Timing], marks: Sequence[float], top: int) -> Iterator[str]:
    span = max(timing.began_s for timing in timings) or 1.0
    buckets: list[list[float]] = [[] for _ in range(_BUCKETS)]
    for timing in timings:
        place = min(_BUCKETS - 1, int(timing.began_s / span * _BUCKETS))
        buckets[place].append(timing.seconds * 1000)
    highest = max(len(bucket) for bucket in buckets)
    left, width, bottom = 90, _WIDTH - 180, top + _TIME_HEIGHT
    title = "requests (bars) and 95 % (line, logarithmic) over the run; dashed: a node is replaced"
    yield _text(left, top - 28, title, "start")
    for mark in marks:
        x = left + min(1.0, mark / span) * width
        yield (
            f'<line x1="{x:.0f}" y1="{top - 8}" x2="{x:.0f}" y2="{bottom}" stroke="#2e7d32"'
            ' stroke-dasharray="4 3"/>'
        )
        yield _text(x, top - 10, "node", "middle")
    points = []
    for place, bucket in enumerate(buckets):
        x, tall = left + place * width / _BUCKETS, len(bucket) / highest * _TIME_HEIGHT
        yield (
            f'<rect x="{x:.0f}" y="{bottom - tall:.0f}" width="{width / _BUCKETS - 2:.0f}"'
            f' height="{tall:.0f}" fill="#cfd8dc"/>'
        )
        if bucket:
            p95 = sorted(bucket)[int(0.95 * len(bucket))]
            share = (_x(p95) - _LABEL) / _PLOT
            points.append(f"{x + width / _BUCKETS / 2:.0f},{bottom - share * _TIME_HEIGHT:.0f}")
    yield f'<polyline points="{" ".join(points)}" fill="none" stroke="#c62828" stroke-width="2"/>'
    yield _text(left, bottom + 18, "0 s", "middle")
    yield _text(left + width, bottom + 18, f"{span:,.0f} s", "middle")


def _x(milliseconds: float) -> float:
    bounded = min(max(milliseconds, _SHORTEST), _LONGEST)
    return _LABEL + _PLOT * math.log10(bounded / _SHORTEST) / math.log10(_LONGEST / _SHORTEST)


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{escape(text)}</text>'
