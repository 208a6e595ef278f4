"""Who asks, and what each may do.

The owner (the token in the home folder) may do everything. A run's token may, in its run's
workspace, what its submitter may: read, make experiments, runs and models. It changes no run but
its own and those below it, and nothing of the server.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from zaffre.contract.errors import Forbidden
from zaffre.contract.run import Run
from zaffre.contract.workspace import Experiment, Workspace


@dataclass(frozen=True)
class Caller:
    """Who sent a request.

    kind: "owner" or "run". name: what `submitted_by` and reasons show. run_id, attempt and
    workspace_id: of a run's token. ended: the run's last report has been taken; for a minute
    longer the token is good for repeating that report, and for nothing else.
    """

    kind: str
    name: str
    token_hash: str
    run_id: str | None = None
    attempt: int | None = None
    workspace_id: str | None = None
    ended: bool = False

    @property
    def is_owner(self) -> bool:
        """Whether this is the owner's token."""
        return self.kind == "owner"


def hash_token(token: str) -> str:
    """Return what the store keeps of a token. Tokens are long and random, so one hash is enough."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def require_owner(caller: Caller, action: str) -> None:
    """Refuse a run's token what concerns the whole server."""
    if not caller.is_owner:
        raise Forbidden(action)


def require(caller: Caller, action: str, about: Run | Experiment | Workspace | str) -> None:
    """Refuse a run's token whatever lies outside its workspace.

    about: a record of a workspace, or a workspace's id.
    """
    if caller.is_owner:
        return
    workspace_id = about if isinstance(about, str) else about.workspace_id
    if caller.workspace_id != workspace_id:
        raise Forbidden(action)


def require_change(
    caller: Caller, action: str, run: Run, ancestors: frozenset[str] = frozenset()
) -> None:
    """Refuse a run's token a change to a run that is neither its own nor below it.

    ancestors: ids of the runs above `run` (`store.run.ancestors` reads them).
    """
    require(caller, action, run)
    if caller.is_owner or caller.run_id == run.run_id or caller.run_id in ancestors:
        return
    raise Forbidden(action)
