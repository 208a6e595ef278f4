"""Small charts as SVG: lines and bars with axes, and a hint under the pointer. No script."""

from __future__ import annotations

import math
from html import escape

from zaffre.sdk.run_details_view import thin
from zaffre.sdk.run_details_words import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import List, Tuple

    from zaffre.sdk.run_details_view import Points

    #: What a line is called, and its points, sorted by their place.
    Line = Tuple[str, Points]
    Ticks = List[Tuple[float, str]]

WIDTH, HEIGHT = 320, 176
_TOP, _RIGHT, _BOTTOM = 10.0, 12.0, 34.0
_CHAR_WIDTH = 6.0
#: Points drawn of a line, and hints on a chart: more would not be seen.
_DRAWN_POINTS = 240
_HINTS = 32
_LARGEST = 1e300


def line_chart(lines: Sequence[Line], x_label: str, y_label: str) -> str:
    """Return a chart of at most six lines that have a point or more."""
    drawn = [
        (name, [(_drawable(x), _drawable(y)) for x, y in thin(points, _DRAWN_POINTS)])
        for name, points in lines
        if points
    ]
    xs = [x for _, points in drawn for x, _ in points]
    ys = [y for _, points in drawn for _, y in points]
    frame = _Frame((min(xs), max(xs)), _padded(min(ys), max(ys)))
    body = [frame.axes(x_label, y_label, whole_x=all(float(x).is_integer() for x in xs))]
    for index, (_, points) in enumerate(drawn):
        path = "L".join(f"{frame.x(x):.1f} {frame.y(y):.1f}" for x, y in points)
        if len(drawn) == 1:
            floor = f"L{frame.x(points[-1][0]):.1f} {frame.bottom} L{frame.x(points[0][0]):.1f}"
            body.append(f'<path class="zf-area" d="M{path}{floor} {frame.bottom}Z"/>')
        body.append(f'<path class="zf-line zf-c{index % 6}" d="M{path}"/>')
    if len(drawn) == 1:
        x, y = drawn[0][1][-1]
        body.append(f'<circle class="zf-end" cx="{frame.x(x):.1f}" cy="{frame.y(y):.1f}" r="3"/>')
    body.append(_hints(frame, drawn, x_label, y_label))
    return _svg(body, f"{y_label} by {x_label}")


def bar_chart(edges: Sequence[float], counts: Sequence[float], x_label: str, y_label: str) -> str:
    """Return a histogram: one more edge than counts."""
    frame = _Frame((edges[0], edges[-1]), (0.0, max(*counts, 1) * 1.06))
    body = [frame.axes(x_label, y_label, whole_x=False)]
    for left, right, count in zip(edges, edges[1:], counts):
        x, width = frame.x(left) + 0.5, max(0.5, frame.x(right) - frame.x(left) - 1)
        top = frame.y(count)
        says = f"{number(float(left))} to {number(float(right))}: {number(float(count))}"
        body.append(
            f'<rect class="zf-bar" x="{x:.1f}" y="{top:.1f}" width="{width:.1f}" '
            f'height="{frame.bottom - top:.1f}"><title>{escape(says)}</title></rect>'
        )
    return _svg(body, f"{y_label} by {x_label}")


class _Frame:
    """Where values stand in the picture."""

    def __init__(self, xs: tuple[float, float], ys: tuple[float, float]) -> None:
        self._xs, self._ys = xs, ys
        self.bottom = HEIGHT - _BOTTOM
        self._y_ticks = _ticks(*ys, wanted=5)
        self.left = 24 + _CHAR_WIDTH * max((len(text) for _, text in self._y_ticks), default=1)

    def x(self, value: float) -> float:
        low, high = self._xs
        if high == low:
            return (self.left + WIDTH - _RIGHT) / 2
        return self.left + (value - low) / (high - low) * (WIDTH - _RIGHT - self.left)

    def y(self, value: float) -> float:
        low, high = self._ys
        return self.bottom - (value - low) / (high - low) * (self.bottom - _TOP)

    def axes(self, x_label: str, y_label: str, *, whole_x: bool) -> str:
        parts = [
            f'<path class="zf-grid" d="M{self.left:.1f} {self.y(at):.1f}H{WIDTH - _RIGHT}"/>'
            f'<text x="{self.left - 6:.1f}" y="{self.y(at) + 3.5:.1f}" text-anchor="end">{text}'
            "</text>"
            for at, text in self._y_ticks
        ]
        low, high = self._xs
        marks = _ticks(low, high, wanted=5, whole=whole_x) if high > low else [(low, number(low))]
        for at, text in marks:
            # The first and the last number stay within the picture.
            half = len(text) * _CHAR_WIDTH / 2
            x = min(self.x(at), WIDTH - 2 - half)
            parts.append(
                f'<text x="{x:.1f}" y="{self.bottom + 14:.1f}" text-anchor="middle">{text}</text>'
            )
        parts.append(f'<path class="zf-axis" d="M{self.left:.1f} {self.bottom}H{WIDTH - _RIGHT}"/>')
        middle = (self.left + WIDTH - _RIGHT) / 2
        parts.append(
            f'<text class="zf-axis-name" x="{middle:.1f}" y="{HEIGHT - 5}" '
            f'text-anchor="middle">{escape(_cut(x_label, 40))}</text>'
        )
        up = (self.bottom + _TOP) / 2
        parts.append(
            f'<text class="zf-axis-name" transform="translate(8 {up:.1f}) rotate(-90)" '
            f'text-anchor="middle">{escape(_cut(y_label, 22))}</text>'
        )
        return "".join(parts)


