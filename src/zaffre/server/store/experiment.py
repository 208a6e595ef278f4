"""SQL of experiments."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from zaffre.contract.errors import NotFound
from zaffre.contract.workspace import Experiment
from zaffre.server.store.database import Transaction
from zaffre.server.store.tables import experiments

_columns = (
    experiments.c.experiment_id,
    experiments.c.workspace_id,
    experiments.c.name,
    experiments.c.created_at,
    experiments.c.archived_at,
    experiments.c.tags,
)
_by_id = sa.select(*_columns).where(experiments.c.experiment_id == sa.bindparam("experiment_id"))
_count = (
    sa.update(experiments)
    .where(experiments.c.experiment_id == sa.bindparam("of_id"))
    .values(run_count=experiments.c.run_count + sa.bindparam("added"))
    .returning(*_columns, experiments.c.run_count)
)


def _read(row: Any) -> Experiment:
    return Experiment(
        experiment_id=row.experiment_id,
        workspace_id=row.workspace_id,
        name=row.name,
        created_at=datetime.fromtimestamp(row.created_at, UTC),
        archived_at=(
            None if row.archived_at is None else datetime.fromtimestamp(row.archived_at, UTC)
        ),
        tags=msgspec.json.decode(row.tags),
    )


def insert_unless_there(tx: Transaction, experiment: Experiment) -> None:
    """Store a new experiment; nothing happens if its workspace has one of that name."""
    dialect = sqlite if tx.connection.dialect.name == "sqlite" else postgresql
    tx.execute(
        dialect.insert(experiments).on_conflict_do_nothing(),
        {
            "experiment_id": experiment.experiment_id,
            "workspace_id": experiment.workspace_id,
            "name": experiment.name,
            "created_at": experiment.created_at.timestamp(),
            "tags": "{}",
            "run_count": 0,
        },
    )


def get(tx: Transaction, experiment_id: str) -> Experiment:
    """Return an experiment by id."""
    row = tx.execute(_by_id, {"experiment_id": experiment_id}).first()
    if row is None:
        raise NotFound("experiment", experiment_id)
    return _read(row)


def lock(tx: Transaction, experiment_id: str) -> Experiment:
    """Return an experiment that this transaction is about to change."""
    row = tx.execute(_by_id.with_for_update(), {"experiment_id": experiment_id}).first()
    if row is None:
        raise NotFound("experiment", experiment_id)
    return _read(row)


def find_all(
    tx: Transaction,
    *,
    workspace_id: str | None = None,
    name: str | None = None,
    after: str | None = None,
    limit: int | None = None,
) -> list[Experiment]:
    """Return experiments in the order of their names and ids, from behind the id `after`."""
    query = sa.select(*_columns).order_by(experiments.c.name, experiments.c.experiment_id)
    if workspace_id is not None:
        query = query.where(experiments.c.workspace_id == workspace_id)
    if name is not None:
        query = query.where(experiments.c.name == name)
    if after is not None:
        last = get(tx, after)
        query = query.where(
            sa.or_(
                experiments.c.name > last.name,
                sa.and_(experiments.c.name == last.name, experiments.c.experiment_id > after),
            )
        )
    if limit is not None:
        query = query.limit(limit)
    return [_read(row) for row in tx.execute(query)]


def set_tags(tx: Transaction, experiment_id: str, tags: dict[str, str | None]) -> None:
    """Replace an experiment's tags."""
    tx.execute(
        sa.update(experiments)
        .where(experiments.c.experiment_id == experiment_id)
        .values(tags=msgspec.json.encode(tags).decode())
    )


def count_runs(tx: Transaction, experiment_id: str, added: int) -> tuple[Experiment, int]:
    """Take the next `added` run numbers; return the experiment and the last of them."""
    row = tx.execute(_count, {"of_id": experiment_id, "added": added}).first()
    if row is None:
        raise NotFound("experiment", experiment_id)
    return _read(row), int(row.run_count)
