"""May this caller change what belongs to that run?"""

from __future__ import annotations

from zaffre.contract.errors import Forbidden
from zaffre.server.access import Caller, require
from zaffre.server.store import run_key as run_keys
from zaffre.server.store.database import Transaction
from zaffre.server.store.run_key import RunKey


def require_own(tx: Transaction, caller: Caller, action: str, run: RunKey) -> None:
    """Refuse a run's token what is neither its run's nor a run's below it."""
    require(caller, action, run.workspace_id)
    if caller.is_owner or caller.run_id == run.run_id:
        return
    if caller.run_id not in run_keys.ancestors(tx, run):
        raise Forbidden(action)


def require_related(tx: Transaction, caller: Caller, action: str, run: RunKey) -> None:
    """Refuse a run's token what is neither its run's nor of a run above or below it.

    Scripts log to their parents, images and tables too.
    """
    require(caller, action, run.workspace_id)
    if caller.is_owner or caller.run_id == run.run_id:
        return
    own = run_keys.find(tx, caller.run_id or "")
    if own is not None and run.run_id in run_keys.ancestors(tx, own):
        return
    require_own(tx, caller, action, run)
