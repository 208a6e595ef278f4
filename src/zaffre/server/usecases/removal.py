"""Removing for good what deleted experiments and workspaces hold, a little at a time.

Deleting hides a row and says when what it holds goes (`removal_at`). From then on anybody may
remove: the request that deleted, its repeat, or the loop that collects garbage, which also
finishes what a killed server began. The hidden row itself stays for an hour more, so that the
repeat of a request whose answer was lost finds it and is not told "there is none".
"""

from __future__ import annotations

import shutil
import time
from datetime import datetime
from pathlib import Path

from zaffre.server.store import removal
from zaffre.server.store.removal import RunLeft
from zaffre.server.store.store import Store
from zaffre.server.usecases import datastore

#: Runs and points that go in one transaction: others write between two.
_RUNS = 100
_POINTS = 50_000
#: How long a hidden row stays after its time.
_ROW_KEPT_S = 3_600.0


def remove_due(*, store: Store, now: datetime) -> int:
    """Remove all that is due; return how many runs."""
    moment = now.timestamp()
    with store.database.reading() as tx:
        due = removal.find_due_experiments(tx, moment)
        due_workspaces = removal.find_due_workspaces(tx, moment)
    count = 0
    for experiment_id, removal_at in due:
        while gone := _remove_slice(experiment_id, store, now):
            count += gone
        if removal_at < moment - _ROW_KEPT_S:
            with store.database.transaction() as tx:
                removal.remove_experiment(tx, experiment_id)
    for workspace_id, removal_at in due_workspaces:
        remove_content(workspace_id, store=store)
        with store.database.transaction() as tx:
            if removal_at < moment - _ROW_KEPT_S:
                removal.remove_workspace(tx, workspace_id)
    return count


def remove_content(workspace_id: str, *, store: Store) -> None:
    """Remove what a workspace holds besides experiments and runs, its built-in datastores too."""
    shutil.rmtree(datastore.folder(store.settings.home, workspace_id), ignore_errors=True)
    with store.database.transaction() as tx:
        removal.remove_content(tx, workspace_id)


def remove_for(experiment_ids: list[str], *, seconds: float, store: Store, now: datetime) -> bool:
    """Remove the runs of experiments for about so long; say whether none is left."""
    end = time.monotonic() + seconds
    for experiment_id in experiment_ids:
        while _remove_slice(experiment_id, store, now):
            if time.monotonic() > end:
                return False
    return True


def _remove_slice(experiment_id: str, store: Store, now: datetime) -> int:
    with store.database.reading() as tx:
        gone = removal.find_runs(tx, experiment_id, _RUNS)
    for run in gone:
        for metric_key, count in run.metrics:
            for start in range(0, count, _POINTS):
                with store.database.transaction() as tx:
                    removal.remove_points(tx, metric_key, start, start + _POINTS)
    if gone:
        # Files first: once the row is gone nobody knows of them.
        for run in gone:
            _remove_files(run, store)
        with store.database.transaction() as tx:
            removal.remove_runs(tx, gone, now=now.timestamp())
    return len(gone)


def _remove_files(run: RunLeft, store: Store) -> None:
    """Remove a run's logs and what its attempts have left in the home folder."""
    shutil.rmtree(store.logs_path / str(run.run_key), ignore_errors=True)
    own: Path = store.settings.home / "runs"
    for folder in {folder.parent for folder in run.folders if folder.parent.parent == own}:
        shutil.rmtree(folder, ignore_errors=True)
