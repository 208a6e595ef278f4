"""SQL of removing for good: runs, experiments and workspaces, with all that hangs on them.

What hangs on a run has its `run_key` (or `metric_key`), what hangs on a workspace its
`workspace_id`: the tables are asked which do, so that a new one is not forgotten here. Files go
after the commit; blobs are left to the garbage collection.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from zaffre.contract.run import FINAL
from zaffre.server.store.database import Transaction
from zaffre.server.store.tables import (
    attempts,
    blob_uses,
    experiments,
    metadata,
    metrics,
    points,
    runs,
    snapshots,
    tokens,
    workspaces,
)

_OF_RUN = [table for table in metadata.sorted_tables if "run_key" in table.c and table is not runs]
_OF_METRIC = [
    table for table in metadata.sorted_tables if "metric_key" in table.c and table is not metrics
]
_OF_WORKSPACE = [
    table
    for table in metadata.sorted_tables
    if "workspace_id" in table.c and table not in (workspaces, experiments, runs)
]


@dataclass(frozen=True)
class RunLeft:
    """A run that is to go: its row, its folders on this machine, its metrics and their lengths."""

    run_key: int
    run_id: str
    folders: tuple[Path, ...]
    metrics: tuple[tuple[int, int], ...]


def find_unfinished(
    tx: Transaction, *, experiment_id: str | None = None, workspace_id: str | None = None
) -> list[str]:
    """Return ids of runs that have not ended, or whose last attempt still ships; newest first."""
    ships = sa.select(sa.literal(1)).where(
        attempts.c.run_key == runs.c.run_key, attempts.c.ended_at.is_(None)
    )
    query = (
        sa.select(runs.c.run_id)
        .where(sa.or_(runs.c.state.not_in([s.value for s in FINAL]), ships.exists()))
        .order_by(runs.c.run_key.desc())
    )
    if experiment_id is not None:
        query = query.where(runs.c.experiment_id == experiment_id)
    if workspace_id is not None:
        query = query.where(runs.c.workspace_id == workspace_id)
    return list(tx.execute(query).scalars())


def find_runs(tx: Transaction, experiment_id: str, limit: int) -> list[RunLeft]:
    """Return up to `limit` runs of an experiment."""
    rows: Any = tx.execute(
        sa.select(runs.c.run_key, runs.c.run_id)
        .where(runs.c.experiment_id == experiment_id)
        .order_by(runs.c.run_key)
        .limit(limit)
    ).all()
    keys = [row.run_key for row in rows]
    folders: dict[int, list[Path]] = {key: [] for key in keys}
    started: Any = tx.execute(
        sa.select(attempts.c.run_key, attempts.c.folder).where(attempts.c.run_key.in_(keys))
    )
    for row in started:
        folders[row.run_key].append(Path(row.folder))
    lengths: dict[int, list[tuple[int, int]]] = {key: [] for key in keys}
    logged: Any = tx.execute(
        sa.select(metrics.c.run_key, metrics.c.metric_key, metrics.c.point_count).where(
            metrics.c.run_key.in_(keys)
        )
    )
    for row in logged:
        lengths[row.run_key].append((row.metric_key, row.point_count))
    return [
        RunLeft(row.run_key, row.run_id, tuple(folders[row.run_key]), tuple(lengths[row.run_key]))
        for row in rows
    ]


def remove_points(tx: Transaction, metric_key: int, start: int, stop: int) -> None:
    """Remove the points of a metric at positions from `start` to before `stop`."""
    tx.execute(
        sa.delete(points).where(
            points.c.metric_key == metric_key,
            points.c.position >= start,
            points.c.position < stop,
        )
    )


def remove_runs(tx: Transaction, gone: Sequence[RunLeft], *, now: float) -> None:
    """Remove runs' rows. What is below one in another experiment has no parent any more."""
    keys = [run.run_key for run in gone]
    ids = [run.run_id for run in gone]
    held = sa.select(runs.c.snapshot_id).where(runs.c.run_key.in_(keys))
    # From now on their snapshots are kept as if they had just been sent: somebody may have been
    # told that they are here.
    tx.execute(sa.update(snapshots).where(snapshots.c.snapshot_id.in_(held)).values(created_at=now))
    of_runs = sa.select(metrics.c.metric_key).where(metrics.c.run_key.in_(keys))
    for table in _OF_METRIC:
        tx.execute(sa.delete(table).where(table.c.metric_key.in_(of_runs)))
    for table in _OF_RUN:
        tx.execute(sa.delete(table).where(table.c.run_key.in_(keys)))
    tx.execute(sa.delete(tokens).where(tokens.c.run_id.in_(ids)))
    tx.execute(sa.delete(runs).where(runs.c.run_key.in_(keys)))
    tx.execute(sa.update(runs).where(runs.c.parent_run_id.in_(ids)).values(parent_run_id=None))
    tx.execute(sa.update(runs).where(runs.c.root_run_id.in_(ids)).values(root_run_id=runs.c.run_id))
    tx.notify("tokens")


def find_due_experiments(tx: Transaction, now: float) -> list[tuple[str, float]]:
    """Return (id, removal_at) of experiments whose runs are to go."""
    query = sa.select(experiments.c.experiment_id, experiments.c.removal_at).where(
        experiments.c.removal_at <= now
    )
    rows: Any = tx.execute(query)
    return [tuple(row) for row in rows]


def find_due_workspaces(tx: Transaction, now: float) -> list[tuple[str, float]]:
    """Return (id, removal_at) of workspaces that are to go."""
    query = sa.select(workspaces.c.workspace_id, workspaces.c.removal_at).where(
        workspaces.c.removal_at <= now
    )
    rows: Any = tx.execute(query)
    return [tuple(row) for row in rows]


def remove_experiment(tx: Transaction, experiment_id: str) -> None:
    """Remove an experiment's row; its runs must be gone."""
    tx.execute(sa.delete(experiments).where(experiments.c.experiment_id == experiment_id))


def remove_content(tx: Transaction, workspace_id: str) -> None:
    """Remove what a workspace holds besides experiments and runs, and its hold on blobs."""
    tx.execute(sa.delete(blob_uses).where(blob_uses.c.owner.startswith(f"{workspace_id}/")))
    for table in _OF_WORKSPACE:
        tx.execute(sa.delete(table).where(table.c.workspace_id == workspace_id))


def remove_workspace(tx: Transaction, workspace_id: str) -> None:
    """Remove a workspace's row, unless an experiment of it is left."""
    left = sa.select(sa.literal(1)).where(experiments.c.workspace_id == workspace_id)
    tx.execute(
        sa.delete(workspaces).where(
            workspaces.c.workspace_id == workspace_id, sa.not_(left.exists())
        )
    )
