"""Routes of datastores. Lists and errors never hold a credential."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from litestar import delete, get, put

from zaffre.contract.datastore import Datastore, DatastoreRequest
from zaffre.server.http.request import Request
from zaffre.server.usecases import datastore as usecase

_WORKSPACE = "/api/v1/workspaces/{workspace_id:str}"
_DEFAULT = _WORKSPACE + "/default_datastore"
_DATASTORES = _WORKSPACE + "/datastores"
_DATASTORE = _DATASTORES + "/{name:str}"


@dataclass(frozen=True)
class Datastores:
    """Datastores without credentials, the built-in ones first."""

    items: list[Datastore]


@dataclass(frozen=True)
class DefaultRequest:
    """The body of a request that chooses the default datastore."""

    name: str


@dataclass(frozen=True)
class DatastoreRemoval:
    """Whether the datastore was there."""

    removed: bool


@put(_DATASTORE, status_code=200, sync_to_thread=True)
def register(workspace_id: str, name: str, data: DatastoreRequest, request: Request) -> Datastore:
    """Register a datastore; one of that name is replaced if `overwrite`. The owner's token only."""
    return usecase.register(
        workspace_id,
        name,
        data,
        caller=request.caller,
        store=request.store,
        now=datetime.now(UTC),
    )


@get(_DATASTORES, sync_to_thread=True)
def find(workspace_id: str, request: Request) -> Datastores:
    """List a workspace's datastores."""
    return Datastores(usecase.find(workspace_id, caller=request.caller, store=request.store))


@get(_DATASTORE, sync_to_thread=True, opt={"small": True})
def get_one(workspace_id: str, name: str, request: Request) -> Datastore:
    """Return one datastore without its credentials."""
    return usecase.get(workspace_id, name, caller=request.caller, store=request.store)


@get(_DATASTORE + "/credentials", sync_to_thread=True)
def get_with_credentials(workspace_id: str, name: str, request: Request) -> Datastore:
    """Return one datastore with its credentials."""
    return usecase.get_with_credentials(
        workspace_id, name, caller=request.caller, store=request.store
    )


@delete(_DATASTORE, status_code=200, sync_to_thread=True)
def remove(workspace_id: str, name: str, request: Request) -> DatastoreRemoval:
    """Remove a datastore's record; its data stays. The owner's token only."""
    return DatastoreRemoval(
        usecase.remove(workspace_id, name, caller=request.caller, store=request.store)
    )


@get(_DEFAULT, sync_to_thread=True, opt={"small": True})
def get_default(workspace_id: str, request: Request) -> Datastore:
    """Return the datastore that is used when none is named, without its credentials."""
    return usecase.get_default(workspace_id, caller=request.caller, store=request.store)


@put(_DEFAULT, status_code=200, sync_to_thread=True)
def set_default(workspace_id: str, data: DefaultRequest, request: Request) -> Datastore:
    """Choose the datastore that is used when none is named. The owner's token only."""
    return usecase.set_default(workspace_id, data.name, caller=request.caller, store=request.store)


HANDLERS = [register, find, get_one, get_with_credentials, remove, get_default, set_default]
