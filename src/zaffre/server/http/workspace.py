"""Routes of workspaces."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from litestar import Response, delete, get, patch, post
from litestar.params import QueryParameter

from zaffre.contract.workspace import DeletedWorkspace, Workspace, WorkspaceRequest
from zaffre.server.http.request import Request, given_fields
from zaffre.server.usecases import workspace as usecase


@dataclass(frozen=True)
class Workspaces:
    """A list of workspaces."""

    items: list[Workspace]


@dataclass(frozen=True)
class DeletedWorkspaces:
    """A list of deleted workspaces."""

    items: list[DeletedWorkspace]


@dataclass(frozen=True)
class Deletion:
    """What became of a workspace that was deleted.

    removal_at: until then it can be brought back; None if it cannot. done: of one that cannot,
    whether all that it held has gone.
    """

    removal_at: datetime | None
    done: bool


class WorkspaceChange(msgspec.Struct, forbid_unknown_fields=True):
    """What can change of a workspace; what is not given stays."""

    friendly_name: str | msgspec.UnsetType | None = msgspec.UNSET
    description: str | msgspec.UnsetType | None = msgspec.UNSET
    tags: dict[str, str | None] | msgspec.UnsetType = msgspec.UNSET


@post("/api/v1/workspaces", status_code=201, sync_to_thread=True)
def create(data: WorkspaceRequest, request: Request) -> Response[Workspace]:
    """Make a workspace; 200 if it may exist and does, 409 if it may not."""
    opened = usecase.create(data, caller=request.caller, store=request.store, now=datetime.now(UTC))
    return Response(opened.workspace, status_code=201 if opened.created else 200)


@post("/api/v1/workspaces/open", status_code=200, sync_to_thread=True)
def open_named(data: WorkspaceRequest, request: Request) -> usecase.Opened:
    """Return the workspace that a config.json names; a personal server makes it at first use."""
    return usecase.open_named(
        data, caller=request.caller, store=request.store, now=datetime.now(UTC)
    )


@get("/api/v1/workspaces", sync_to_thread=True)
def find(
    request: Request,
    name: str | None = None,
    subscription_id: str | None = None,
    resource_group: str | None = None,
) -> Workspaces:
    """List workspaces, oldest first."""
    return Workspaces(
        usecase.find(
            caller=request.caller,
            store=request.store,
            name=name,
            subscription_id=subscription_id,
            resource_group=resource_group,
        )
    )


@get("/api/v1/workspaces/{workspace_id:str}", sync_to_thread=True, opt={"small": True})
def get_one(workspace_id: str, request: Request) -> Workspace:
    """Return one workspace."""
    return usecase.get(workspace_id, caller=request.caller, store=request.store)


@patch("/api/v1/workspaces/{workspace_id:str}", sync_to_thread=True)
def change(workspace_id: str, data: WorkspaceChange, request: Request) -> Workspace:
    """Change a workspace. The owner's token only."""
    return usecase.change(
        workspace_id, given_fields(data), caller=request.caller, store=request.store
    )


@delete("/api/v1/workspaces/{workspace_id:str}", status_code=200, sync_to_thread=True)
def remove(
    workspace_id: str,
    request: Request,
    for_good: Annotated[bool, QueryParameter()] = False,  # noqa: FBT002
) -> Deletion:
    """Delete a workspace; with for_good ask again until `done`. 409 while a run in it goes on."""
    now = datetime.now(UTC)
    if for_good:
        done = usecase.delete_for_good(
            workspace_id, caller=request.caller, store=request.store, now=now
        )
        return Deletion(removal_at=None, done=done)
    removal_at = usecase.delete(workspace_id, caller=request.caller, store=request.store, now=now)
    return Deletion(removal_at=removal_at, done=True)


@get("/api/v1/workspaces/deleted", sync_to_thread=True)
def find_deleted(request: Request) -> DeletedWorkspaces:
    """List deleted workspaces. The owner's token only."""
    return DeletedWorkspaces(usecase.find_deleted(caller=request.caller, store=request.store))


@post("/api/v1/workspaces/{workspace_id:str}/restore", status_code=200, sync_to_thread=True)
def restore(workspace_id: str, request: Request) -> Workspace:
    """Bring a deleted workspace back. The owner's token only."""
    return usecase.restore(
        workspace_id, caller=request.caller, store=request.store, now=datetime.now(UTC)
    )


HANDLERS = [create, open_named, find, find_deleted, get_one, change, remove, restore]
