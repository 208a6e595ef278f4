"""Experiments: made at first use, found, tagged."""

from __future__ import annotations

import uuid
from datetime import datetime

from zaffre.contract import names
from zaffre.contract.errors import Invalid
from zaffre.contract.workspace import Experiment
from zaffre.server.access import Caller, require, require_owner
from zaffre.server.store import experiment as experiments
from zaffre.server.store import workspace as workspaces
from zaffre.server.store.store import Store

#: Longest page of a list.
PAGE_MAX = 1_000


def open_named(
    workspace_id: str, name: str, *, caller: Caller, store: Store, now: datetime
) -> Experiment:
    """Return the workspace's experiment of that name, made if there was none."""
    require(caller, "experiment.create", workspace_id)
    names.experiment_name(name)
    with store.database.reading() as tx:
        workspaces.get(tx, workspace_id)
        found = experiments.find_all(tx, workspace_id=workspace_id, name=name)
    if found:
        return found[0]
    fresh = Experiment(
        experiment_id=str(uuid.uuid4()), workspace_id=workspace_id, name=name, created_at=now
    )
    with store.database.transaction() as tx:
        experiments.insert_unless_there(tx, fresh)
        return experiments.find_all(tx, workspace_id=workspace_id, name=name)[0]


def find(workspace_id: str, *, caller: Caller, store: Store, name: str | None) -> list[Experiment]:
    """Return a workspace's experiments by name."""
    require(caller, "experiment.read", workspace_id)
    with store.database.reading() as tx:
        workspaces.get(tx, workspace_id)
        return experiments.find_all(tx, workspace_id=workspace_id, name=name)


def find_everywhere(
    *, caller: Caller, store: Store, limit: int, after: str | None
) -> list[Experiment]:
    """Return all experiments on the server. The owner's token only."""
    require_owner(caller, "experiment.list_all")
    if not 1 <= limit <= PAGE_MAX:
        raise Invalid("limit", f"must be from 1 to {PAGE_MAX}")
    with store.database.reading() as tx:
        return experiments.find_all(tx, limit=limit, after=after)


def get(experiment_id: str, *, caller: Caller, store: Store) -> Experiment:
    """Return one experiment."""
    with store.database.reading() as tx:
        found = experiments.get(tx, experiment_id)
    require(caller, "experiment.read", found)
    return found


def change_tags(
    experiment_id: str,
    *,
    set_tags: dict[str, str | None],
    remove_tags: list[str],
    caller: Caller,
    store: Store,
) -> Experiment:
    """Set and remove tags."""
    added = names.label(set_tags, "set_tags")
    with store.database.transaction() as tx:
        found = experiments.lock(tx, experiment_id)
        require(caller, "experiment.change", found)
        tags = {k: v for k, v in (found.tags | added).items() if k not in remove_tags}
        experiments.set_tags(tx, experiment_id, tags)
        return experiments.get(tx, experiment_id)
