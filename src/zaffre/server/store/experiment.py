"""SQL of experiments."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from zaffre.contract.errors import NotFound
from zaffre.contract.workspace import Experiment, View
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
_by_id = sa.select(*_columns).where(
    experiments.c.experiment_id == sa.bindparam("experiment_id"),
    experiments.c.removal_at.is_(None),
)
_count = (
    sa.update(experiments)
    .where(
        experiments.c.experiment_id == sa.bindparam("of_id"),
        experiments.c.archived_at.is_(None),
        experiments.c.removal_at.is_(None),
    )
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
    """Store a new experiment; nothing happens if its workspace has an active one of that name."""
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
    view: View = View.ACTIVE,
    after: str | None = None,
    limit: int | None = None,
) -> list[Experiment]:
    """Return experiments in the order of their names and ids, from behind the id `after`."""
    query = (
        sa.select(*_columns)
        .where(experiments.c.removal_at.is_(None))
        .order_by(experiments.c.name, experiments.c.experiment_id)
    )
    if view is not View.ALL:
        archived = experiments.c.archived_at
        query = query.where(archived.is_(None) if view is View.ACTIVE else archived.is_not(None))
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


def set_archived(tx: Transaction, experiment_id: str, at: float | None) -> None:
    """Archive an experiment, or (None) make it active again.

    Raises sqlalchemy's IntegrityError if an active one has its name.
    """
    tx.execute(
        sa.update(experiments)
        .where(experiments.c.experiment_id == experiment_id)
        .values(archived_at=at)
    )


def hide(tx: Transaction, experiment_id: str, removal_at: float) -> None:
    """Hide an experiment; its runs go at `removal_at`."""
    tx.execute(
        sa.update(experiments)
        .where(experiments.c.experiment_id == experiment_id)
        .values(removal_at=removal_at)
    )


def find_hidden(tx: Transaction, experiment_id: str) -> float | None:
    """Return when a hidden experiment's runs go; None for one that is not hidden or not there."""
    return tx.execute(
        sa.select(experiments.c.removal_at).where(experiments.c.experiment_id == experiment_id)
    ).scalar()


def hide_all(tx: Transaction, workspace_id: str, removal_at: float) -> None:
    """Hide a workspace's experiments with it."""
    tx.execute(
        sa.update(experiments)
        .where(experiments.c.workspace_id == workspace_id, experiments.c.removal_at.is_(None))
        .values(removal_at=removal_at)
    )


def restore_all(tx: Transaction, workspace_id: str, removal_at: float) -> None:
    """Show again the experiments that were hidden with their workspace."""
    tx.execute(
        sa.update(experiments)
        .where(experiments.c.workspace_id == workspace_id, experiments.c.removal_at == removal_at)
        .values(removal_at=None)
    )


def find_ids(tx: Transaction, workspace_id: str) -> list[str]:
    """Return the ids of a workspace's experiments, the hidden ones too."""
    query = sa.select(experiments.c.experiment_id).where(experiments.c.workspace_id == workspace_id)
    return list(tx.execute(query).scalars())


def count_runs(tx: Transaction, experiment_id: str, added: int) -> tuple[Experiment, int] | None:
    """Take the next `added` run numbers; return the experiment and the last of them.

    None for an experiment that is archived, deleted or not there.
    """
    row = tx.execute(_count, {"of_id": experiment_id, "added": added}).first()
    return None if row is None else (_read(row), int(row.run_count))
