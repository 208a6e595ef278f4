"""Filters of file datasets: what is known of the files as a table."""

from __future__ import annotations

import os
from typing import Any, Mapping

from zaffre.data.arrow import pa
from zaffre.data.filter import mask
from zaffre.data.sources import SourceFile


def kept(files: list[SourceFile], expression: Mapping[str, Any]) -> list[SourceFile]:
    """Return the files that an expression over Size, LastModifiedTime, CreationTime, Extension
    and CanSeek is true for. A store knows when a file was written: that is both times.
    """
    times = [file.entry.modified_at.replace(tzinfo=None) for file in files]
    table = pa.table(
        {
            "Size": pa.array([file.entry.size_bytes for file in files], pa.int64()),
            "LastModifiedTime": pa.array(times, pa.timestamp("us")),
            "CreationTime": pa.array(times, pa.timestamp("us")),
            "Extension": pa.array([_extension(file) for file in files], pa.string()),
            "CanSeek": pa.array([True] * len(files), pa.bool_()),
        }
    )
    return [file for file, is_kept in zip(files, mask(expression, table).to_pylist()) if is_kept]


def _extension(file: SourceFile) -> str:
    return os.path.splitext(file.entry.path)[1]
