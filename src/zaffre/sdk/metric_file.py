"""Metrics that are files of the run: images, and the JSON of charts."""

from __future__ import annotations

import os

from zaffre.sdk.exceptions import AzureMLException, UserErrorException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: How files of the usual image formats begin.
_BEGINNINGS = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8",
    b"GIF87a",
    b"GIF89a",
    b"BM",
    b"II*\x00",
    b"MM\x00*",
    b"P1",
    b"P2",
    b"P3",
    b"P4",
    b"P5",
    b"P6",
    b"#define ",
    b"\x76\x2f\x31\x01",
    b"\x01\xda",
    b"\x59\xa6\x6a\x95",
)
_CONFUSION_MATRIX = "confusion_matrix"


def image_content(path: Any, plot: Any) -> bytes:
    """Return the bytes of an image file, or of a figure as PNG.

    Raises AzureMLException unless exactly one is given and it is an image, FileNotFoundError.
    """
    if (path is None) == (plot is None):
        given = "both" if path is not None else "neither"
        raise AzureMLException(
            f"log_image() takes either path or plot, {given} of them given. "
            "plot is matplotlib.pyplot or a Figure."
        )
    if plot is not None:
        return _figure_content(plot)
    with open(path, "rb") as file:
        content = file.read()
    if not _is_image(content):
        raise AzureMLException(f"argument [{path}] is malformed: it is not an image.")
    return content


def _figure_content(plot: Any) -> bytes:
    import io

    save = getattr(plot, "savefig", None)
    if save is None:
        raise AzureMLException(
            f"argument [plot] is malformed: {type(plot).__name__} has no savefig(). "
            "Give matplotlib.pyplot or a Figure."
        )
    buffer = io.BytesIO()
    save(buffer, format="png")
    return buffer.getvalue()


def _is_image(content: bytes) -> bool:
    webp = content[:4] == b"RIFF" and content[8:12] == b"WEBP"
    return webp or content.startswith(_BEGINNINGS) or b"<svg" in content[:1000]


def image_name(name: str, path: Any) -> str:
    """Return the name of an image among the run's files: the path's last part, or one of its own.

    Raises UserErrorException if the metric's name cannot be part of a file's.
    """
    if path is not None:
        return os.path.basename(os.fspath(path))
    import time

    return file_name(f"{name}_{int(time.time())}.png")


def file_name(name: str) -> str:
    """Return the name of the file of a file-backed metric."""
    from zaffre.contract import names
    from zaffre.contract.errors import Invalid

    try:
        return names.file_name(name)
    except Invalid as problem:
        raise UserErrorException(
            f"{problem} (this metric is kept as a file of its name)"
        ) from problem


def chart_text(kind: str, value: Any) -> str:
    """Return a chart's JSON; one that the studio cannot draw is kept, with a warning.

    Raises UserErrorException for what is no JSON.
    """
    from zaffre.sdk import metric_log

    text = metric_log.json_text(value)
    problem = _shape_problem(kind, text)
    if problem:
        import warnings

        warnings.warn(
            f"The {kind} is stored as it is, but cannot be drawn: {problem}.", stacklevel=4
        )
    return text


def _shape_problem(kind: str, text: str) -> str:
    import json

    content = json.loads(text)
    if not isinstance(content, dict) or not isinstance(content.get("data"), dict):
        return "it has no 'data'"
    data = content["data"]
    if content.get("schema_type") != kind:
        return f"its schema_type is not {kind!r}"
    if kind == _CONFUSION_MATRIX:
        labels, matrix = data.get("class_labels"), data.get("matrix")
        if not isinstance(labels, list) or not isinstance(matrix, list):
            return "data needs class_labels and matrix"
        if len(matrix) != len(labels) or any(len(row) != len(labels) for row in matrix):
            return "the matrix is not square, or not of as many classes as class_labels"
        return ""
    needed = {
        "accuracy_table": ("probability_tables", "class_labels"),
        "residuals": ("bin_edges", "bin_counts"),
        "predictions": ("bin_averages", "bin_edges"),
    }[kind]
    missing = [key for key in needed if key not in data]
    return f"data lacks {', '.join(missing)}" if missing else ""
