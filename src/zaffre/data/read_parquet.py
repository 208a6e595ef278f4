"""Parquet files: types as the files give them, only the columns and rows that are wanted."""

from __future__ import annotations

from typing import Any, Sequence

from zaffre.data.arrow import pa, pq
from zaffre.data.errors import DataInvalid, SourceMissing
from zaffre.data.filter import pushed_down
from zaffre.data.sources import SourceFile
from zaffre.data.table import Piece, Rows, Wanted, combined


def read(
    files: Sequence[SourceFile],
    *,
    wanted: Wanted,
    conditions: Sequence[Any],
    limit: int | None,
) -> Rows:
    """Read the files' rows, the first `limit` of them.

    wanted: which columns to read. conditions: filters that rows must meet; a file's rows that
    cannot meet them may be left out, and then `limit` must be None.
    """
    pieces: list[Piece] = []
    pandas: bytes | None = None
    left = limit
    for file in files:
        piece, metadata = _read_one(file, wanted, conditions, left)
        pandas = pandas or metadata
        pieces.append(piece)
        if left is not None:
            left -= piece.count
            if left <= 0:
                break
    names = dict.fromkeys(name for piece in pieces for name in piece.columns)
    columns = {
        name: combined(name, [(piece.columns.get(name), piece.count) for piece in pieces])
        for name in names
    }
    rows = Rows(columns, [(piece.file, piece.count) for piece in pieces], pandas=pandas)
    return rows if limit is None else rows.first(limit)


def _read_one(
    file: SourceFile, wanted: Wanted, conditions: Sequence[Any], limit: int | None
) -> tuple[Piece, bytes | None]:
    path = file.store.local_path(file.entry.path)
    try:
        with pa.OSFile(path) if path is not None else pa.PythonFile(file.open(), "rb") as source:
            opened = pq.ParquetFile(source)
            schema = opened.schema_arrow
            names = [name for name in schema.names if wanted(name)]
            condition = None
            for one in conditions if limit is None else ():
                more = pushed_down(one, schema)
                if more is not None:
                    condition = more if condition is None else condition & more
            if limit is not None:
                table = _first_rows(opened, names, limit)
            elif condition is not None and names:
                source.seek(0)
                table = pq.read_table(source, columns=names, filters=condition, partitioning=None)
            else:
                table = opened.read(columns=names)
            count = table.num_rows if names else opened.metadata.num_rows
    except FileNotFoundError:
        raise SourceMissing(file.shown_path) from None
    except pa.ArrowInvalid as problem:
        raise DataInvalid(f"no Parquet file: {problem}", file=file.shown_path) from problem
    columns = {name: table.column(index) for index, name in enumerate(names)}
    return Piece(file, count, columns), (schema.metadata or {}).get(b"pandas")


def _first_rows(opened: Any, names: Sequence[str], limit: int) -> Any:
    batches: list[Any] = []
    left = limit
    for batch in opened.iter_batches(batch_size=max(min(limit, 65_536), 1), columns=list(names)):
        batches.append(batch.slice(0, left))
        left -= len(batches[-1])
        if left <= 0:
            break
    schema = pa.schema([opened.schema_arrow.field(name) for name in names])
    return pa.Table.from_batches(batches, schema=batches[0].schema if batches else schema)
