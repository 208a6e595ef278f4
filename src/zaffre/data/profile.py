"""Figures of one column: what v1's profile told of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from zaffre.data.arrow import pa, pc

#: Shares of the rows whose quantiles are told.
QUANTILES = (0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999)
_TOP_VALUES = 10
_BINS = 10


def type_word(arrow_type: Any) -> Any:
    """Return a column's type in the words of the contract; Arrow's own word for any other."""
    if pa.types.is_dictionary(arrow_type):
        return type_word(arrow_type.value_type)
    if arrow_type == pa.int64():
        return "int"
    if arrow_type == pa.float64():
        return "float"
    if pa.types.is_string(arrow_type) or pa.types.is_large_string(arrow_type):
        return "string"
    if pa.types.is_boolean(arrow_type):
        return "boolean"
    if pa.types.is_timestamp(arrow_type):
        return {"datetime": {}}
    return str(arrow_type)


def column_profile(column: Any) -> dict[str, Any]:
    """Return a column's figures.

    Always: type, count, missing_count, not_missing_count, percent_missing (0 to 100),
    empty_count (texts ''), min and max (None where nothing has an order), top_values (up to 10
    pairs of value and count). Of numbers also mean, standard_deviation, variance (of a sample),
    skewness, kurtosis (excess), quantiles ({share: value}) and histogram (10 bins of equal width:
    pairs of lower edge and count). NaN counts as missing.
    """
    if pa.types.is_dictionary(column.type):
        column = pc.cast(column, column.type.value_type)
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    count = len(column)
    missing = column.null_count
    is_text = pa.types.is_string(column.type)
    figures: dict[str, Any] = {
        "type": type_word(column.type),
        "count": count,
        "missing_count": missing,
        "not_missing_count": count - missing,
        "percent_missing": 100 * missing / count if count else 0.0,
        "empty_count": pc.sum(pc.equal(column, "")).as_py() or 0 if is_text else 0,
        **_bounds(column),
        "top_values": _top_values(column),
    }
    is_number = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
    if is_number and missing < count:
        figures.update(_number_figures(column))
    return figures


def _bounds(column: Any) -> dict[str, Any]:
    try:
        bounds = pc.min_max(column).as_py()
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):  # lists, objects
        return {"min": None, "max": None}
    return {"min": bounds["min"], "max": bounds["max"]}


def _top_values(column: Any) -> list[tuple[Any, int]]:
    try:
        counted = pc.value_counts(column.drop_null())
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        return []
    counts = counted.field("counts")
    order = pc.array_sort_indices(counts, order="descending")[:_TOP_VALUES]
    values = counted.field("values").take(order)
    return list(zip(values.to_pylist(), counts.take(order).to_pylist()))


def _number_figures(column: Any) -> dict[str, Any]:
    values = np.asarray(column.drop_null().to_numpy(), np.float64)
    finite = values[np.isfinite(values)]
    quantiles = np.quantile(values, QUANTILES) if len(finite) == len(values) else None
    figures: dict[str, Any] = {
        "mean": float(values.mean()),
        "quantiles": {} if quantiles is None else dict(zip(QUANTILES, quantiles.tolist())),
        "histogram": [],
    }
    if len(finite):
        counts, edges = np.histogram(finite, bins=_BINS)
        figures["histogram"] = list(zip(edges[:-1].tolist(), counts.tolist()))
    figures.update(_moments(finite))
    return figures


def _moments(values: Any) -> dict[str, float | None]:
    """Return variance, standard deviation, skewness and excess kurtosis; None where undefined."""
    count = len(values)
    names = ("variance", "standard_deviation", "skewness", "kurtosis")
    figures: dict[str, float | None] = dict.fromkeys(names)
    if count < 2:
        return figures
    apart = values - values.mean()
    second = float((apart**2).mean())
    figures["variance"] = second * count / (count - 1)
    figures["standard_deviation"] = float(figures["variance"]) ** 0.5
    if second > 0:
        figures["skewness"] = float((apart**3).mean()) / second**1.5
        figures["kurtosis"] = float((apart**4).mean()) / second**2 - 3
    return figures
