"""Models: registered with the next version of their name, found, changed, removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy.exc

from zaffre.contract import names
from zaffre.contract.errors import Invalid, NotFound, PropertyImmutable
from zaffre.contract.model import Model, ModelRequest, model_id
from zaffre.server.access import Caller, require
from zaffre.server.store import blob as blobs
from zaffre.server.store import model as models
from zaffre.server.store import run_key as run_keys
from zaffre.server.store import workspace as workspaces
from zaffre.server.store.model import Filter
from zaffre.server.store.store import Store
from zaffre.server.usecases.file import OpenFile, check_entries, require_there

PAGE_MAX = 1_000
DESCRIPTION_MAX_CHARS = 5_000
TEXT_MAX_CHARS = 255
DATASETS_MAX = 1_000
RESOURCES_MAX_BYTES = 10_000


@dataclass(frozen=True)
class Change:
    """What is to change of a version. fields: those that are given, by their names.

    replace_tags: the tags from now on; None keeps them, before set_tags and remove_tags.
    """

    fields: dict[str, Any] = field(default_factory=dict)
    replace_tags: dict[str, str | None] | None = None
    set_tags: dict[str, str | None] = field(default_factory=dict)
    remove_tags: Sequence[str] = ()
    add_properties: dict[str, str] = field(default_factory=dict)
    add_datasets: dict[str, list[str]] = field(default_factory=dict)


def register(
    workspace_id: str,
    request: ModelRequest,
    *,
    caller: Caller,
    store: Store,
    now: datetime,
) -> Model:
    """Store the next version of a model; a repeat of the request returns what it has made.

    When this returns, files and record survive power loss. Raises BlobsMissing.
    """
    require(caller, "model.register", workspace_id)
    model = _parse(workspace_id, request, caller=caller, now=now)
    key = f"{workspace_id}/{request.idempotency_key}"
    with store.database.reading() as tx:
        workspaces.get(tx, workspace_id)
        made = models.find_made(tx, key)
        if made is not None:
            return _repeat(made, request)
        if request.run_id is not None:
            run = run_keys.find(tx, request.run_id)
            if run is None or run.workspace_id != workspace_id:
                raise NotFound("run", request.run_id)
            model = replace(model, experiment_name=run.experiment_name)
    sizes = require_there(model.files, caller=caller, store=store)
    store.blobs.sync(sizes)
    try:
        return _insert(model, request, key, sizes, store)
    except sqlalchemy.exc.IntegrityError:
        # The same key for another name, at the same time.
        return _insert(model, request, key, sizes, store)


def _insert(
    model: Model, request: ModelRequest, key: str, sizes: dict[str, int], store: Store
) -> Model:
    with store.database.transaction(durable=True) as tx:
        last = models.lock_name(tx, model.workspace_id, model.name)
        made = models.find_made(tx, key)
        if made is not None:
            return _repeat(made, request)
        blobs.use(tx, store.blobs, sizes)
        store.blobs.sync(sizes)  # sent again since: nothing to do but in that case
        version = last + 1
        model = replace(model, version=version, model_id=model_id(model.name, version))
        models.insert(tx, model, idempotency_key=key)
        return model


def _parse(workspace_id: str, request: ModelRequest, *, caller: Caller, now: datetime) -> Model:
    """Return the model of a request, with version 0 for now."""
    name = names.model_name(request.name)
    if not 1 <= len(request.idempotency_key) <= 200:
        raise Invalid("idempotency_key", "has 1 to 200 characters")
    if not request.files:
        raise Invalid("files", "a model has at least one file")
    files = check_entries(request.files, "files")
    if len({file.name for file in files}) < len(files):
        raise Invalid("files", "name a file twice")
    return Model(
        model_id=model_id(name, 0),
        workspace_id=workspace_id,
        name=name,
        version=0,
        created_at=now,
        files=files,
        folder=request.folder,
        tags=names.label(request.tags, "tags"),
        properties=_properties(request.properties),
        description=_text(request.description, "description", DESCRIPTION_MAX_CHARS),
        framework=_text(request.framework, "framework"),
        framework_version=_text(request.framework_version, "framework_version"),
        run_id=request.run_id,
        created_by=caller.name,
        sample_input_dataset_id=_text(request.sample_input_dataset_id, "sample_input_dataset_id"),
        sample_output_dataset_id=_text(
            request.sample_output_dataset_id, "sample_output_dataset_id"
        ),
        resource_configuration=_resources(request.resource_configuration),
        datasets=_datasets({}, request.datasets),
    )


def _repeat(made: Model, request: ModelRequest) -> Model:
    if made.name != request.name:
        raise Invalid("idempotency_key", f"was used to register {made.model_id!r}")
    return made


def get(
    workspace_id: str, name: str, version: int | None, *, caller: Caller, store: Store
) -> Model:
    """Return a version of a model, the highest without `version`."""
    require(caller, "model.read", workspace_id)
    if version is not None and not 0 <= version < 2**31:
        raise NotFound("model", f"{name}:{version}")
    with store.database.reading() as tx:
        return models.get(tx, workspace_id, name, version)


def find_page(
    wanted: Filter, *, limit: int, before: int | None, caller: Caller, store: Store
) -> tuple[list[Model], int | None]:
    """Return models newest first, and the cursor of the next page."""
    if not 1 <= limit <= PAGE_MAX:
        raise Invalid("limit", f"must be from 1 to {PAGE_MAX}")
    if before is not None and not 0 <= before < 2**63:
        raise Invalid("cursor", "is not a cursor of this list")
    if wanted.workspace_id is None:
        wanted = replace(wanted, workspace_id=caller.workspace_id)
    else:
        require(caller, "model.read", wanted.workspace_id)
    with store.database.reading() as tx:
        return models.find_page(tx, wanted, limit=limit, before=before)


def change(
    workspace_id: str,
    name: str,
    version: int,
    wanted: Change,
    *,
    caller: Caller,
    store: Store,
) -> Model:
    """Change a version. Raises PropertyImmutable for a property that has another value."""
    require(caller, "model.change", workspace_id)
    with store.database.transaction(durable=True) as tx:
        model = models.get_for_change(tx, workspace_id, name, version)
        changed = changed_model(model, wanted)
        models.replace(tx, changed)
    return changed


def changed_model(model: Model, wanted: Change) -> Model:
    """Return `model` with what is wanted of it changed."""
    tags = model.tags
    if wanted.replace_tags is not None:
        tags = names.label(wanted.replace_tags, "replace_tags")
    tags = {**tags, **names.label(wanted.set_tags, "set_tags")}
    for key in wanted.remove_tags:
        tags.pop(key, None)
    properties = dict(model.properties)
    for key, value in _properties(wanted.add_properties).items():
        if properties.setdefault(key, value) != value:
            raise PropertyImmutable(key, old=properties[key], new=value)
    fields = dict(wanted.fields)
    for key in ("sample_input_dataset_id", "sample_output_dataset_id"):
        if key in fields:
            fields[key] = _text(fields[key], key)
    if "description" in fields:
        text = _text(fields["description"], "description", DESCRIPTION_MAX_CHARS)
        fields["description"] = text
    if "resource_configuration" in fields:
        fields["resource_configuration"] = _resources(fields["resource_configuration"])
    datasets = _datasets(model.datasets, wanted.add_datasets)
    return replace(model, tags=tags, properties=properties, datasets=datasets, **fields)


def remove(workspace_id: str, name: str, version: int, *, caller: Caller, store: Store) -> None:
    """Remove a version; its number never comes again, its bytes go with the next collection."""
    require(caller, "model.remove", workspace_id)
    with store.database.transaction(durable=True) as tx:
        models.remove(tx, workspace_id, name, version)


def open_file(
    workspace_id: str, name: str, version: int, file: str, *, caller: Caller, store: Store
) -> OpenFile:
    """Open one of a version's files."""
    wanted = names.file_name(file)
    model = get(workspace_id, name, version, caller=caller, store=store)
    for entry in model.files:
        if entry.name == wanted:
            return OpenFile(entry.name, store.blobs.open(entry.sha256), entry.sha256)
    raise NotFound("file", wanted, f"The model's files are {[f.name for f in model.files[:20]]}.")


def _properties(given: dict[str, str]) -> dict[str, str]:
    return {key: value or "" for key, value in names.label(given, "properties").items()}


def _datasets(known: dict[str, list[str]], added: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return what datasets were used for, with more of them; each stands once."""
    datasets = {use: list(ids) for use, ids in known.items()}
    for use, ids in added.items():
        listed = datasets.setdefault(
            names.plain_text(use, "datasets", max_chars=TEXT_MAX_CHARS), []
        )
        listed += [one for one in map(names.dataset_id, dict.fromkeys(ids)) if one not in listed]
    if sum(map(len, datasets.values())) > DATASETS_MAX:
        raise Invalid("datasets", f"a model has at most {DATASETS_MAX} datasets")
    return datasets


def _text(value: str | None, field: str, max_chars: int = TEXT_MAX_CHARS) -> str | None:
    return None if value is None else names.plain_text(value, field, max_chars=max_chars)


def _resources(value: dict[str, Any] | None) -> dict[str, Any] | None:
    if value is not None and len(msgspec.json.encode(value)) > RESOURCES_MAX_BYTES:
        raise Invalid("resource_configuration", f"is longer than {RESOURCES_MAX_BYTES} bytes")
    return value
