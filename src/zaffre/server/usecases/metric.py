"""Metrics of runs, read back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zaffre.contract.errors import Invalid, NotFound
from zaffre.server.access import Caller, require
from zaffre.server.store import metric as metrics
from zaffre.server.store import run_key as run_keys
from zaffre.server.store.metric import Buckets, Columns, Metric
from zaffre.server.store.store import Store

#: Most points of one slice, most buckets of one chart.
SLICE_MAX = 1_000_000
BUCKETS_MAX = 10_000

_NO_POINTS = Columns((), (), ())


@dataclass(frozen=True)
class Slice:
    """Points of one metric. point_count: how many it has in all."""

    metric: Metric
    first_position: int
    columns: Columns


def get_all(
    run_id: str,
    name: str | None,
    *,
    recursive: bool,
    caller: Caller,
    store: Store,
) -> dict[str, list[dict[str, Any]]]:
    """Return the whole series of a run, and if asked of all runs below it, by run id.

    A run without metrics has an empty list. Series stand in the order of their first record.
    """
    with store.database.reading() as tx:
        run = run_keys.get(tx, run_id)
        require(caller, "metric.read", run.workspace_id)
        runs = run_keys.with_descendants(tx, run) if recursive else [(run.run_key, run.run_id)]
        found = metrics.find_all(tx, [key for key, _ in runs], name)
        columns = metrics.read_all(tx, found)
    answer: dict[str, list[dict[str, Any]]] = {run_id: [] for _, run_id in runs}
    ids = dict(runs)
    for metric in found:
        series = as_series(metric, columns.get(metric.metric_key, _NO_POINTS))
        answer[ids[metric.run_key]].append(series)
    return answer


def get_slice(
    run_id: str, name: str, *, after: int, limit: int, caller: Caller, store: Store
) -> Slice:
    """Return the points of a metric behind position `after`, at most `limit`."""
    if not 1 <= limit <= SLICE_MAX:
        raise Invalid("limit", f"must be from 1 to {SLICE_MAX}")
    if not -1 <= after < 2**53:
        raise Invalid("after", "must be a position, or -1 for the start")
    with store.database.reading() as tx:
        run = run_keys.get(tx, run_id)
        require(caller, "metric.read", run.workspace_id)
        metric = metrics.find(tx, run.run_key, name)
        if metric is None:
            raise NotFound("metric", name)
        columns = metrics.read(tx, metric.metric_key, first=after + 1, limit=limit)
    return Slice(metric, after + 1, columns)


def get_buckets(
    run_id: str, name: str, count: int, *, caller: Caller, store: Store
) -> tuple[Metric, Buckets]:
    """Return a metric's points in at most `count` buckets."""
    if not 1 <= count <= BUCKETS_MAX:
        raise Invalid("buckets", f"must be from 1 to {BUCKETS_MAX}")
    with store.database.reading() as tx:
        run = run_keys.get(tx, run_id)
        require(caller, "metric.read", run.workspace_id)
        metric = metrics.find(tx, run.run_key, name)
        if metric is None:
            raise NotFound("metric", name)
        return metric, metrics.read_buckets(tx, metric, count)


def as_series(metric: Metric, columns: Columns) -> dict[str, Any]:
    """Return `contract.metric.MetricSeries` as what msgspec encodes fastest."""
    return {
        "name": metric.name,
        "kind": metric.kind,
        "values": columns.values,
        "steps": columns.steps,
        "times": columns.times,
    }
