"""Folders that runs have left: a runner keeps its attempt's when not all of it could be stored.

Whoever looks at the run's warnings has a while to fetch the rest from there (`folder_kept_s`).
"""

from __future__ import annotations

import os
import shutil
from datetime import datetime
from pathlib import Path

import msgspec

from zaffre.contract.reason import Reason, ReasonKind
from zaffre.server import log
from zaffre.server.store import attempt as attempts
from zaffre.server.store import history
from zaffre.server.store import run as runs
from zaffre.server.store.attempt import Attempt
from zaffre.server.store.store import Store

_DAY_S = 86_400.0


def remove_old(*, store: Store, now: datetime) -> int:
    """Remove the folders of runs that have ended long ago; return how many. `why` tells of it."""
    there = [str(path) for path in (store.settings.home / "runs").glob("*/*") if path.is_dir()]
    if not there:
        return 0
    before = now.timestamp() - store.settings.folder_kept_s
    with store.database.reading() as tx:
        old = attempts.find_folders(tx, there, ended_before=before)
    return sum(_remove(attempt, store, now) for attempt in old)


def _remove(attempt: Attempt, store: Store, now: datetime) -> bool:
    folder = Path(attempt.folder)
    for inner, _, _ in os.walk(folder):
        os.chmod(inner, 0o700)  # noqa: PTH101 - scripts leave read-only folders behind
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        log.warning("folder.not_removed", run_id=attempt.run_id, folder=attempt.folder)
        return False
    days = round(store.settings.folder_kept_s / _DAY_S, 1)
    facts: dict[str, object] = {"folder": attempt.folder, "days": f"{days:g}"}
    reason = msgspec.json.encode(Reason(ReasonKind.FOLDER_REMOVED, facts)).decode()
    with store.database.transaction() as tx:
        run = runs.lock_key(tx, attempt.run_key).run
        history.add(
            tx,
            attempt.run_key,
            at=now.timestamp(),
            state=run.state.value,
            attempt=attempt.number,
            reason=reason,
        )
    if not any(folder.parent.iterdir()):
        folder.parent.rmdir()
    return True
