"""Metric records, values and series.

Values and how they travel: `contract.metric_value`.

A record is what one `log*` call writes to the spool, one line of JSON:

    {"run": run_id, "name": str, "kind": MetricKind, "at": unix seconds, and one of
     "value": v                a scalar, or the URI of a file-backed metric
     "values": [v, ...]        a list: as many points
     "row": {column: v}        one row
     "columns": {column: [v]}  a table: all columns of one length
     "step": int (optional, for value), "description": str (optional)}

A point is one value or one row at a position of its metric: 0, 1, ... in the order stored.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Dict, Iterable, Union

from zaffre.contract.metric_value import RECORD_MAX_BYTES, decode_value, encode_value

__all__ = [
    "RECORD_MAX_BYTES",
    "MetricKind",
    "MetricRecord",
    "MetricSeries",
    "Row",
    "Value",
    "as_v1",
    "decode_value",
    "encode_value",
    "points_of",
    "rows_of",
]

Value = Union[float, int, bool, str, None]
Row = Dict[str, Any]


class MetricKind(str, Enum):
    """How a metric was logged."""

    SCALAR = "scalar"
    LIST = "list"
    ROW = "row"
    TABLE = "table"
    IMAGE = "image"
    CONFUSION_MATRIX = "confusion_matrix"
    ACCURACY_TABLE = "accuracy_table"
    RESIDUALS = "residuals"
    PREDICTIONS = "predictions"


@dataclass(frozen=True)
class MetricRecord:
    """One parsed record; exactly one of value, values, row and columns counts, by `kind`.

    The server decodes a spool's lines to this with msgspec.
    """

    run: str
    name: str
    kind: MetricKind
    at: float
    value: Any = None
    values: list[Any] | None = None
    row: dict[str, Any] | None = None
    columns: dict[str, list[Any]] | None = None
    step: int | None = None
    description: str | None = None


@dataclass(frozen=True)
class MetricSeries:
    """One metric of one run, as the server answers it: columns of equal length.

    values: one encoded value a point, a dict for a row. kind: of the last record stored.
    """

    name: str
    kind: MetricKind
    values: list[Any] = field(default_factory=list)
    steps: list[int | None] = field(default_factory=list)
    times: list[float] = field(default_factory=list)


def rows_of(columns: dict[str, list[Any]]) -> list[Row]:
    """Return a table's rows. All columns have one length."""
    names = list(columns)
    return [dict(zip(names, cells)) for cells in zip(*columns.values())]


def points_of(record: MetricRecord) -> list[Any]:
    """Return the encoded points that a record adds to its metric, rows as dicts."""
    if record.columns is not None:
        return list(rows_of(record.columns))
    if record.row is not None:
        return [record.row]
    if record.values is not None:
        return record.values
    return [record.value]


def as_v1(name: str, values: Iterable[Any]) -> Any:
    """Return decoded points as v1's `get_metrics` shows one metric; None when there is nothing.

    One value is the scalar, several are a list; one row is a dict of scalars, several are a dict
    of lists, with None where a row lacks a column. A metric that holds rows and values keeps the
    values in a column of its own name. (Observed on azureml-core 1.61, but for the last two,
    where that client raised.)
    """
    points = list(values)
    if not any(isinstance(point, dict) for point in points):
        if len(points) == 1:
            return points[0]
        return points or None
    rows: list[Row] = [p if isinstance(p, dict) else {name: p} for p in points]
    columns: dict[str, list[Any]] = {}
    for row in rows:
        for column in row:
            columns.setdefault(column, [])
    for row in rows:
        for column, cells in columns.items():
            cells.append(row.get(column))
    if len(rows) == 1:
        return {column: cells[0] for column, cells in columns.items()}
    return columns
