"""What a definition's steps ask of the reader: which columns, which types, how many rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Sequence

from zaffre.contract.dataset import Definition, Step
from zaffre.contract.errors import Invalid
from zaffre.data.filter import columns_of, error_columns_of
from zaffre.data.partition import PartitionFormat
from zaffre.data.table import Wanted

_READS = ("read_delimited", "read_parquet", "read_json_lines")
#: Steps that change which rows there are by their place alone.
_BY_PLACE = ("take", "skip", "take_sample", "random_split")
_BY_VALUE = ("filter", "time_filter")


@dataclass(frozen=True)
class Plan:
    """A definition of rows, taken apart.

    read: how files are read. steps: what is done to the rows, in order; types that are asked for
    before any filter are in `asked` instead. row_limit: how many rows of the source are needed;
    None for all of them. grows: whether a later `take` may need fewer, which only reading tells.
    conditions: filters on the rows as they are read.
    """

    read: Step
    steps: tuple[Step, ...]
    asked: dict[str, Any]
    partition: PartitionFormat | None
    partition_last: bool
    row_limit: int | None
    grows: bool
    conditions: tuple[dict[str, Any], ...]
    error_columns: frozenset[str]
    wanted: Wanted


def make_plan(definition: Definition) -> Plan:
    """Return the plan of a tabular definition."""
    if not definition.steps or definition.steps[0].name not in _READS:
        raise Invalid("definition", f"must begin with one of {', '.join(_READS)}")
    asked: dict[str, Any] = {}
    steps: list[Step] = []
    partition: PartitionFormat | None = None
    partition_last = False
    values_seen = False
    for step in definition.steps[1:]:
        if step.name == "extract_partitions":
            partition = PartitionFormat(step.options["partition_format"])
            partition_last = step.options.get("position") == "last"
        elif step.name == "convert_column_types" and not values_seen:
            for one in step.options["columns"]:
                named = one["columns"]
                for name in [named] if isinstance(named, str) else named:
                    asked[name] = one["column_type"]
        else:
            values_seen = values_seen or step.name in _BY_VALUE
            steps.append(step)
    return Plan(
        read=definition.steps[0],
        steps=tuple(steps),
        asked=asked,
        partition=partition,
        partition_last=partition_last,
        row_limit=_row_limit(steps),
        grows=any(step.name == "take" for step in steps),
        conditions=_conditions(steps),
        error_columns=frozenset(
            name
            for step in steps
            if step.name == "filter"
            for name in error_columns_of(step.options["expression"])
        ),
        wanted=_wanted(steps),
    )


def _row_limit(steps: Sequence[Step]) -> int | None:
    """Return how many rows are needed by the steps that come before any that drops rows."""
    limit: int | None = None
    skipped = 0
    for step in steps:
        if step.name == "take":
            most = skipped + step.options["count"]
            limit = most if limit is None else min(limit, most)
        elif step.name == "skip":
            skipped += step.options["count"]
        elif step.name in _BY_PLACE or step.name in _BY_VALUE:
            break
    return limit


def _conditions(steps: Sequence[Step]) -> tuple[dict[str, Any], ...]:
    """Return the filters that come before any step by place, on columns that are all there."""
    found: list[dict[str, Any]] = []
    for step in steps:
        if step.name == "filter":
            found.append(step.options["expression"])
        elif step.name != "timestamp_columns":
            break
    return tuple(found)


def _wanted(steps: Sequence[Step]) -> Wanted:
    """Return which columns the steps need: kept ones, and those that they look at before."""
    kept: set[str] | None = None
    dropped: set[str] = set()
    for step in reversed(steps):
        if step.name == "keep_columns":
            names = set(step.options["columns"])
            kept = names if kept is None else kept & names
        elif step.name == "drop_columns":
            dropped |= set(step.options["columns"])
        else:
            used = _used(step)
            dropped -= used
            if kept is not None:
                kept |= used
    return lambda name: name not in dropped and (kept is None or name in kept)


def _used(step: Step) -> set[str]:
    if step.name == "filter":
        return columns_of(step.options["expression"])
    if step.name == "time_filter":
        names = (step.options["timestamp"], step.options["partition_timestamp"])
        return {name for name in names if name is not None}
    return set()
