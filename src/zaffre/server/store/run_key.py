"""What the tables of metrics, files and logs know a run by.

`runs.run_key` is the number that their rows carry. It never changes, nor do a run's workspace,
parent and experiment.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from zaffre.contract.errors import NotFound
from zaffre.server.store.database import Prepared, Transaction
from zaffre.server.store.tables import runs


@dataclass(frozen=True)
class RunKey:
    """A run as far as its data's tables go. state: as read, the only part that changes."""

    run_key: int
    run_id: str
    workspace_id: str
    experiment_name: str
    parent_run_id: str | None
    state: str
    experiment_id: str


_columns = (
    runs.c.run_key,
    runs.c.run_id,
    runs.c.workspace_id,
    runs.c.experiment_name,
    runs.c.parent_run_id,
    runs.c.state,
    runs.c.experiment_id,
)
_by_id = Prepared(sa.select(*_columns).where(runs.c.run_id == sa.bindparam("run_id")))


def find(tx: Transaction, run_id: str) -> RunKey | None:
    """Return the run's key, or None."""
    row = tx.fetch_one(_by_id, {"run_id": run_id})
    return RunKey(*row) if row is not None else None


def get(tx: Transaction, run_id: str) -> RunKey:
    """Return the run's key. Raises NotFound."""
    found = find(tx, run_id)
    if found is None:
        raise NotFound("run", run_id)
    return found


def ancestors(tx: Transaction, run: RunKey) -> list[str]:
    """Return the ids of the runs above `run`, nearest first."""
    above: list[str] = []
    parent = run.parent_run_id
    while parent is not None and parent not in above:
        above.append(parent)
        parent = tx.execute(
            sa.select(runs.c.parent_run_id).where(runs.c.run_id == parent)
        ).scalar_one_or_none()
    return above


def with_descendants(tx: Transaction, run: RunKey) -> list[tuple[int, str]]:
    """Return key and id of `run` and of all runs below it, oldest first."""
    below = (
        sa.select(runs.c.run_key, runs.c.run_id)
        .where(runs.c.run_key == run.run_key)
        .cte("below", recursive=True)
    )
    below = below.union(
        sa.select(runs.c.run_key, runs.c.run_id).where(runs.c.parent_run_id == below.c.run_id)
    )
    rows = tx.execute(sa.select(below.c.run_key, below.c.run_id).order_by(below.c.run_key))
    return [(row.run_key, row.run_id) for row in rows]
