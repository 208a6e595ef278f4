"""Carries out a tabular definition: reads what its plan needs, then takes the steps in order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Mapping, Sequence

import numpy as np

from zaffre.contract.dataset import ENCODINGS, Definition, Step
from zaffre.data import convert, read_delimited, read_json_lines, read_parquet
from zaffre.data.arrow import pa, pc
from zaffre.data.chance import fractions
from zaffre.data.delimited_layout import delimited
from zaffre.data.errors import DataInvalid
from zaffre.data.filter import error_column, mask
from zaffre.data.plan import Plan, make_plan
from zaffre.data.sources import SourceFile, Stores, locate
from zaffre.data.table import Rows

#: A `take` behind a filter first tries so many rows of the source, then each time more.
_FIRST_TRY_ROWS = 1_000
_MORE = 8
PATH = "Path"


@dataclass
class Result:
    """The rows of a dataset. table: a pyarrow Table. problems: one error for each column in which
    a value was none of the type that the user set, which is null here. pandas: what Parquet files
    say of pandas' types.
    """

    table: Any
    problems: list[DataInvalid]
    pandas: bytes | None


def run(definition: Definition, stores: Stores, *, most: int | None = None) -> Result:
    """Return the rows, at most the first `most` of them."""
    plan = make_plan(definition)
    files = _pruned(locate(definition, stores), plan)
    if most is not None:
        steps = (*plan.steps, Step("take", {"count": most}))
        own = definition.steps[:1]
        limited = make_plan(replace(definition, steps=(*own, *steps)))
        plan = replace(plan, steps=steps, row_limit=limited.row_limit, grows=True)
    limit = plan.row_limit
    if limit is not None or not plan.grows:
        return _run(files, plan, limit)[0]
    limit = _FIRST_TRY_ROWS
    while True:
        result, read_count = _run(files, plan, limit)
        # Each step gives for the first rows the first of its rows, so a full take is final.
        if read_count < limit or _is_full(result, plan):
            return result
        limit *= _MORE


def _is_full(result: Result, plan: Plan) -> bool:
    """Say whether no further row could come through the plan's takes."""
    last = max(i for i, step in enumerate(plan.steps) if step.name == "take")
    skipped = sum(s.options["count"] for s in plan.steps[last + 1 :] if s.name == "skip")
    dropping = any(s.name not in ("skip", "keep_columns", "drop_columns", "timestamp_columns")
                   for s in plan.steps[last + 1 :])  # fmt: skip
    wanted = plan.steps[last].options["count"] - skipped
    return not dropping and result.table.num_rows >= max(wanted, 0)


def _run(files: Sequence[SourceFile], plan: Plan, limit: int | None) -> tuple[Result, int]:
    rows = _read(files, plan, limit)
    read_count = rows.count
    table = _table(rows, plan)
    problems, pandas = rows.problems, rows.pandas
    # The table alone holds the columns now, so that a step's input is freed when it is done.
    del rows
    for step in plan.steps:
        table = _take_step(table, step)
    seen = [name for name in table.column_names if "\0" not in name]
    if len(seen) < table.num_columns:
        table = table.select(seen)
    if not seen and read_count:
        raise DataInvalid("The dataset contains no columns; keep at least one.")
    return Result(table, problems, pandas), read_count


def _read(files: Sequence[SourceFile], plan: Plan, limit: int | None) -> Rows:
    options = plan.read.options
    if plan.read.name == "read_delimited":
        return read_delimited.read(
            files,
            delimited(options),
            known=options.get("inferred_types") or {},
            asked=plan.asked,
            infer_unknown=options["infer_column_types"],
            wanted=plan.wanted,
            limit=limit,
        )
    if plan.read.name == "read_parquet":
        conditions = [] if plan.asked else plan.conditions
        rows = read_parquet.read(files, wanted=plan.wanted, conditions=conditions, limit=limit)
    else:
        rows = read_json_lines.read(
            files,
            encoding=ENCODINGS[options["encoding"]],
            drop_invalid=options["invalid_lines"] == "drop",
            wanted=plan.wanted,
            limit=limit,
        )
    return _as_asked(rows, plan.asked)


def _as_asked(rows: Rows, asked: Mapping[str, Any]) -> Rows:
    """Return rows whose columns have the types that were set."""
    columns, failed, problems = dict(rows.columns), dict(rows.failed), list(rows.problems)
    for name, kind in asked.items():
        if name not in columns:
            continue
        texts = as_text(columns[name])
        columns[name], failed[name] = convert.as_asked(texts, kind)
        if failed[name].any():
            index = int(failed[name].argmax())
            file, row = Rows.place(rows.files, index)
            shown = kind if isinstance(kind, str) else next(iter(kind))
            reason = f"{texts[index].as_py()!r} is no {shown}"
            problems.append(DataInvalid(reason, file=file.shown_path, row=row, column=name))
    return replace(rows, columns=columns, failed=failed, problems=problems)


def as_text(column: Any) -> Any:
    """Return a column of any plain type as text."""
    if pa.types.is_dictionary(column.type):
        column = pc.cast(column, column.type.value_type)
    return pc.cast(column, pa.string())


# Columns that come from paths


