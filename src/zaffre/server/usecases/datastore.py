"""Datastores: registered by the owner, used by the workspace's runs as well.

The built-in ones of a workspace are folders of the home; they have no rows.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from zaffre.contract import datastore as contract
from zaffre.contract import names
from zaffre.contract.datastore import Datastore, DatastoreRequest
from zaffre.contract.errors import AlreadyExists, Invalid, NotFound
from zaffre.contract.workspace import Workspace
from zaffre.server import seal
from zaffre.server.access import Caller, require, require_owner
from zaffre.server.store import datastore as datastores
from zaffre.server.store import workspace as workspaces
from zaffre.server.store.database import Transaction
from zaffre.server.store.store import Store

SETTINGS_MAX = 50
SETTING_MAX_CHARS = 2_000
CREDENTIALS_MAX_BYTES = 25_000


def folder(home: Path, workspace_id: str) -> Path:
    """Return where the files of a workspace's built-in datastores are."""
    return home / "datastores" / workspace_id


def register(
    workspace_id: str,
    name: str,
    request: DatastoreRequest,
    *,
    caller: Caller,
    store: Store,
    now: datetime,
) -> Datastore:
    """Register a datastore. Raises AlreadyExists unless `overwrite`. The owner's token only."""
    require_owner(caller, "datastore.register")
    names.datastore_name(name)
    made = Datastore(
        workspace_id,
        name,
        request.kind,
        _settings(request.settings),
        now,
        has_credentials=bool(request.credentials),
    )
    if name.lower() in contract.BUILT_IN:
        raise AlreadyExists("datastore", name, "It is built in; register another name.")
    sealed = _sealed(store, workspace_id, name, request.credentials)
    with store.database.transaction(durable=True) as tx:
        workspaces.lock(tx, workspace_id)
        if request.overwrite:
            datastores.remove(tx, workspace_id, name)
        elif datastores.find(tx, workspace_id, name) is not None:
            raise AlreadyExists("datastore", name, "Pass overwrite=True to replace it.")
        datastores.insert(tx, made, sealed)
        return _marked(tx, workspace_id, [made])[0]


def _settings(given: dict[str, str | int | bool | None]) -> dict[str, str | int | bool | None]:
    if len(given) > SETTINGS_MAX:
        raise Invalid("settings", f"has {len(given)} entries, at most {SETTINGS_MAX}")
    for key, value in given.items():
        names.plain_text(key, "settings", max_chars=names.TAG_KEY_MAX_CHARS)
        if isinstance(value, str):
            names.plain_text(value, f"settings.{key}", max_chars=SETTING_MAX_CHARS)
    return given


def _sealed(
    store: Store, workspace_id: str, name: str, credentials: dict[str, str]
) -> bytes | None:
    if not credentials:
        return None
    text = json.dumps(credentials).encode()
    if len(text) > CREDENTIALS_MAX_BYTES:
        raise Invalid("credentials", f"have {len(text)} bytes, at most {CREDENTIALS_MAX_BYTES}")
    return seal.seal(store.key, _row_id(workspace_id, name), text)


def find(workspace_id: str, *, caller: Caller, store: Store) -> list[Datastore]:
    """Return a workspace's datastores, the built-in ones first, without credentials."""
    require(caller, "datastore.list", workspace_id)
    with store.database.reading() as tx:
        workspace = workspaces.get(tx, workspace_id)
        found = [_built_in(store, workspace, name) for name in contract.BUILT_IN]
        return _marked(tx, workspace_id, [*found, *datastores.find_all(tx, workspace_id)])


def get(workspace_id: str, name: str, *, caller: Caller, store: Store) -> Datastore:
    """Return one datastore without credentials. Raises NotFound."""
    require(caller, "datastore.read", workspace_id)
    with store.database.reading() as tx:
        found, _ = _get(tx, store, workspace_id, name)
        return _marked(tx, workspace_id, [found])[0]


