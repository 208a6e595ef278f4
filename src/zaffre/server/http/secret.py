"""Routes of secrets. Lists and errors never hold a value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from litestar import delete, get, post
from litestar.params import QueryParameter

from zaffre.contract.secret import Secret, SecretLine
from zaffre.server.http.request import Request
from zaffre.server.usecases import secret as usecase

_SECRETS = "/api/v1/workspaces/{workspace_id:str}/secrets"


@dataclass(frozen=True)
class Secrets:
    """Secrets with their values."""

    items: list[Secret]


@dataclass(frozen=True)
class SecretLines:
    """Secrets by name, without their values."""

    items: list[SecretLine]


@dataclass(frozen=True)
class Removed:
    """How many secrets were removed."""

    removed_count: int


@post(_SECRETS, status_code=200, sync_to_thread=True)
def put(workspace_id: str, data: Secrets, request: Request) -> SecretLines:
    """Set secrets, all or none; answer the list. The owner's token only."""
    usecase.put(
        workspace_id,
        data.items,
        caller=request.caller,
        store=request.store,
        now=datetime.now(UTC),
    )
    return _lines(workspace_id, request)


@get(_SECRETS, sync_to_thread=True)
def find(workspace_id: str, request: Request) -> SecretLines:
    """List a workspace's secrets by name, without their values."""
    return _lines(workspace_id, request)


def _lines(workspace_id: str, request: Request) -> SecretLines:
    return SecretLines(usecase.find(workspace_id, caller=request.caller, store=request.store))


@get(_SECRETS + "/values", sync_to_thread=True)
def read(
    workspace_id: str,
    request: Request,
    wanted: Annotated[list[str] | None, QueryParameter(name="name")] = None,
) -> Secrets:
    """Return the named secrets with their values; one that is not there is left out."""
    return Secrets(
        usecase.read(workspace_id, wanted or [], caller=request.caller, store=request.store)
    )


@delete(_SECRETS, status_code=200, sync_to_thread=True)
def remove(
    workspace_id: str,
    request: Request,
    unwanted: Annotated[list[str] | None, QueryParameter(name="name")] = None,
) -> Removed:
    """Remove the named secrets. The owner's token only."""
    return Removed(
        usecase.remove(workspace_id, unwanted or [], caller=request.caller, store=request.store)
    )


HANDLERS = [put, find, read, remove]
