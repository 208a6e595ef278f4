"""One metric in a line, whichever of the nine kinds it is, and in a picture where a line is poor.

Images and the four documents (confusion matrix, accuracy table, residuals, predictions) are files
of the run; the metric's value is the file's URI. Nobody checks a document's form when it is
logged, so one that reads otherwise than v1 documents it is named, not drawn.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from zaffre.contract.metric import MetricKind, MetricSeries, decode_value

DOCUMENTS = frozenset(
    {
        MetricKind.CONFUSION_MATRIX,
        MetricKind.ACCURACY_TABLE,
        MetricKind.RESIDUALS,
        MetricKind.PREDICTIONS,
    }
)

_BARS = "▁▂▃▄▅▆▇█"
_SHOWN_ITEMS = 8
_CURVE_WIDTH = 24

Document = dict[str, Any]


def describe(series: MetricSeries, documents: Sequence[Document]) -> str:
    """Return a metric's value in a line. documents: the content of its files, if it has any."""
    points = [decode_value(value) for value in series.values]
    if series.kind is MetricKind.IMAGE:
        return ", ".join(file_name(str(point)) for point in points)
    if series.kind in DOCUMENTS:
        files = ", ".join(file_name(str(point)) for point in points)
        words = [_summary(series.kind, document) for document in documents]
        return "; ".join(word for word in words if word) or files
    if any(isinstance(point, dict) for point in points):
        return _rows(points)
    if len(points) == 1:
        return number(points[0])
    if series.kind is MetricKind.SCALAR and all(_is_number(point) for point in points):
        low, high = min(points), max(points)
        return f"{number(points[-1])}  {curve(points)}  {number(low)} to {number(high)}"
    shown = ", ".join(number(point) for point in points[:_SHOWN_ITEMS])
    return f"[{shown}{', ...' if len(points) > _SHOWN_ITEMS else ''}]"


def picture(series: MetricSeries, documents: Sequence[Document]) -> str:
    """Return a document's picture in several lines; '' for what a line says well enough."""
    draw = _PICTURES.get(series.kind)
    drawn = [_tried(draw, document) for document in documents] if draw else []
    return "\n".join(text for text in drawn if text)


def file_name(uri: str) -> str:
    """Return the run's file name that v1's artifact URI (`aml://artifactId/...`) names."""
    if not uri.startswith("aml://artifactId/"):
        return uri
    return uri.removeprefix("aml://artifactId/").split("/", 2)[-1]


def number(value: object) -> str:
    """Return a value as people write it: six significant digits, texts as they are."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def curve(values: Sequence[float]) -> str:
    """Return finite values as a line of bars, at most 24 characters; '' if there is none."""
    finite = [value for value in values if value - value == 0]
    if not finite:
        return ""
    step = max(1.0, len(finite) / _CURVE_WIDTH)
    picked = [finite[int(i * step)] for i in range(min(len(finite), _CURVE_WIDTH))]
    low, span = min(picked), max(picked) - min(picked)
    return "".join(
        _BARS[round((value - low) / span * (len(_BARS) - 1))] if span else _BARS[0]
        for value in picked
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _rows(points: list[Any]) -> str:
    last = points[-1] if isinstance(points[-1], dict) else {"": points[-1]}
    cells = ", ".join(f"{name}={number(cell)}" for name, cell in last.items())
    return cells if len(points) == 1 else f"{len(points)} rows; last: {cells}"


def _summary(kind: MetricKind, document: Document) -> str:
    say: dict[MetricKind, Callable[[Document], str]] = {
        MetricKind.CONFUSION_MATRIX: _confusion_words,
        MetricKind.ACCURACY_TABLE: _accuracy_words,
        MetricKind.RESIDUALS: lambda data: (
            f"{sum(data['bin_counts'])} residuals  {curve(data['bin_counts'])}  "
            f"{number(data['bin_edges'][0])} to {number(data['bin_edges'][-1])}"
        ),
        MetricKind.PREDICTIONS: lambda data: (
            f"{sum(data['bin_counts'])} predictions  {curve(data['bin_averages'])}  "
            f"mean by bin {number(data['bin_averages'][0])} to {number(data['bin_averages'][-1])}"
        ),
    }
    return _tried(say[kind], document)


def _tried(draw: Callable[[Document], str], document: Document) -> str:
    """Return what `draw` makes of a document's data, '' if it is not of the documented form."""
    try:
        return draw(document["data"])
    except (KeyError, IndexError, TypeError, ValueError, ZeroDivisionError):
        return ""


def _confusion_words(data: Document) -> str:
    matrix = data["matrix"]
    right = sum(row[i] for i, row in enumerate(matrix))
    total = sum(map(sum, matrix))
    return f"{len(matrix)} classes, {right} of {total} right ({right / total:.1%})"


def _confusion_picture(data: Document) -> str:
    labels = [str(label) for label in data["class_labels"]]
    cells = [[str(count) for count in row] for row in data["matrix"]]
    width = max(len(text) for row in [labels, *cells] for text in row)
    margin = max(len("true \\ predicted"), *map(len, labels))
    lines = ["  ".join(["true \\ predicted".ljust(margin), *(x.rjust(width) for x in labels)])]
    for label, row in zip(labels, cells, strict=True):
        lines.append("  ".join([label.ljust(margin), *(cell.rjust(width) for cell in row)]))
    return "\n".join(lines)


def _accuracy_words(data: Document) -> str:
    labels, tables = data["class_labels"], data["probability_tables"]
    areas = [
        f"{label} {_area_under_roc(table):.3f}" for label, table in zip(labels, tables, strict=True)
    ]
    thresholds = len(data["probability_thresholds"])
    return f"{thresholds} thresholds, area under ROC: {', '.join(areas)}"


def _area_under_roc(table: Sequence[Sequence[float]]) -> float:
    """Return the area under the curve of one class; rows are TP, FP, TN, FN at a threshold."""
    corners = {(0.0, 0.0), (1.0, 1.0)}
    corners |= {(fp / (fp + tn), tp / (tp + fn)) for tp, fp, tn, fn in table}
    curve_points = sorted(corners)
    return sum(
        (right[0] - left[0]) * (left[1] + right[1]) / 2
        for left, right in itertools.pairwise(curve_points)
    )


def _residuals_picture(data: Document) -> str:
    counts, edges = data["bin_counts"], data["bin_edges"]
    most = max(counts)
    return "\n".join(
        f"{number(edges[i]):>12} to {number(edges[i + 1]):<12}"
        f" {'█' * round(count / most * _CURVE_WIDTH)} {count}"
        for i, count in enumerate(counts)
    )


def _predictions_picture(data: Document) -> str:
    edges, counts = data["bin_edges"], data["bin_counts"]
    return "\n".join(
        f"{number(edges[i]):>12} to {number(edges[i + 1]):<12}"
        f" mean {number(mean)} ± {number(data['bin_errors'][i])}, {counts[i]} values"
        for i, mean in enumerate(data["bin_averages"])
    )


_PICTURES: dict[MetricKind, Callable[[Document], str]] = {
    MetricKind.CONFUSION_MATRIX: _confusion_picture,
    MetricKind.RESIDUALS: _residuals_picture,
    MetricKind.PREDICTIONS: _predictions_picture,
}