def _path_columns(files: Sequence[SourceFile], plan: Plan) -> dict[str, Any]:
    """Return the columns that paths give, a value a file."""
    found: dict[str, Any] = {}
    paths = [file.shown_path for file in files]
    if plan.read.options.get("include_path"):
        found[PATH] = pa.array(paths, pa.string())
    if plan.partition is not None:
        values = [plan.partition.values(path) or {} for path in paths]
        for name in plan.partition.names:
            kind = pa.timestamp("us") if name in plan.partition.times else pa.string()
            found[name] = pa.array([one.get(name) for one in values], kind)
    return found


def _pruned(files: Sequence[SourceFile], plan: Plan) -> list[SourceFile]:
    """Return the files that filters on the columns of paths alone leave."""
    columns = _path_columns(files, plan) if plan.conditions else {}
    if not columns:
        return list(files)
    table = pa.table(columns)
    from zaffre.data.filter import columns_of

    left = np.ones(len(files), bool)
    for condition in plan.conditions:
        if columns_of(condition) and columns_of(condition) <= set(columns):
            left &= np.array(mask(condition, table).to_pylist(), bool)
    # One file stays for the columns' names and types; the filter itself follows.
    return [file for file, kept in zip(files, left) if kept] or list(files[:1])


def _table(rows: Rows, plan: Plan) -> Any:
    files = [file for file, _ in rows.files]
    which = np.repeat(np.arange(len(files)), [count for _, count in rows.files])
    from_paths = {
        name: pa.chunked_array([values.take(pa.array(which))], values.type)
        for name, values in _path_columns(files, plan).items()
        if plan.wanted(name)
    }
    own = {name: column for name, column in rows.columns.items() if name not in from_paths}
    for name in plan.error_columns & set(rows.columns):
        failed = rows.failed.get(name, np.zeros(rows.count, bool))
        own[error_column(name)] = pa.chunked_array([pa.array(failed)])
    if plan.partition_last and PATH not in from_paths:
        columns = {**own, **from_paths}
    else:
        columns = {**from_paths, **own}
    # A table without columns forgets how many rows it has; then no step needs them either.
    return pa.table(columns)


# Steps


def _take_step(table: Any, step: Step) -> Any:
    options = step.options
    name = step.name
    count = table.num_rows
    if name == "keep_columns":
        kept = set(options["columns"])
        return table.select([c for c in table.column_names if c in kept or "\0" in c])
    if name == "drop_columns":
        dropped = set(options["columns"])
        return table.select([c for c in table.column_names if c not in dropped])
    if name == "take":
        return table.slice(0, options["count"])
    if name == "skip":
        return table.slice(min(options["count"], count))
    if name == "take_sample":
        chance = fractions(options["seed"], "sample", count)
        return table.filter(pa.array(chance < options["probability"]))
    if name == "random_split":
        is_first = fractions(options["seed"], "split", count) < options["percentage"]
        return table.filter(pa.array(is_first if options["part"] == 0 else ~is_first))
    if name == "filter":
        return table.filter(mask(options["expression"], table))
    if name == "time_filter":
        return table.filter(_time_mask(table, options))
    if name == "convert_column_types":
        return _converted(table, options["columns"])
    if name == "timestamp_columns":
        return table
    raise DataInvalid(f"the step {name!r} is not known to this release")


def _converted(table: Any, columns: Sequence[Mapping[str, Any]]) -> Any:
    for one in columns:
        named = one["columns"]
        for name in [named] if isinstance(named, str) else named:
            if name in table.column_names:
                column, _ = convert.as_asked(as_text(table.column(name)), one["column_type"])
                table = table.set_column(table.column_names.index(name), name, column)
    return table


def _time_mask(table: Any, options: Mapping[str, Any]) -> Any:
    """Return which rows are in the time; the partition's column is compared by day."""
    start, end = (options[side] and datetime.fromisoformat(options[side]) for side in
                  ("start", "end"))  # fmt: skip
    moments = _times(table, options["timestamp"])
    kept = np.ones(table.num_rows, bool)
    for limit, with_end, without in ((start, ">=", ">"), (end, "<=", "<")):
        if limit is not None:
            kept &= _compared(moments, with_end if options["include_boundary"] else without, limit)
    if options["partition_timestamp"] is not None:
        days = _times(table, options["partition_timestamp"])
        days = None if days is None else days.astype("datetime64[D]")
        for limit, sign in ((start, ">="), (end, "<=")):
            if limit is not None and days is not None:
                kept &= _compared(
                    days, sign, limit.replace(hour=0, minute=0, second=0, microsecond=0)
                )
    return pa.array(kept)


def _compared(moments: Any, sign: str, limit: datetime) -> Any:
    other = np.datetime64(limit)
    known = ~np.isnat(moments)
    if sign in (">=", ">"):
        return known & ((moments > other) | ((moments == other) & (sign == ">=")))
    return known & ((moments < other) | ((moments == other) & (sign == "<=")))


def _times(table: Any, name: str) -> Any:
    """Return a column's times as numpy holds them: (n,) datetime64[us]."""
    if name not in table.column_names:
        raise DataInvalid("the dataset has no such column", column=name)
    column = table.column(name)
    if pa.types.is_date(column.type):
        column = pc.cast(column, pa.timestamp("us"))
    if not pa.types.is_timestamp(column.type):
        raise DataInvalid(f"a timestamp column must hold datetimes, not {column.type}", column=name)
    column = convert.without_zone(column)
    ticks = pc.cast(pc.cast(column, pa.timestamp("us"), safe=False), pa.int64())
    values = pc.fill_null(ticks, np.iinfo(np.int64).min)  # what numpy calls not a time
    return values.to_numpy().astype("datetime64[us]")
