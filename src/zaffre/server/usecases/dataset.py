"""Datasets: saved by their definition, registered with the next version of a name, found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import msgspec
import sqlalchemy.exc

from zaffre.contract import names
from zaffre.contract.dataset import Dataset, DatasetRequest
from zaffre.contract.errors import AlreadyExists, Invalid, NotFound
from zaffre.server.access import Caller, require
from zaffre.server.store import dataset as datasets
from zaffre.server.store import workspace as workspaces
from zaffre.server.store.store import Store

PAGE_MAX = 1_000
DESCRIPTION_MAX_CHARS = 5_000
DEFINITION_MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class Change:
    """What is to change of a dataset. description: the new one, None keeps it.

    replace_tags: the tags from now on; None keeps them, before set_tags and remove_tags.
    """

    description: str | None = None
    replace_tags: dict[str, str | None] | None = None
    set_tags: dict[str, str | None] | None = None
    remove_tags: tuple[str, ...] = ()


def save(
    workspace_id: str,
    dataset_id: str,
    request: DatasetRequest,
    *,
    caller: Caller,
    store: Store,
    now: datetime,
) -> Dataset:
    """Store a dataset under a client-made id; a repeat of the request returns what it has made.

    With a name it becomes that name's next version. Raises AlreadyExists for a name that has
    versions unless `create_new_version`.
    """
    require(caller, "dataset.save", workspace_id)
    dataset = _parse(workspace_id, dataset_id, request, caller=caller, now=now)
    try:
        return _insert(dataset, request, store)
    except sqlalchemy.exc.IntegrityError:
        # The same id without a name, at the same time.
        return _insert(dataset, request, store)


def _insert(dataset: Dataset, request: DatasetRequest, store: Store) -> Dataset:
    workspace_id, name = dataset.workspace_id, dataset.name
    with store.database.transaction(durable=True) as tx:
        workspaces.get(tx, workspace_id)
        last = 0 if name is None else datasets.lock_name(tx, workspace_id, name)
        made = datasets.find(tx, workspace_id, dataset.dataset_id)
        if made is not None:
            return _repeat(made, dataset)
        if name is not None:
            known = datasets.find_named(tx, workspace_id, name, None)
            if known is not None and not request.create_new_version:
                raise AlreadyExists("dataset", name)
            dataset = replace(dataset, version=last + 1)
        datasets.insert(tx, dataset)
        return dataset


def _parse(
    workspace_id: str, dataset_id: str, request: DatasetRequest, *, caller: Caller, now: datetime
) -> Dataset:
    if len(msgspec.json.encode(request.definition)) > DEFINITION_MAX_BYTES:
        raise Invalid("definition", f"is longer than {DEFINITION_MAX_BYTES:,} bytes")
    if not request.definition.sources:
        raise Invalid("definition", "names no source")
    return Dataset(
        dataset_id=names.dataset_id(dataset_id),
        workspace_id=workspace_id,
        definition=request.definition,
        created_at=now,
        name=None if request.name is None else names.dataset_name(request.name),
        description=_description(request.description),
        tags=names.label(request.tags, "tags"),
        created_by=caller.name,
    )


def _repeat(made: Dataset, wanted: Dataset) -> Dataset:
    if (made.name, made.definition) != (wanted.name, wanted.definition):
        raise Invalid("dataset_id", f"{made.dataset_id!r} is another dataset's")
    return made


def get(workspace_id: str, dataset_id: str, *, caller: Caller, store: Store) -> Dataset:
    """Return a dataset by its id. Raises NotFound."""
    require(caller, "dataset.read", workspace_id)
    with store.database.reading() as tx:
        found = datasets.find(tx, workspace_id, dataset_id)
    if found is None:
        raise NotFound("dataset", dataset_id)
    return found


def get_named(
    workspace_id: str, name: str, version: int | None, *, caller: Caller, store: Store
) -> Dataset:
    """Return a registered version, the newest without `version`. Raises NotFound."""
    require(caller, "dataset.read", workspace_id)
    with store.database.reading() as tx:
        known = version is None or 0 < version < 2**31
        found = datasets.find_named(tx, workspace_id, name, version) if known else None
    if found is None:
        raise NotFound("dataset", name if version is None else f"{name}:{version}")
    return found


def find_newest(
    workspace_id: str, *, limit: int, before: int | None, caller: Caller, store: Store
) -> tuple[list[Dataset], int | None]:
    """Return the newest version of each name and the cursor of the next page."""
    require(caller, "dataset.read", workspace_id)
    if not 1 <= limit <= PAGE_MAX:
        raise Invalid("limit", f"must be from 1 to {PAGE_MAX}")
    if before is not None and not 0 <= before < 2**63:
        raise Invalid("cursor", "is not a cursor of this list")
    with store.database.reading() as tx:
        return datasets.find_newest(tx, workspace_id, limit=limit, before=before)


def change(
    workspace_id: str, dataset_id: str, wanted: Change, *, caller: Caller, store: Store
) -> Dataset:
    """Change description or tags. Raises NotFound."""
    require(caller, "dataset.change", workspace_id)
    with store.database.transaction(durable=True) as tx:
        dataset = datasets.get_for_change(tx, workspace_id, dataset_id)
        tags = dataset.tags
        if wanted.replace_tags is not None:
            tags = names.label(wanted.replace_tags, "replace_tags")
        tags = {**tags, **names.label(wanted.set_tags or {}, "set_tags")}
        for key in wanted.remove_tags:
            tags.pop(key, None)
        description = _description(wanted.description)
        if description is None:
            description = dataset.description
        changed = replace(dataset, tags=tags, description=description)
        datasets.replace_record(tx, changed)
    return changed


def unregister(workspace_id: str, name: str, *, caller: Caller, store: Store) -> int:
    """Take a name from all its versions, which stay reachable by id; return how many there were."""
    require(caller, "dataset.unregister", workspace_id)
    with store.database.transaction(durable=True) as tx:
        datasets.lock_name(tx, workspace_id, name)
        return datasets.unregister(tx, workspace_id, name)


def _description(text: str | None) -> str | None:
    if text is None:
        return None
    return names.plain_text(text, "description", max_chars=DESCRIPTION_MAX_CHARS)
