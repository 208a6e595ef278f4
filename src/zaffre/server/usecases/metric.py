"""Metrics of runs, read back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from zaffre.contract.errors import Invalid, NotFound
from zaffre.server.access import Caller, require
from zaffre.server.store import metric as metrics
from zaffre.server.store import run_key as run_keys
from zaffre.server.store.metric import Buckets, Columns, Metric
from zaffre.server.store.store import Store

#: Most points of one slice, most buckets of one chart.
SLICE_MAX = 200_000
BUCKETS_MAX = 10_000
#: Answers of more points than this are read and sent in pieces.
WHOLE_MAX = 200_000
_SLICE = 20_000
_PIECE_BYTES = 256 << 10

_encode = msgspec.json.Encoder().encode

_NO_POINTS = Columns((), (), ())


@dataclass(frozen=True)
class Slice:
    """Points of one metric. point_count: how many it has in all."""

    metric: Metric
    first_position: int
    columns: Columns


@dataclass(frozen=True)
class Found:
    """Metrics without their points, by run id; a run without metrics has an empty list."""

    runs: dict[str, list[Metric]]

    @property
    def point_count(self) -> int:
        """How many points they have in all."""
        return sum(metric.point_count for found in self.runs.values() for metric in found)


def find_all(
    run_id: str,
    name: str | None,
    *,
    recursive: bool,
    caller: Caller,
    store: Store,
) -> Found:
    """Return the metrics of a run, and if asked of all runs below it.

    Metrics stand in the order of their first record.
    """
    with store.database.reading() as tx:
        run = run_keys.get(tx, run_id)
        require(caller, "metric.read", run.workspace_id)
        runs = run_keys.with_descendants(tx, run) if recursive else [(run.run_key, run.run_id)]
        found: dict[str, list[Metric]] = {run_id: [] for _, run_id in runs}
        ids = dict(runs)
        for metric in metrics.find_all(tx, list(ids), name):
            found[ids[metric.run_key]].append(metric)
    return Found(found)


def read_whole(
    found: Found, *, newest: bool = False, store: Store
) -> dict[str, list[dict[str, Any]]]:
    """Return the whole series of metrics by run id, or with `newest` the last point of each."""
    read = metrics.read_newest if newest else metrics.read_all
    with store.database.reading() as tx:
        columns = read(tx, [one for of_run in found.runs.values() for one in of_run])
    return {
        run_id: [as_series(one, columns.get(one.metric_key, _NO_POINTS)) for one in of_run]
        for run_id, of_run in found.runs.items()
    }


def read_in_pieces(found: Found, *, store: Store) -> Iterator[bytes]:
    """Yield the JSON of `{"runs": read_whole(...)}` piece by piece, in little memory.

    Points that come meanwhile are left out: those that are there already never change.
    """
    held = bytearray()
    for piece in _pieces(found, store):
        held += piece
        if len(held) >= _PIECE_BYTES:
            yield bytes(held)
            held.clear()
    yield bytes(held)


def _pieces(found: Found, store: Store) -> Iterator[bytes]:
    yield b'{"runs":{'
    for number, (run_id, of_run) in enumerate(found.runs.items()):
        yield b"," * bool(number) + _encode(run_id) + b":["
        for position, metric in enumerate(of_run):
            yield b"," * bool(position)
            if metric.point_count > _SLICE:
                yield from _long_series(metric, store)
            else:
                with store.database.reading() as tx:
                    points = metrics.read(tx, metric.metric_key, limit=metric.point_count)
                yield _encode(as_series(metric, points))
        yield b"]"
    yield b"}}"


def _long_series(metric: Metric, store: Store) -> Iterator[bytes]:
    """Yield the JSON of `as_series`, which has one column after the other, slice by slice."""
    yield _encode({"name": metric.name, "kind": metric.kind})[:-1]
    for column in ("values", "steps", "times"):
        yield b',"%b":[' % column.encode()
        for first in range(0, metric.point_count, _SLICE):
            end = min(first + _SLICE, metric.point_count)
            with store.database.reading() as tx:
                part = metrics.read_column(tx, metric.metric_key, column, first=first, end=end)
            yield b"," * bool(first) + _encode(part)[1:-1]
        yield b"]"
    yield b"}"


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
