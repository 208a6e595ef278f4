"""Metrics read back: series whole, in slices, and in buckets for charts.

Points are read through the driver and stay columns of plain values up to the answer: an object a
point would cost more than the query. What `text` holds is JSON already and is sent as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa

from zaffre.server.store.database import Transaction
from zaffre.server.store.spool import Driver, PostgresDriver, SqliteDriver
from zaffre.server.store.tables import metrics

#: Metrics of fewer points are read many by one query.
_SMALL = 1_000
_SLICE = 500
#: How the fields of `Columns` are stored.
_STORED_AS = {"values": "number, text", "steps": "step", "times": "at"}


@dataclass(frozen=True)
class Metric:
    """One metric of one run, without its points. kind: of the last record stored."""

    metric_key: int
    run_key: int
    name: str
    kind: str
    description: str | None
    point_count: int


@dataclass(frozen=True)
class Columns:
    """Points as columns of one length; a value is a number or msgspec.Raw."""

    values: Sequence[Any]
    steps: Sequence[int | None]
    times: Sequence[float]


@dataclass(frozen=True)
class Buckets:
    """Points put into buckets of neighbours, for charts.

    number_count: the finite numbers among count; minimum, maximum and mean are None without any,
    and last is if the bucket's newest value is none.
    """

    position: Sequence[int]
    count: Sequence[int]
    number_count: Sequence[int]
    minimum: Sequence[float | None]
    maximum: Sequence[float | None]
    mean: Sequence[float | None]
    last: Sequence[float | None]
    step: Sequence[int | None]
    time: Sequence[float]


_columns = (
    metrics.c.metric_key,
    metrics.c.run_key,
    metrics.c.name,
    metrics.c.kind,
    metrics.c.description,
    metrics.c.point_count,
)


def find(tx: Transaction, run_key: int, name: str) -> Metric | None:
    """Return the metric of that name, or None."""
    row = tx.execute(
        sa.select(*_columns).where(metrics.c.run_key == run_key, metrics.c.name == name)
    ).first()
    return Metric(*row) if row is not None else None


def find_all(tx: Transaction, run_keys: Sequence[int], name: str | None = None) -> list[Metric]:
    """Return the metrics of runs in the order in which they were first logged."""
    found: list[Metric] = []
    for start in range(0, len(run_keys), _SLICE):
        query = sa.select(*_columns).where(metrics.c.run_key.in_(run_keys[start : start + _SLICE]))
        if name is not None:
            query = query.where(metrics.c.name == name)
        found += [Metric(*row) for row in tx.execute(query.order_by(metrics.c.metric_key))]
    return found


def read_all(tx: Transaction, wanted: Iterable[Metric]) -> dict[int, Columns]:
    """Return all points of metrics, by metric_key."""
    driver = _driver(tx)
    columns: dict[int, Columns] = {}
    small: list[int] = []
    for metric in wanted:
        if metric.point_count < _SMALL:
            small.append(metric.metric_key)
        else:
            columns[metric.metric_key] = read(tx, metric.metric_key)
    for start in range(0, len(small), _SLICE):
        keys = small[start : start + _SLICE]
        marks = ",".join("?" * len(keys))
        rows = driver.execute(
            "SELECT number, text, step, at, metric_key FROM points"
            " WHERE metric_key IN (KEYS) ORDER BY metric_key, position".replace("KEYS", marks),
            tuple(keys),
        ).fetchall()
        by_key: dict[int, list[Any]] = {}
        for row in rows:
            by_key.setdefault(row[4], []).append(row)
        for key, points in by_key.items():
            columns[key] = _as_columns(points)
    return columns


def read_newest(tx: Transaction, wanted: Sequence[Metric]) -> dict[int, Columns]:
    """Return the last point of metrics, by metric_key."""
    driver = _driver(tx)
    columns: dict[int, Columns] = {}
    for start in range(0, len(wanted), _SLICE):
        keys = tuple(metric.metric_key for metric in wanted[start : start + _SLICE])
        rows = driver.execute(
            "SELECT p.number, p.text, p.step, p.at, p.metric_key FROM metrics AS m"
            " JOIN points AS p ON p.metric_key = m.metric_key AND p.position = m.point_count - 1"
            " WHERE m.metric_key IN (KEYS)".replace("KEYS", ",".join("?" * len(keys))),
            keys,
        )
        columns |= {row[4]: _as_columns([row]) for row in rows.fetchall()}
    return columns


def read(tx: Transaction, metric_key: int, *, first: int = 0, limit: int | None = None) -> Columns:
    """Return the points of a metric from position `first` on, at most `limit`."""
    end = 2**62 if limit is None else first + limit
    rows = _driver(tx).execute(
        "SELECT number, text, step, at FROM points"
        " WHERE metric_key = ? AND position >= ? AND position < ? ORDER BY position",
        (metric_key, first, end),
    )
    return _as_columns(rows.fetchall())


def read_column(
    tx: Transaction, metric_key: int, column: str, *, first: int, end: int
) -> Sequence[Any]:
    """Return one of `Columns`' columns of a metric, of the positions from `first` to `end`."""
    rows = (
        _driver(tx)
        .execute(
            "SELECT COLUMNS FROM points WHERE metric_key = ? AND position >= ? AND position < ?"
            " ORDER BY position".replace("COLUMNS", _STORED_AS[column]),
            (metric_key, first, end),
        )
        .fetchall()
    )
    if column == "values":
        return _values([row[0] for row in rows], [row[1] for row in rows])
    return [row[0] for row in rows]


