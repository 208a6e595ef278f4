"""Routes of datasets. A name stands in the query: it may hold any character."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
from litestar import delete, get, patch, put

from zaffre.contract.dataset import Dataset, DatasetRequest
from zaffre.server.http.request import Request
from zaffre.server.usecases import dataset as usecase

_WORKSPACE = "/api/v1/workspaces/{workspace_id:str}"
_DATASETS = _WORKSPACE + "/datasets"
_DATASET = _DATASETS + "/{dataset_id:str}"
_NAMED = _WORKSPACE + "/registered_dataset"


@dataclass(frozen=True)
class Datasets:
    """A page of datasets, last made first. next: the cursor of the page after it."""

    items: list[Dataset]
    next: int | None = None


@dataclass(frozen=True)
class Unregistered:
    """How many versions the name had."""

    count: int


class DatasetChange(msgspec.Struct, forbid_unknown_fields=True):
    """What can change of a dataset; what is not given stays."""

    description: str | None = None
    replace_tags: dict[str, str | None] | None = None
    set_tags: dict[str, str | None] = msgspec.field(default_factory=dict)
    remove_tags: list[str] = msgspec.field(default_factory=list)


@put(_DATASET, status_code=200, sync_to_thread=True)
def save(workspace_id: str, dataset_id: str, data: DatasetRequest, request: Request) -> Dataset:
    """Save a dataset under an id of the client's, with a name as that name's next version."""
    return usecase.save(
        workspace_id,
        dataset_id,
        data,
        caller=request.caller,
        store=request.store,
        now=datetime.now(UTC),
    )


@get(_DATASETS, sync_to_thread=True)
def find(
    workspace_id: str, request: Request, limit: int = 100, cursor: int | None = None
) -> Datasets:
    """List the newest version of each name."""
    return Datasets(
        *usecase.find_newest(
            workspace_id, limit=limit, before=cursor, caller=request.caller, store=request.store
        )
    )


@get(_DATASET, sync_to_thread=True, opt={"small": True})
def get_one(workspace_id: str, dataset_id: str, request: Request) -> Dataset:
    """Return a dataset by its id."""
    return usecase.get(workspace_id, dataset_id, caller=request.caller, store=request.store)


@patch(_DATASET, sync_to_thread=True)
def change(workspace_id: str, dataset_id: str, data: DatasetChange, request: Request) -> Dataset:
    """Change description or tags."""
    wanted = usecase.Change(
        data.description, data.replace_tags, data.set_tags, tuple(data.remove_tags)
    )
    return usecase.change(
        workspace_id, dataset_id, wanted, caller=request.caller, store=request.store
    )


@get(_NAMED, sync_to_thread=True, opt={"small": True})
def get_named(
    workspace_id: str, name: str, request: Request, version: int | None = None
) -> Dataset:
    """Return a registered version, the newest without `version`."""
    return usecase.get_named(
        workspace_id, name, version, caller=request.caller, store=request.store
    )


@delete(_NAMED, status_code=200, sync_to_thread=True)
def unregister(workspace_id: str, name: str, request: Request) -> Unregistered:
    """Take a name from all its versions; by their ids they stay."""
    return Unregistered(
        usecase.unregister(workspace_id, name, caller=request.caller, store=request.store)
    )


HANDLERS = [save, find, get_one, change, get_named, unregister]
