"""Routes of models."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from litestar import Response, delete, get, patch, post
from litestar.params import QueryParameter

from zaffre.contract.errors import Invalid
from zaffre.contract.model import Model, ModelRequest
from zaffre.server.http.body import Content
from zaffre.server.http.file import LIST_MAX_BYTES
from zaffre.server.http.log import plain_name
from zaffre.server.http.request import Request, given_fields
from zaffre.server.store.model import Filter, Label
from zaffre.server.usecases import model as usecase

_MODELS = "/api/v1/workspaces/{workspace_id:str}/models"
_VERSION = _MODELS + "/{name:str}/versions/{version:str}"


@dataclass(frozen=True)
class Models:
    """A page of models, newest first. next: the cursor of the page after it."""

    items: list[Model]
    next: int | None = None


class ModelChange(msgspec.Struct, forbid_unknown_fields=True):
    """What can change of a version; what is not given stays."""

    set_tags: dict[str, str | None] = msgspec.field(default_factory=dict)
    remove_tags: list[str] = msgspec.field(default_factory=list)
    replace_tags: dict[str, str | None] | None = None
    add_properties: dict[str, str] = msgspec.field(default_factory=dict)
    add_datasets: dict[str, list[str]] = msgspec.field(default_factory=dict)
    description: str | msgspec.UnsetType | None = msgspec.UNSET
    sample_input_dataset_id: str | msgspec.UnsetType | None = msgspec.UNSET
    sample_output_dataset_id: str | msgspec.UnsetType | None = msgspec.UNSET
    resource_configuration: dict[str, Any] | msgspec.UnsetType | None = msgspec.UNSET


_FIELDS = (
    "description",
    "sample_input_dataset_id",
    "sample_output_dataset_id",
    "resource_configuration",
)


@post(_MODELS, status_code=201, sync_to_thread=True, request_max_body_size=LIST_MAX_BYTES)
def register(workspace_id: str, data: ModelRequest, request: Request) -> Model:
    """Register the next version of a model; a repeat returns what the first request made."""
    return usecase.register(
        workspace_id,
        data,
        caller=request.caller,
        store=request.store,
        now=datetime.now(UTC),
    )


@get(_MODELS, sync_to_thread=True)
def find(
    workspace_id: str,
    request: Request,
    name: str | None = None,
    run_id: str | None = None,
    framework: str | None = None,
    tags: Annotated[list[str] | None, QueryParameter(name="tag")] = None,
    properties: Annotated[list[str] | None, QueryParameter(name="property")] = None,
    latest: Annotated[bool, QueryParameter()] = False,  # noqa: FBT002
    limit: int = 100,
    cursor: int | None = None,
) -> Models:
    """List models, newest first. tag and property: `key` or `key=value`, all must match."""
    wanted = Filter(
        workspace_id=workspace_id,
        name=name,
        run_id=run_id,
        framework=framework,
        tags=[_label(text) for text in tags or ()],
        properties=[_label(text) for text in properties or ()],
        latest=latest,
    )
    return Models(
        *usecase.find_page(
            wanted, limit=limit, before=cursor, caller=request.caller, store=request.store
        )
    )


@get("/api/v1/models", sync_to_thread=True)
def find_everywhere(request: Request, limit: int = 100, cursor: int | None = None) -> Models:
    """List the models of all workspaces that the caller may see, newest first."""
    return Models(
        *usecase.find_page(
            Filter(), limit=limit, before=cursor, caller=request.caller, store=request.store
        )
    )


@get(_MODELS + "/{name:str}", sync_to_thread=True)
def get_one(workspace_id: str, name: str, request: Request, version: int | None = None) -> Model:
    """Return a version of a model, the highest without `version`."""
    return usecase.get(workspace_id, name, version, caller=request.caller, store=request.store)


@get(_VERSION, sync_to_thread=True)
def get_version(workspace_id: str, name: str, version: str, request: Request) -> Model:
    """Return one version of a model."""
    return usecase.get(
        workspace_id, name, _version(version), caller=request.caller, store=request.store
    )


@patch(_VERSION, sync_to_thread=True)
def change(
    workspace_id: str, name: str, version: str, data: ModelChange, request: Request
) -> Model:
    """Change a version; 400 property.immutable if a property has another value already."""
    given = given_fields(data)
    wanted = usecase.Change(
        fields={key: given[key] for key in _FIELDS if key in given},
        replace_tags=data.replace_tags,
        set_tags=data.set_tags,
        remove_tags=data.remove_tags,
        add_properties=data.add_properties,
        add_datasets=data.add_datasets,
    )
    return usecase.change(
        workspace_id,
        name,
        _version(version),
        wanted,
        caller=request.caller,
        store=request.store,
    )


@delete(_VERSION, sync_to_thread=True)
def remove(workspace_id: str, name: str, version: str, request: Request) -> None:
    """Remove a version; its number never comes again."""
    usecase.remove(
        workspace_id, name, _version(version), caller=request.caller, store=request.store
    )


@get(_VERSION + "/files/{file:path}", sync_to_thread=True)
def read_file(
    workspace_id: str, name: str, version: str, file: str, request: Request
) -> Response[bytes]:
    """Send one of a version's files, or the range of it that is asked for."""
    opened = usecase.open_file(
        workspace_id,
        name,
        _version(version),
        plain_name(file),
        caller=request.caller,
        store=request.store,
    )
    return Content(
        opened.file,
        name=opened.name,
        range_header=request.headers.get("range"),
        if_range=request.headers.get("if-range"),
        etag=opened.sha256,
    )


def _version(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Invalid("version", f"must be a whole number, not {text[:40]!r}")
    return int(text)


def _label(text: str) -> Label:
    key, equals, value = text.partition("=")
    return key, value if equals else None


HANDLERS = [
    register,
    find,
    find_everywhere,
    get_one,
    get_version,
    change,
    remove,
    read_file,
]
