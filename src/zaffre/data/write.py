"""Rows to files: CSV in v1's spelling, Parquet, and a pandas frame as one Parquet file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from zaffre.data.arrow import pa, pc, pq
from zaffre.data.engine import as_text
from zaffre.data.errors import DataInvalid

if TYPE_CHECKING:
    import pandas as pd

_ROWS_AT_ONCE = 100_000


def write_csv(table: Any, path: str, *, separator: str = ",") -> None:
    """Write rows as CSV: null is NA, times are ISO 8601 in UTC (+00:00), floats have no exponent
    and whole ones no '.0', and a text is quoted where it must be.
    """
    with open(path, "w", encoding="utf-8", newline="") as file:
        names = _quoted(pa.array(table.column_names, pa.string()), separator).to_pylist()
        file.write(separator.join(names) + "\n")
        for start in range(0, table.num_rows, _ROWS_AT_ONCE):
            part = table.slice(start, _ROWS_AT_ONCE).combine_chunks()
            cells = [_csv_cells(column, separator) for column in part.columns]
            lines = pc.binary_join_element_wise(*cells, separator)
            file.write("\n".join(lines.to_pylist()) + "\n")


def _csv_cells(column: Any, separator: str) -> Any:
    kind = column.type
    if pa.types.is_boolean(kind):
        texts = pc.if_else(column, "True", "False")
    elif pa.types.is_floating(kind):
        texts = _float_texts(column)
    elif pa.types.is_timestamp(kind):
        texts = _time_texts(column)
    elif pa.types.is_nested(kind) or pa.types.is_binary(kind):
        raise DataInvalid(f"values of type {kind} cannot be written as CSV; write Parquet instead")
    else:
        texts = _quoted(as_text(column), separator)
    return pc.fill_null(texts, "NA")


def _quoted(texts: Any, separator: str) -> Any:
    special = pc.match_substring_regex(texts, '["\r\n]')
    special = pc.or_(special, pc.match_substring(texts, separator))
    # An empty text would read as null, and blanks at the ends are the text's own.
    special = pc.or_(special, pc.equal(texts, ""))
    doubled = pc.replace_substring(texts, '"', '""')
    return pc.if_else(special, pc.binary_join_element_wise('"', doubled, '"', ""), texts)


def _float_texts(column: Any) -> Any:
    texts = pc.cast(column, pa.string())
    texts = pc.replace_substring_regex(texts, r"\.0$", "")
    exponent = pc.fill_null(pc.match_substring(texts, "e"), fill_value=False)
    if not pc.any(exponent).as_py():
        return texts
    long = [
        np.format_float_positional(value, trim="-") for value in column.filter(exponent).to_pylist()
    ]
    return pc.replace_with_mask(_one_array(texts), _one_array(exponent), pa.array(long))


def _one_array(column: Any) -> Any:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _time_texts(column: Any) -> Any:
    """Return 2019-01-02T03:04:05+00:00, with a fraction where there is one."""
    column = _one_array(column)
    plain = pc.cast(pc.cast(column, pa.int64()), pa.timestamp(column.type.unit))
    texts = pc.replace_substring(pc.cast(plain, pa.string()), " ", "T")
    texts = pc.replace_substring_regex(texts, r"(\.\d*?)0+$", r"\1")
    texts = pc.replace_substring_regex(texts, r"\.$", "")
    return pc.binary_join_element_wise(texts, "+00:00", "")


def write_parts(table: Any, folder: str, *, parts: int, separator: str | None = None) -> list[str]:
    """Write rows to `parts` files of about equal length in a folder; return their paths.

    part-0.csv ... with a separator, part-0.parquet ... without.
    """
    os.makedirs(folder, exist_ok=True)
    rows = max(-(-table.num_rows // max(parts, 1)), 1)
    paths: list[str] = []
    for number, start in enumerate(range(0, max(table.num_rows, 1), rows)):
        part = table.slice(start, rows)
        end = "parquet" if separator is None else "csv"
        path = os.path.join(folder, f"part-{number}.{end}")
        if separator is None:
            pq.write_table(part, path)
        else:
            write_csv(part, path, separator=separator)
        paths.append(path)
    return paths


def write_frame(frame: pd.DataFrame, path: str, *, row_group_size: int | None = None) -> None:
    """Write a pandas frame as one Parquet file; its index is not kept, as in v1.

    Raises DataInvalid for a column whose values are of no one type.
    """
    try:
        table = pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as problem:
        raise DataInvalid(f"the frame cannot be written as Parquet: {problem}") from problem
    pq.write_table(table, path, row_group_size=row_group_size)


def write_partitions(table: Any, folder: str, keys: list[str]) -> list[str]:
    """Write rows as Parquet below folder/key=value/..., the keys' columns left out of the files.

    Return the files' paths. Raises DataInvalid if a key is no column, or nothing else is one.
    """
    missing = [key for key in keys if key not in table.column_names]
    if missing:
        raise DataInvalid(f"the dataset has no column {missing[0]!r} to partition by")
    others = [name for name in table.column_names if name not in keys]
    if not others:
        raise DataInvalid("every column is a key of the partition; no column would be left")
    texts = [_key_texts(table.column(key)) for key in keys]
    labels = pc.binary_join_element_wise(*texts, "/")
    encoded = labels.dictionary_encode().unify_dictionaries()
    paths: list[str] = []
    for code, label in enumerate(encoded.chunk(0).dictionary.to_pylist() if len(table) else ()):
        indices = pa.chunked_array([chunk.indices for chunk in encoded.chunks])
        part = table.select(others).filter(pc.equal(indices, code))
        names = [f"{key}={value}" for key, value in zip(keys, label.split("/"))]
        target = os.path.join(folder, *names)
        os.makedirs(target, exist_ok=True)
        paths.append(os.path.join(target, "part-0.parquet"))
        pq.write_table(part, paths[-1])
    return paths


def _key_texts(column: Any) -> Any:
    """Return key values as names of folders: no '/' in them, null as v1's and Hive's word."""
    texts = pc.replace_substring(as_text(column), "%", "%25")
    texts = pc.replace_substring(texts, "/", "%2F")
    return pc.fill_null(texts, "__HIVE_DEFAULT_PARTITION__")
