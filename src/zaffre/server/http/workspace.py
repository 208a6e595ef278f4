"""Routes of workspaces."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
from litestar import Response, get, patch, post

from zaffre.contract.workspace import Workspace, WorkspaceRequest
from zaffre.server.http.request import Request, given_fields
from zaffre.server.usecases import workspace as usecase


@dataclass(frozen=True)
class Workspaces:
    """A list of workspaces."""

    items: list[Workspace]


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


HANDLERS = [create, open_named, find, get_one, change]
