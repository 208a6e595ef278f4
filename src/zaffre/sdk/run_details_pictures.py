"""Pictures of a run in RunDetails: images, and the documents of charts, as HTML and SVG.

Nobody checks a document's form when it is logged, so one that reads otherwise than v1 documents it
is named, not drawn.
"""

from __future__ import annotations

from base64 import b64encode
from html import escape

from zaffre.sdk import run_details_words as words
from zaffre.sdk.run_details_chart import bar_chart, line_chart

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from zaffre.sdk.run_details_view import Metric, RunView

_CLASSES_SHOWN = 20


def figure(view: RunView, metric: Metric, name: str) -> str:
    """Return a metric's file as a picture, '' while it has not been read."""
    content = view.contents.get(name)
    if content is None:
        return ""
    if metric.kind == "image" or isinstance(content, (bytes, str)):
        return image(name, content, metric.name)
    draw = {
        "confusion_matrix": _confusion,
        "accuracy_table": _accuracy,
        "residuals": _residuals,
        "predictions": _predictions,
    }[metric.kind]
    try:
        return draw(metric.name, content["data"])
    except (KeyError, IndexError, TypeError, ValueError, ZeroDivisionError):
        return image(name, "is not of the documented form, so it is not drawn", metric.name)


def image(name: str, content: Any, title: str = "") -> str:
    """Return an image, or what `content` says of why it is not shown, with its names."""
    caption = f"{escape(title or name)}{f' <small>{escape(name)}</small>' if title else ''}"
    if isinstance(content, str):  # why it is not shown
        body = f"<small>{escape(content)}</small>"
    else:
        data = b64encode(content).decode("ascii")
        body = (
            f'<img alt="{escape(name, quote=True)}" src="data:{image_type(content)};base64,{data}">'
        )
    return f'<figure class="zf-picture"><figcaption>{caption}</figcaption>{body}</figure>'


def image_type(content: bytes) -> str:
    """Return the MIME type of an image that browsers show, '' for others."""
    for begin, kind in (
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8", "image/jpeg"),
        (b"GIF8", "image/gif"),
        (b"BM", "image/bmp"),
    ):
        if content.startswith(begin):
            return kind
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return "image/svg+xml" if b"<svg" in content[:1000] else ""


def _confusion(name: str, data: dict[str, Any]) -> str:
    labels = [str(label) for label in data["class_labels"]]
    matrix = [[float(count) for count in row] for row in data["matrix"]]
    total = sum(map(sum, matrix))
    right = sum(matrix[i][i] for i in range(len(labels)))
    said = f"{len(labels)} classes, {right / total:.1%} right"
    if len(labels) > _CLASSES_SHOWN:
        return image(f"{said}; more than {_CLASSES_SHOWN} are not drawn", "", name)
    heads = "".join(f"<th>{escape(words.short(label, 18))}</th>" for label in labels)
    rows: list[str] = []
    for label, row in zip(labels, matrix):
        most = sum(row) or 1.0
        cells = "".join(
            f'<td style="background:rgba(60,98,230,{0.06 + 0.84 * count / most:.2f});'
            f'color:{"#fff" if count / most > 0.5 else "inherit"}" '
            f'title="true {escape(label, quote=True)}, predicted {escape(predicted, quote=True)}: '
            f'{words.number(count)} ({count / most:.1%} of the row)">{words.number(count)}</td>'
            for predicted, count in zip(labels, row)
        )
        rows.append(f"<tr><th>{escape(words.short(label, 18))}</th>{cells}</tr>")
    return (
        f'<figure class="zf-picture"><figcaption>{escape(name)} <small>{said}</small></figcaption>'
        f'<div class="zf-wide"><table class="zf-matrix"><thead><tr><th>true \\ predicted</th>'
        f"{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table></div></figure>"
    )


def _accuracy(name: str, data: dict[str, Any]) -> str:
    lines: list[tuple[str, list[tuple[float, float]]]] = []
    for label, table in zip(data["class_labels"], data["probability_tables"]):
        corners = {(0.0, 0.0), (1.0, 1.0)}
        corners |= {(fp / (fp + tn), tp / (tp + fn)) for tp, fp, tn, fn in table}
        lines.append((str(label), sorted(corners)))
    lines = lines[:6]
    drawn = line_chart(lines, "false positive rate", "true positive rate")
    return chart_figure(name, "", f"ROC, {len(data['class_labels'])} classes", drawn, _keys(lines))


def _keys(lines: Sequence[tuple[str, object]]) -> str:
    keys = "".join(
        f'<span><i class="zf-k{index}"></i>{escape(words.short(label, 24))}</span>'
        for index, (label, _) in enumerate(lines)
    )
    return f'<div class="zf-keys">{keys}</div>'


def _residuals(name: str, data: dict[str, Any]) -> str:
    edges = [float(edge) for edge in data["bin_edges"]]
    counts = [float(count) for count in data["bin_counts"]]
    said = f"{words.number(sum(counts))} residuals"
    return chart_figure(name, "", said, bar_chart(edges, counts, "residual", "count"))


def _predictions(name: str, data: dict[str, Any]) -> str:
    edges = [float(edge) for edge in data["bin_edges"]]
    middles = [(left + right) / 2 for left, right in zip(edges, edges[1:])]
    mean = list(zip(middles, [float(average) for average in data["bin_averages"]]))
    lines = [("predicted", mean), ("ideal", [(middle, middle) for middle in middles])]
    said = f"{words.number(float(sum(data['bin_counts'])))} predictions, mean by bin"
    return chart_figure(name, "", said, line_chart(lines, "true", "predicted"), _keys(lines))


def chart_figure(name: str, value: str, said: str, drawn: str, keys: str = "") -> str:
    """Return a chart with its name, a value, a line of words and the names of its lines."""
    return (
        f'<figure class="zf-chart"><figcaption><b title="{escape(name, quote=True)}">'
        f"{escape(name)}</b><em>{escape(value)}</em></figcaption>"
        f"<small>{escape(said)}</small>{keys}{drawn}</figure>"
    )
