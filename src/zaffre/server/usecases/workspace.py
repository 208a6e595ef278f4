"""Workspaces: made, opened, found, changed."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy.exc

from zaffre.contract import names
from zaffre.contract.errors import AlreadyExists, NotFound
from zaffre.contract.workspace import Workspace, WorkspaceRequest
from zaffre.server.access import Caller, require, require_owner
from zaffre.server.store import workspace as workspaces
from zaffre.server.store.database import Transaction
from zaffre.server.store.store import Store

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
