"""Experiments: made at first use, found, tagged, archived, deleted."""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy.exc

from zaffre.contract import names
from zaffre.contract.errors import AlreadyExists, InUse, Invalid
from zaffre.contract.workspace import Experiment, View
from zaffre.server.access import Caller, require, require_owner
from zaffre.server.store import experiment as experiments
from zaffre.server.store import removal as removals
from zaffre.server.store import workspace as workspaces
from zaffre.server.store.database import Transaction
from zaffre.server.store.store import Store
from zaffre.server.usecases import removal

#: Longest page of a list.
PAGE_MAX = 1_000
#: How long one request removes runs before it answers that some are left, seconds.
REMOVE_S = 5.0


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
    with store.database.transaction() as tx:
        return open_active(tx, workspace_id, name, now=now)


def open_active(tx: Transaction, workspace_id: str, name: str, *, now: datetime) -> Experiment:
    """Return the active experiment of a name, made if there was none."""
    fresh = Experiment(
        experiment_id=str(uuid.uuid4()), workspace_id=workspace_id, name=name, created_at=now
    )
    experiments.insert_unless_there(tx, fresh)
    return experiments.find_all(tx, workspace_id=workspace_id, name=name)[0]


def find(
    workspace_id: str, *, caller: Caller, store: Store, name: str | None, view: View = View.ACTIVE
) -> list[Experiment]:
    """Return a workspace's experiments by name."""
    require(caller, "experiment.read", workspace_id)
    with store.database.reading() as tx:
        workspaces.get(tx, workspace_id)
        return experiments.find_all(tx, workspace_id=workspace_id, name=name, view=view)


def find_everywhere(
    *, caller: Caller, store: Store, limit: int, after: str | None, view: View = View.ACTIVE
) -> list[Experiment]:
    """Return all experiments on the server. The owner's token only."""
    require_owner(caller, "experiment.list_all")
    if not 1 <= limit <= PAGE_MAX:
        raise Invalid("limit", f"must be from 1 to {PAGE_MAX}")
    with store.database.reading() as tx:
        return experiments.find_all(tx, limit=limit, after=after, view=view)


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


def archive(experiment_id: str, *, caller: Caller, store: Store, now: datetime) -> Experiment:
    """Hide an experiment from lists of active ones and free its name; again changes nothing."""
    with store.database.transaction() as tx:
        found = experiments.lock(tx, experiment_id)
        require(caller, "experiment.change", found)
        if found.archived_at is None:
            experiments.set_archived(tx, experiment_id, now.timestamp())
        return experiments.get(tx, experiment_id)


def reactivate(experiment_id: str, *, caller: Caller, store: Store) -> Experiment:
    """Undo `archive`. Raises AlreadyExists if an active experiment has the name."""
    try:
        with store.database.transaction() as tx:
            found = experiments.lock(tx, experiment_id)
            require(caller, "experiment.change", found)
            experiments.set_archived(tx, experiment_id, None)
            return experiments.get(tx, experiment_id)
    except sqlalchemy.exc.IntegrityError:
        name = get(experiment_id, caller=caller, store=store).name
        raise AlreadyExists("experiment", name, "Archive that one first.") from None


def delete(experiment_id: str, *, caller: Caller, store: Store, now: datetime) -> bool:
    """Delete an experiment and begin to remove its runs; say whether none is left.

    Ask again for the rest. Raises InUse while a run of it goes on. The owner's token only.
    """
    require_owner(caller, "experiment.delete")
    with store.database.transaction(durable=True) as tx:
        if experiments.find_hidden(tx, experiment_id) is None:
            found = experiments.lock(tx, experiment_id)
            unfinished = removals.find_unfinished(tx, experiment_id=experiment_id)
            if unfinished:
                raise InUse("experiment", found.name, unfinished)
            experiments.hide(tx, experiment_id, now.timestamp())
    return removal.remove_for([experiment_id], seconds=REMOVE_S, store=store, now=now)
