"""Workspaces: made, opened, found, changed, deleted, brought back."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import sqlalchemy.exc

from zaffre.contract import names
from zaffre.contract.errors import AlreadyExists, InUse, NotFound
from zaffre.contract.workspace import DeletedWorkspace, Workspace, WorkspaceRequest
from zaffre.server.access import Caller, require, require_owner
from zaffre.server.store import experiment as experiments
from zaffre.server.store import removal as removals
from zaffre.server.store import workspace as workspaces
from zaffre.server.store.database import Transaction
from zaffre.server.store.store import Store
from zaffre.server.usecases import removal
from zaffre.server.usecases.experiment import REMOVE_S

#: Longest free text of a workspace's fields, characters.
TEXT_MAX_CHARS = 1_000


@dataclass(frozen=True)
class Opened:
    """A workspace and whether this request has made it."""

    workspace: Workspace
    created: bool


def create(request: WorkspaceRequest, *, caller: Caller, store: Store, now: datetime) -> Opened:
    """Make a workspace. Raises AlreadyExists unless the request says that it may exist."""
    require_owner(caller, "workspace.create")
    opened = _open(request, store=store, now=now)
    if not opened.created and not request.exist_ok:
        raise AlreadyExists(
            "workspace", request.name, "Pass exist_ok=True to use the one that is there."
        )
    return opened


def open_named(request: WorkspaceRequest, *, caller: Caller, store: Store, now: datetime) -> Opened:
    """Return the workspace that a config.json names; a personal server makes it at first use.

    Raises NotFound on a team's server, and for a run's token if it is another workspace.
    """
    with store.database.reading() as tx:
        found = _find(tx, request)
    if found is not None:
        require(caller, "workspace.read", found)
        return Opened(found, created=False)
    if store.settings.team or not caller.is_owner:
        raise NotFound(
            "workspace",
            request.name,
            f"Nothing is stored for resource group {request.resource_group!r} and subscription "
            f"{request.subscription_id!r}; create it by Workspace.create.",
        )
    return _open(request, store=store, now=now)


def _open(request: WorkspaceRequest, *, store: Store, now: datetime) -> Opened:
    workspace = Workspace(
        workspace_id=str(uuid.uuid4()),
        name=names.workspace_name(request.name),
        subscription_id=_text(request.subscription_id, "subscription_id"),
        resource_group=_text(request.resource_group, "resource_group"),
        location=_text(request.location, "location"),
        created_at=now,
        sku=_text(request.sku, "sku"),
        friendly_name=_optional(request.friendly_name, "friendly_name"),
        description=_optional(request.description, "description"),
        tags=names.label(request.tags, "tags"),
    )
    with store.database.transaction(durable=True) as tx:
        found = _find(tx, request)
        if found is not None:
            return Opened(found, created=False)
        try:
            with tx.connection.begin_nested():
                workspaces.insert(tx, workspace)
        except sqlalchemy.exc.IntegrityError:  # another server process was faster
            found = _find(tx, request)
            if found is None:
                raise
            return Opened(found, created=False)
    return Opened(workspace, created=True)


def find(
    *,
    caller: Caller,
    store: Store,
    name: str | None,
    subscription_id: str | None,
    resource_group: str | None,
) -> list[Workspace]:
    """Return the workspaces that match; a run's token sees its own alone."""
    with store.database.reading() as tx:
        return workspaces.find_all(
            tx,
            name=name,
            subscription_id=subscription_id,
            resource_group=resource_group,
            workspace_id=caller.workspace_id,
        )


def get(workspace_id: str, *, caller: Caller, store: Store) -> Workspace:
    """Return one workspace."""
    require(caller, "workspace.read", workspace_id)
    with store.database.reading() as tx:
        return workspaces.get(tx, workspace_id)