def read_buckets(tx: Transaction, metric: Metric, bucket_count: int) -> Buckets:
    """Return a metric's points in at most `bucket_count` buckets of equal numbers of points."""
    count = metric.point_count
    size = -(-count // bucket_count) or 1
    key = metric.metric_key
    rows = _driver(tx).execute(
        _BUCKETS, (size, key, size, size, count, key, size, count, size, count)
    )
    columns = list(zip(*rows.fetchall(), strict=True)) or [()] * 8
    position = columns[0]
    counts = [min(size, count - first) for first in position]
    return Buckets(position, counts, *columns[1:])


#: Groups by the bucket's first point, which comes by the primary key in order: half the time of
#: grouping by a quotient of the position, for which SQLite sorts all points.
_BUCKETS = """
SELECT b.position, b.number_count, b.minimum, b.maximum, b.mean, l.number, b.step, b.at FROM (
    SELECT s.position AS position, COUNT(p.number) AS number_count, MIN(p.number) AS minimum,
        MAX(p.number) AS maximum, AVG(p.number) AS mean, s.step AS step, s.at AS at
    FROM points AS s JOIN points AS p ON p.metric_key = s.metric_key
        AND p.position >= s.position AND p.position < s.position + ?
    WHERE s.metric_key = ? AND s.position / ? * ? = s.position AND s.position < ?
    GROUP BY s.metric_key, s.position
) AS b JOIN points AS l ON l.metric_key = ?
    AND l.position = CASE WHEN b.position + ? < ? THEN b.position + ? ELSE ? END - 1
ORDER BY b.position
"""


def _as_columns(rows: list[Any]) -> Columns:
    if not rows:
        return Columns((), (), ())
    numbers, texts, steps, times, *_ = zip(*rows, strict=True)
    return Columns(_values(numbers, texts), steps, times)


def _values(numbers: Sequence[Any], texts: Sequence[str | None]) -> Sequence[Any]:
    if not any(texts):
        return numbers
    return [
        number if text is None else msgspec.Raw(text.encode())
        for number, text in zip(numbers, texts, strict=True)
    ]


def _driver(tx: Transaction) -> Driver:
    raw: Any = tx.connection.connection.driver_connection
    return PostgresDriver(raw) if tx.connection.dialect.name == "postgresql" else SqliteDriver(raw)
