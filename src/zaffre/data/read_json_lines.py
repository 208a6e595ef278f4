"""JSON lines: the values of each column as JSON types them, mixtures kept."""

from __future__ import annotations

import json
from typing import Any, Sequence

from zaffre.data.arrow import pa
from zaffre.data.delimited_layout import opened
from zaffre.data.errors import DataInvalid
from zaffre.data.infer import is_exact
from zaffre.data.sources import SourceFile
from zaffre.data.table import Rows, Wanted


def read(
    files: Sequence[SourceFile],
    *,
    encoding: str,
    drop_invalid: bool,
    wanted: Wanted,
    limit: int | None,
) -> Rows:
    """Read the files' rows, the first `limit` of them; wanted: which columns to keep.

    Integers and fractions in one column are floats where that is exact; any other mixture is
    text: texts as they are, all else as JSON. Blank lines are no rows.
    """
    values: dict[str, list[Any]] = {}
    counts: list[tuple[SourceFile, int]] = []
    total = 0
    for file in files:
        start = total
        with opened(file, encoding) as lines:
            try:
                for number, line in enumerate(lines, start=1):
                    if total == limit:
                        break
                    record = _record(line, file, number, drop_invalid=drop_invalid)
                    if record is None:
                        continue
                    for name, value in record.items():
                        if wanted(name):
                            column = values.setdefault(name, [])
                            column += [None] * (total - len(column))
                            column.append(value)
                    total += 1
            except UnicodeDecodeError as problem:
                raise DataInvalid(str(problem), file=file.shown_path) from problem
        counts.append((file, total - start))
        if total == limit:
            break
    columns = {
        name: _column(cells + [None] * (total - len(cells))) for name, cells in values.items()
    }
    return Rows(columns, counts)


def _record(
    line: str, file: SourceFile, number: int, *, drop_invalid: bool
) -> dict[str, Any] | None:
    text = line.strip().lstrip("\ufeff")
    if not text:
        return None
    try:
        record = json.loads(text)
    except ValueError as problem:
        if drop_invalid:
            return None
        raise DataInvalid(f"no JSON: {problem}", file=file.shown_path, row=number) from problem
    if isinstance(record, dict):
        return record
    if drop_invalid:
        return None
    raise DataInvalid("the line is no JSON object", file=file.shown_path, row=number)


def _column(values: list[Any]) -> Any:
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float}:
        integers = [value for value in values if type(value) is int]
        if float in kinds:
            if all(is_exact(value) for value in integers):
                return pa.chunked_array([pa.array(values, pa.float64())])
        elif all(-(2**63) <= value < 2**63 for value in integers):
            return pa.chunked_array([pa.array(values, pa.int64() if kinds else pa.string())])
    elif len(kinds) == 1:
        try:
            return pa.chunked_array([pa.array(values)])
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
            pass  # a list or an object of mixed values
    return pa.chunked_array([pa.array([_text(value) for value in values], pa.string())])


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
