"""Rows to a pandas frame, with the dtypes of SDK v1."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from zaffre.data.arrow import pa, pc
from zaffre.data.errors import DataInvalid

_EXACT_BELOW = 2**53
#: What a datetime64[ns] can hold, in seconds since 1970: 1677-09-21 to 2262-04-11.
_NS_SECONDS = 9_223_372_036
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def to_pandas(table: Any, pandas: bytes | None, *, out_of_range_is_null: bool) -> pd.DataFrame:
    """Return a frame with a RangeIndex.

    int64, float64 and bool where nothing is null; int64 with nulls is float64 (Int64 where a
    float would lose digits), bool with nulls is object; times are datetime64[ns], beyond its
    range NaT or, unless out_of_range_is_null, an error; text is object (in pandas 3: str).
    pandas: what a Parquet file says of pandas' own types.
    """
    columns: dict[str, Any] = {}
    nullable: list[str] = []
    for name, column in zip(table.column_names, table.columns):
        if pa.types.is_timestamp(column.type):
            column = _nanoseconds(name, column, out_of_range_is_null=out_of_range_is_null)
        elif pa.types.is_integer(column.type) and column.null_count and _is_long(column):
            nullable.append(name)
        columns[name] = column
    table = pa.table(columns)
    columns.clear()
    table = table.replace_schema_metadata(_metadata(pandas, table, nullable))
    options: dict[str, Any] = {"self_destruct": True}
    frame = table.to_pandas(**options)
    del table
    return frame


def _nanoseconds(name: str, column: Any, *, out_of_range_is_null: bool) -> Any:
    unit = column.type.unit
    if unit == "ns":
        return column
    limit = _NS_SECONDS * _PER_SECOND[unit]
    ticks = pc.cast(column, pa.int64())
    bounds = pc.min_max(ticks).as_py()
    if bounds["min"] is not None and not -limit < bounds["min"] <= bounds["max"] < limit:
        inside = pc.and_(pc.greater(ticks, -limit), pc.less(ticks, limit))
        if not out_of_range_is_null:
            index = pc.index(pc.fill_null(inside, fill_value=True), value=False).as_py()
            value = column[index].cast(pa.timestamp(unit)).cast(pa.string()).as_py()
            reason = f"{value} is out of the range of pandas' datetimes, 1677-09-21 to 2262-04-11"
            raise DataInvalid(reason, row=index + 1, column=name)
        column = pc.if_else(inside, column, pa.scalar(None, column.type))
    return pc.cast(column, pa.timestamp("ns", column.type.tz))


def _is_long(column: Any) -> bool:
    bounds = pc.min_max(column).as_py()
    return bounds["min"] is not None and not max(-bounds["min"], bounds["max"]) < _EXACT_BELOW


def _metadata(pandas: bytes | None, table: Any, nullable: list[str]) -> dict[bytes, bytes] | None:
    """Return metadata that makes pyarrow give a RangeIndex and pandas' own types back."""
    known = json.loads(pandas) if pandas else {}
    kept = [
        one
        for one in known.get("columns", ())
        if one.get("field_name", one.get("name")) in table.column_names
        and one.get("field_name", one.get("name")) not in nullable
        # Other numpy types follow from the table's own; a stale one would be forced on it.
        and str(one.get("numpy_type", "")) in _EXTENSIONS
    ]
    kept += [
        {
            "name": name,
            "field_name": name,
            "pandas_type": "int64",
            "numpy_type": "Int64",
            "metadata": None,
        }
        for name in nullable
    ]
    if not kept:
        return None
    content = {
        "index_columns": [],
        "column_indexes": [],
        "columns": kept,
        "pandas_version": known.get("pandas_version", pd.__version__),
    }
    return {b"pandas": json.dumps(content).encode()}


_EXTENSIONS = frozenset(
    (
        "Int8",
        "Int16",
        "Int32",
        "Int64",
        "UInt8",
        "UInt16",
        "UInt32",
        "UInt64",
        "Float32",
        "Float64",
        "boolean",
        "string",
    )
)
