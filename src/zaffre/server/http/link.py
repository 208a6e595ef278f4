"""Routes of links. Lists and errors never hold a credential."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from litestar import delete, get, put

from zaffre.contract.errors import Invalid
from zaffre.contract.link import Link, LinkKind, LinkRequest
from zaffre.server.http.request import Request
from zaffre.server.usecases import link as usecase

_LINKS = "/api/v1/workspaces/{workspace_id:str}/links/{kind:str}"
_LINK = _LINKS + "/{name:str}"


@dataclass(frozen=True)
class Links:
    """Links by name, without credentials."""

    items: list[Link]


@dataclass(frozen=True)
class LinkRemoval:
    """Whether the link was there."""

    removed: bool


@put(_LINK, status_code=200, sync_to_thread=True)
def set_one(workspace_id: str, kind: str, name: str, data: LinkRequest, request: Request) -> Link:
    """Set a link; one of that kind and name is replaced. The owner's token only."""
    return usecase.put(
        workspace_id,
        _kind(kind),
        name,
        data,
        caller=request.caller,
        store=request.store,
        now=datetime.now(UTC),
    )


@get(_LINKS, sync_to_thread=True)
def find(workspace_id: str, kind: str, request: Request) -> Links:
    """List a workspace's links of a kind by name."""
    return Links(
        usecase.find(workspace_id, _kind(kind), caller=request.caller, store=request.store)
    )


@get(_LINK, sync_to_thread=True)
def get_one(workspace_id: str, kind: str, name: str, request: Request) -> Link:
    """Return one link with its credential."""
    return usecase.get(workspace_id, _kind(kind), name, caller=request.caller, store=request.store)


@delete(_LINK, status_code=200, sync_to_thread=True)
def remove(workspace_id: str, kind: str, name: str, request: Request) -> LinkRemoval:
    """Remove a link. The owner's token only."""
    return LinkRemoval(
        usecase.remove(workspace_id, _kind(kind), name, caller=request.caller, store=request.store)
    )


def _kind(name: str) -> LinkKind:
    try:
        return LinkKind(name)
    except ValueError:
        raise Invalid("kind", f"must be one of {', '.join(k.value for k in LinkKind)}") from None


HANDLERS = [set_one, find, get_one, remove]