def _hints(frame: _Frame, lines: Sequence[Line], x_label: str, y_label: str) -> str:
    """Return columns that say their values, and show the place, under the pointer."""
    places = sorted({x for _, points in lines for x, _ in points})
    if len(places) > _HINTS:
        last = len(places) - 1
        places = [places[round(i * last / (_HINTS - 1))] for i in range(_HINTS)]
    middles = [(frame.x(a) + frame.x(b)) / 2 for a, b in zip(places, places[1:])]
    starts = [frame.left, *middles]
    ends = [*middles, float(WIDTH)]
    parts: list[str] = []
    at_place = [(name, dict(points)) for name, points in lines]
    for place, start, end in zip(places, starts, ends):
        said = [f"{x_label} {number(place)}"]
        dots = ""
        for name, values in at_place:
            if place in values:
                said.append(f"{name or y_label}: {number(values[place])}")
                dots += (
                    f'<circle cx="{frame.x(place):.1f}" cy="{frame.y(values[place]):.1f}" r="3"/>'
                )
        parts.append(
            f'<g class="zf-hint"><title>{escape(chr(10).join(said))}</title>'
            f'<rect x="{start:.1f}" y="{_TOP}" width="{max(0.1, end - start):.1f}" '
            f'height="{frame.bottom - _TOP}"/>'
            f'<path d="M{frame.x(place):.1f} {_TOP}V{frame.bottom}"/>{dots}</g>'
        )
    return "".join(parts)


def _drawable(value: float) -> float:
    """Return a value that arithmetic leaves finite."""
    return max(-_LARGEST, min(_LARGEST, value))


def _padded(low: float, high: float) -> tuple[float, float]:
    pad = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
    return low - pad, high + pad


def _ticks(low: float, high: float, *, wanted: int, whole: bool = False) -> Ticks:
    """Return round numbers between two, and how each is written."""
    span = high - low
    if not math.isfinite(span) or span <= 0:
        return []
    power = 10.0 ** math.floor(math.log10(span / wanted)) if span > 1e-300 else 0.0
    if not power:
        return []
    step = next((power * n for n in (1, 2, 2.5, 5) if power * n * wanted >= span), power * 10)
    if whole:
        step = max(1.0, float(math.ceil(step)))
    decimals = max(0, -math.floor(math.log10(step) + 1e-9) + (step / power in (2.5,)))
    first = math.ceil(low / step - 1e-9)
    found: Ticks = []
    for index in range(first, first + 2 * wanted + 2):
        value = index * step
        if value > high + step * 1e-9:
            break
        found.append((value, _tick_text(value, decimals, max(abs(low), abs(high)))))
    return found


def _tick_text(value: float, decimals: int, largest: float) -> str:
    if largest >= 1e9 or decimals > 5:
        text = f"{value:.3g}"
        head, e, power = text.partition("e")
        return f"{head}e{int(power)}" if e else text
    for scale, unit in ((1e6, "M"), (1e4, "k")):
        if largest >= scale:
            scale = 1e3 if unit == "k" else scale
            return f"{value / scale:.4g}{unit}" if value else "0"
    return f"{value:.{decimals}f}" if value else "0"


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _svg(body: list[str], label: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label, quote=True)}">'
        f"{''.join(body)}</svg>"
    )
