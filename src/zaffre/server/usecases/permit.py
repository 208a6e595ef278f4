"""Permits to read files: who may have one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from zaffre.contract.errors import Invalid
from zaffre.server import permits
from zaffre.server.access import Caller, require
from zaffre.server.store import run_key as run_keys
from zaffre.server.store.database import Transaction
from zaffre.server.store.store import Store

#: Most permits of one request.
PERMITS_MAX = 10_000

_OF_RUN = re.compile(r"/api/v1/runs/(?P<run_id>[^/]+)/files/.+\Z")
_OF_MODEL = re.compile(
    r"/api/v1/workspaces/(?P<workspace_id>[^/]+)/models/[^/]+/versions/[0-9]+/files/.+\Z"
)


def create(paths: Sequence[str], *, caller: Caller, store: Store, now: datetime) -> list[str]:
    """Return addresses that read the files at `paths` without a token, for a while.

    paths: of a run's or a model's files, in plain text. Whether such a file is there is not looked
    at. Raises Invalid for another path, Forbidden for one that the caller may not read.
    """
    if len(paths) > PERMITS_MAX:
        raise Invalid("paths", f"has {len(paths)} paths, at most {PERMITS_MAX}")
    known: dict[str, str] = {}
    made: list[str] = []
    with store.database.reading() as tx:
        for path in paths:
            workspace_id = _workspace_of(tx, path, known)
            require(caller, "file.read", workspace_id)
            made.append(permits.address(store.key, path, workspace_id, now=now.timestamp()))
    return made


def _workspace_of(tx: Transaction, path: str, known: dict[str, str]) -> str:
    """Return the workspace that a path's file belongs to. known: of runs that were looked up."""
    of_model = _OF_MODEL.match(path)
    if of_model is not None:
        return of_model["workspace_id"]
    of_run = _OF_RUN.match(path)
    if of_run is None:
        raise Invalid("paths", f"{path[:200]!r} is not the path of a file of a run or a model")
    run_id = of_run["run_id"]
    if run_id not in known:
        known[run_id] = run_keys.get(tx, run_id).workspace_id
    return known[run_id]