def change(
    workspace_id: str, changes: dict[str, object], *, caller: Caller, store: Store
) -> Workspace:
    """Change friendly_name, description and tags, those of them that are given."""
    require_owner(caller, "workspace.change")
    values: dict[str, object] = {
        name: _optional(value, name) for name, value in changes.items() if name != "tags"
    }
    if "tags" in changes:
        values["tags"] = names.label(changes["tags"], "tags")
    with store.database.transaction() as tx:
        changed = replace(workspaces.lock(tx, workspace_id), **values)  # pyright: ignore[reportArgumentType]
        workspaces.replace(tx, changed)
    return changed


def delete(workspace_id: str, *, caller: Caller, store: Store, now: datetime) -> datetime:
    """Delete a workspace; until the time that is returned it can be brought back.

    Raises InUse while a run in it goes on. The owner's token only.
    """
    removal_at = now.timestamp() + store.settings.deleted_kept_s
    return datetime.fromtimestamp(_hide(workspace_id, removal_at, caller=caller, store=store), UTC)


def delete_for_good(workspace_id: str, *, caller: Caller, store: Store, now: datetime) -> bool:
    """Delete a workspace and begin to remove what it holds; say whether nothing is left.

    Ask again for the rest; that goes for one that was deleted before as well. Raises InUse while
    a run in it goes on. The owner's token only.
    """
    _hide(workspace_id, now.timestamp(), caller=caller, store=store)
    with store.database.reading() as tx:
        ids = experiments.find_ids(tx, workspace_id)
    done = removal.remove_for(ids, seconds=REMOVE_S, store=store, now=now)
    if done:
        removal.remove_content(workspace_id, store=store)
    return done


def _hide(workspace_id: str, removal_at: float, *, caller: Caller, store: Store) -> float:
    """Hide a workspace with its experiments; return when it goes: never later than before."""
    require_owner(caller, "workspace.delete")
    with store.database.transaction(durable=True) as tx:
        hidden = workspaces.find_removal(tx, workspace_id)
        if hidden is not None and hidden <= removal_at:
            return hidden
        if hidden is not None:
            experiments.restore_all(tx, workspace_id, hidden)
        else:
            found = workspaces.lock(tx, workspace_id)
            unfinished = removals.find_unfinished(tx, workspace_id=workspace_id)
            if unfinished:
                raise InUse("workspace", found.name, unfinished)
        workspaces.hide(tx, workspace_id, removal_at)
        experiments.hide_all(tx, workspace_id, removal_at)
    return removal_at


def find_deleted(*, caller: Caller, store: Store) -> list[DeletedWorkspace]:
    """Return the workspaces that were deleted and can be brought back. The owner's token only."""
    require_owner(caller, "workspace.list_deleted")
    with store.database.reading() as tx:
        return workspaces.find_hidden(tx)


def restore(workspace_id: str, *, caller: Caller, store: Store, now: datetime) -> Workspace:
    """Bring a deleted workspace back; one that is not deleted stays as it is.

    Raises AlreadyExists if its names were given to another one, NotFound once its time is over.
    """
    require_owner(caller, "workspace.restore")
    try:
        with store.database.transaction(durable=True) as tx:
            hidden = workspaces.find_removal(tx, workspace_id)
            if hidden is not None and hidden > now.timestamp():
                workspaces.hide(tx, workspace_id, None)
                experiments.restore_all(tx, workspace_id, hidden)
            return workspaces.get(tx, workspace_id)
    except sqlalchemy.exc.IntegrityError:
        raise AlreadyExists(
            "workspace", workspace_id, "Delete the one that has its name now first."
        ) from None


def _find(tx: Transaction, request: WorkspaceRequest) -> Workspace | None:
    return workspaces.find_named(
        tx,
        subscription_id=request.subscription_id,
        resource_group=request.resource_group,
        name=request.name,
    )


def _text(value: object, field: str) -> str:
    return names.plain_text(value, field, max_chars=TEXT_MAX_CHARS)


def _optional(value: object, field: str) -> str | None:
    return None if value is None else _text(value, field)
