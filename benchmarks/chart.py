"""The results as one SVG: how near each figure is to its aim, and how cost grows with size."""

import math
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from benchmarks.figure import Figure, Point, Results

_WIDTH, _ROW, _LABEL, _BAR = 1100, 34, 430, 380
_PLOT_HEIGHT, _MARGIN = 170, 40
#: Bars end here, in aims.
_AIMS_MAX = 1.5
_COLOURS = {"aim": "#2e7d32", "at least": "#f9a825", "below": "#c62828", "": "#90a4ae"}
_LINES = ("#1565c0", "#6a1b9a", "#ef6c00", "#00838f")


def write_chart(path: Path, results: Results) -> None:
    """Draw bars for what has an aim, and a curve for each kind of growth."""
    bars = [f for f in results.figures if f.judged is not None and f.aim is not None]
    curves = sorted({point.curve for point in results.growth})
    bars_end = 60 + _ROW * len(bars)
    height = bars_end + 30 + len(curves) * (_PLOT_HEIGHT + _MARGIN)
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}"'
            f' viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="13">'
        ),
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
        *_scale(bars_end),
        *(part for place, figure in enumerate(bars) for part in _bar(figure, 60 + _ROW * place)),
    ]
    top = bars_end + 30
    for name, colour in zip(curves, _LINES * len(curves), strict=False):
        points = sorted((p for p in results.growth if p.curve == name), key=lambda p: p.size)
        parts += _curve(points, top, colour)
        top += _PLOT_HEIGHT + _MARGIN
    path.write_text("\n".join([*parts, "</svg>"]) + "\n", encoding="utf-8")


def _scale(bottom: int) -> Iterator[str]:
    for aims in (0.5, 1.0):
        x = _LABEL + _BAR * aims / _AIMS_MAX
        yield (
            f'<line x1="{x:.0f}" y1="45" x2="{x:.0f}" y2="{bottom}" stroke="#bbb"'
            f' stroke-dasharray="{"none" if aims == 1 else "3 3"}"/>'
        )
    yield _text(_LABEL + _BAR / _AIMS_MAX, 38, "aim", "middle")


def _bar(figure: Figure, y: int) -> Iterator[str]:
    judged, aim, at_least = figure.judged, figure.aim, figure.at_least
    if judged is None or aim is None or at_least is None:
        return
    # Of times and memory the inverse: the longer bar is the better one.
    reached, needed = (
        (aim / judged, aim / at_least)
        if figure.less_is_better
        else (
            judged / aim,
            at_least / aim,
        )
    )
    width = _BAR * min(reached, _AIMS_MAX) / _AIMS_MAX
    tick = _LABEL + _BAR * needed / _AIMS_MAX
    compared = (
        f"{judged:.2f} of {figure.against}" if figure.against else (f"{judged:,.0f} {figure.unit}")
    )
    yield _text(_LABEL - 10, y + 16, figure.what, "end")
    yield (
        f'<rect x="{_LABEL}" y="{y + 3}" width="{width:.0f}" height="18"'
        f' fill="{_COLOURS[figure.verdict]}"/>'
    )
    yield (
        f'<line x1="{tick:.0f}" y1="{y}" x2="{tick:.0f}" y2="{y + 24}" stroke="black"'
        ' stroke-width="2"/>'
    )
    yield _text(_LABEL + max(width, tick - _LABEL) + 8, y + 16, compared, "start")


def _curve(points: Sequence[Point], top: int, colour: str) -> Iterator[str]:
    """Sizes on a logarithmic scale; values from 0."""
    highest = max(point.value for point in points)
    first, last = math.log10(points[0].size), math.log10(points[-1].size)
    span = (last - first) or 1.0
    left, right, bottom = 90, _WIDTH - 90, top + _PLOT_HEIGHT - 20
    places = [
        (
            left + (math.log10(point.size) - first) / span * (right - left),
            bottom - point.value / highest * (_PLOT_HEIGHT - 60),
        )
        for point in points
    ]
    yield _text(left, top + 8, f"{points[0].curve}, {points[0].unit}", "start")
    yield f'<line x1="{left}" y1="{bottom}" x2="{right}" y2="{bottom}" stroke="#888"/>'
    line = " ".join(f"{x:.0f},{y:.0f}" for x, y in places)
    yield f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>'
    for point, (x, y) in zip(points, places, strict=True):
        digits = 2 if point.value < 100 else 0
        yield f'<circle cx="{x:.0f}" cy="{y:.0f}" r="4" fill="{colour}"/>'
        yield _text(x, y - 10, f"{point.value:,.{digits}f}", "middle")
        yield _text(x, bottom + 16, f"{point.size:,}", "middle")


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{escape(text)}</text>'
