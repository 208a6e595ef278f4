"""Spools and the points of metrics: what a batch writes, by the drivers' own bulk paths.

These functions take a raw driver connection (`Database.driver_turn`) within a transaction that
the caller began: SQLAlchemy would double the time of a batch. The two drivers agree on `execute`,
on ON CONFLICT and on RETURNING; they differ in the mark of a parameter and in how many rows come
in at once (sqlite3: executemany; psycopg: COPY).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa

from zaffre.contract.errors import OffsetConflict
from zaffre.server.store.database import Transaction
from zaffre.server.store.tables import spools

#: number, text, step, at of one point: the columns of `points` behind its position.
Point = tuple[float | None, str | None, int | None, float]

#: From so many points on, COPY beats one statement with many parameters.
_COPY_FROM = 4


@dataclass(frozen=True)
class MetricPoints:
    """The points that one batch adds to one metric, in the order of the spool.

    last_number: the newest value if it is a finite number or a bool; min_number and max_number:
    the least and the largest of those.
    """

    run_key: int
    experiment_id: str
    name: str
    kind: str
    description: str | None
    last_number: float | None
    min_number: float | None
    max_number: float | None
    points: list[Point]


class Driver(Protocol):
    """One database through its driver: a connection in a transaction of the caller's."""

    def execute(self, statement: str, parameters: tuple[Any, ...] = ()) -> Any:
        """Execute one statement, with '?' for parameters."""
        ...

    def insert_points(self, rows: list[tuple[Any, ...]]) -> None:
        """Insert rows of metric_key, position, number, text, step, at."""
        ...


class SqliteDriver:
    """SQLite by sqlite3."""

    def __init__(self, connection: Any) -> None:
        self.execute = connection.execute
        self._executemany = connection.executemany

    def insert_points(self, rows: list[tuple[Any, ...]]) -> None:
        """Insert rows of metric_key, position, number, text, step, at."""
        self._executemany("INSERT INTO points VALUES (?,?,?,?,?,?)", rows)


class PostgresDriver:
    """PostgreSQL by psycopg."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def execute(self, statement: str, parameters: tuple[Any, ...] = ()) -> Any:
        """Execute one statement, with '?' for parameters."""
        return self._connection.execute(statement.replace("?", "%s"), parameters)

    def insert_points(self, rows: list[tuple[Any, ...]]) -> None:
        """Insert rows of metric_key, position, number, text, step, at."""
        columns = "metric_key, position, number, text, step, at"
        with self._connection.cursor() as cursor:
            if len(rows) < _COPY_FROM:
                cursor.executemany(
                    f"INSERT INTO points ({columns}) VALUES (%s,%s,%s,%s,%s,%s)",  # noqa: S608
                    rows,
                )
                return
            with cursor.copy(f"COPY points ({columns}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)


def move_offset(
    driver: Driver, spool_id: str, run_key: int, *, start: int, end: int, skipped_count: int
) -> None:
    """Move a spool's offset from `start` to `end`, or raise OffsetConflict saying where it is.

    The first statement of a batch's transaction: whoever sends the same range at the same time
    waits here, and is refused.
    """
    moved = driver.execute(
        "UPDATE spools SET offset_bytes = ?, skipped_count = skipped_count + ?"
        " WHERE spool_id = ? AND offset_bytes = ?",
        (end, skipped_count, spool_id, start),
    )
    if moved.rowcount == 1:
        return
    if start == 0:
        made = driver.execute(
            "INSERT INTO spools (spool_id, run_key, offset_bytes, skipped_count)"
            " VALUES (?,?,?,?) ON CONFLICT (spool_id) DO NOTHING",
            (spool_id, run_key, end, skipped_count),
        )
        if made.rowcount == 1:
            return
    row = driver.execute(
        "SELECT offset_bytes FROM spools WHERE spool_id = ?", (spool_id,)
    ).fetchone()
    raise OffsetConflict("This spool", offset=row[0] if row is not None else 0)


def add_skipped(driver: Driver, spool_id: str, count: int) -> None:
    """Count records of a batch that could not be taken."""
    driver.execute(
        "UPDATE spools SET skipped_count = skipped_count + ? WHERE spool_id = ?", (count, spool_id)
    )


def add_points(driver: Driver, metrics: list[MetricPoints]) -> None:
    """Append points to their metrics; positions go on from each metric's point_count.

    Metrics are taken in one order everywhere, so that two batches cannot wait for each other.
    """
    rows: list[tuple[Any, ...]] = []
    for metric in sorted(metrics, key=lambda m: (m.run_key, m.name)):
        count = len(metric.points)
        metric_key, point_count = driver.execute(
            "INSERT INTO metrics (run_key, name, kind, description, point_count, last_number,"
            " min_number, max_number, experiment_id) VALUES (?,?,?,?,?,?,?,?,?)"
            " ON CONFLICT (run_key, name) DO UPDATE SET"
            " point_count = metrics.point_count + excluded.point_count,"
            " kind = excluded.kind, last_number = excluded.last_number,"
            " experiment_id = excluded.experiment_id,"
            " min_number = CASE WHEN metrics.min_number IS NULL"
            " OR excluded.min_number < metrics.min_number"
            " THEN excluded.min_number ELSE metrics.min_number END,"
            " max_number = CASE WHEN metrics.max_number IS NULL"
            " OR excluded.max_number > metrics.max_number"
            " THEN excluded.max_number ELSE metrics.max_number END,"
            " description = COALESCE(excluded.description, metrics.description)"
            " RETURNING metric_key, point_count",
            (
                metric.run_key,
                metric.name,
                metric.kind,
                metric.description,
                count,
                metric.last_number,
                metric.min_number,
                metric.max_number,
                metric.experiment_id,
            ),
        ).fetchone()
        if count == 1:
            rows.append((metric_key, point_count - 1, *metric.points[0]))
        else:
            first = point_count - count
            rows += [
                (metric_key, position, *point)
                for position, point in enumerate(metric.points, start=first)
            ]
    driver.insert_points(rows)


def find_offset(tx: Transaction, spool_id: str) -> int:
    """Return how far a spool is stored; 0 for one that the store does not know."""
    offset = tx.execute(
        sa.select(spools.c.offset_bytes).where(spools.c.spool_id == spool_id)
    ).scalar_one_or_none()
    return offset or 0