def get_with_credentials(
    workspace_id: str, name: str, *, caller: Caller, store: Store
) -> Datastore:
    """Return one datastore with its credentials. Raises NotFound."""
    require(caller, "datastore.read_credentials", workspace_id)
    with store.database.reading() as tx:
        found, sealed = _get(tx, store, workspace_id, name)
        (found,) = _marked(tx, workspace_id, [found])
    if sealed is None:
        return found
    opened = seal.unseal(store.key, _row_id(workspace_id, name), sealed)
    return replace(found, credentials=json.loads(opened))


def get_default(workspace_id: str, *, caller: Caller, store: Store) -> Datastore:
    """Return the datastore that is used when none is named, without credentials."""
    require(caller, "datastore.read", workspace_id)
    with store.database.reading() as tx:
        name = datastores.find_default(tx, workspace_id) or contract.FIRST_DEFAULT
        found, _ = _get(tx, store, workspace_id, name)
    return replace(found, is_default=True)


def set_default(workspace_id: str, name: str, *, caller: Caller, store: Store) -> Datastore:
    """Choose the datastore that is used when none is named. The owner's token only."""
    require_owner(caller, "datastore.set_default")
    with store.database.transaction(durable=True) as tx:
        workspaces.lock(tx, workspace_id)
        found, _ = _get(tx, store, workspace_id, name)
        datastores.set_default(tx, workspace_id, name)
    return replace(found, is_default=True)


def remove(workspace_id: str, name: str, *, caller: Caller, store: Store) -> bool:
    """Remove a datastore's record, not its data; say whether it was there.

    One that was the default leaves that to the first built-in one. Raises Invalid for a built-in
    one. The owner's token only.
    """
    require_owner(caller, "datastore.remove")
    if name.lower() in contract.BUILT_IN:
        raise Invalid("datastore_name", f"{name!r} is built in and cannot be removed")
    with store.database.transaction(durable=True) as tx:
        workspaces.lock(tx, workspace_id)
        if datastores.find_default(tx, workspace_id) == name.lower():
            datastores.set_default(tx, workspace_id, None)
        return datastores.remove(tx, workspace_id, name)


def _get(
    tx: Transaction, store: Store, workspace_id: str, name: str
) -> tuple[Datastore, bytes | None]:
    workspace = workspaces.get(tx, workspace_id)
    if name.lower() in contract.BUILT_IN:
        return _built_in(store, workspace, name.lower()), None
    found = datastores.find(tx, workspace_id, name)
    if found is None:
        raise NotFound("datastore", name)
    return found


def _built_in(store: Store, workspace: Workspace, name: str) -> Datastore:
    """Return a built-in datastore; what v1 names of its storage is what it would be called."""
    workspace_id = workspace.workspace_id
    containers = {
        "workspaceblobstore": f"azureml-blobstore-{workspace_id}",
        "workspacefilestore": f"azureml-filestore-{workspace_id}",
        "workspaceartifactstore": "azureml",
        "workspaceworkingdirectory": f"code-{workspace_id}",
        "azureml_globaldatasets": "globaldatasets",
    }
    return Datastore(
        workspace_id,
        name,
        contract.BUILT_IN[name],
        {
            "account_name": "zaffre",
            "container_name": containers[name],
            "protocol": "https",
            "endpoint": "core.windows.net",
            "root": str(folder(store.settings.home, workspace_id) / name),
            "read_only": name == contract.READ_ONLY,
        },
        workspace.created_at,
        is_built_in=True,
    )


def _marked(tx: Transaction, workspace_id: str, found: list[Datastore]) -> list[Datastore]:
    """Return the datastores with `is_default` as it is now."""
    default = datastores.find_default(tx, workspace_id) or contract.FIRST_DEFAULT
    return [replace(one, is_default=one.name.lower() == default) for one in found]


def _row_id(workspace_id: str, name: str) -> str:
    return f"datastore/{workspace_id}/{name.lower()}"
