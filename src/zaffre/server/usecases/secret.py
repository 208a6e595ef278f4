"""A workspace's secrets: set and removed by its owner, read by its runs as well."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from zaffre.contract import names
from zaffre.contract.errors import Invalid
from zaffre.contract.secret import Secret, SecretLine
from zaffre.server import seal
from zaffre.server.access import Caller, require, require_owner
from zaffre.server.store import secret as secrets
from zaffre.server.store import workspace as workspaces
from zaffre.server.store.store import Store

#: Longest value, bytes in UTF-8, as in v1's key vault.
VALUE_MAX_BYTES = 25_000
CONTENT_TYPE_MAX_CHARS = 255
#: Most secrets of one request.
BATCH_MAX = 1_000


def put(
    workspace_id: str,
    items: Sequence[Secret],
    *,
    caller: Caller,
    store: Store,
    now: datetime,
) -> None:
    """Set secrets, all or none; those that are there are replaced. The owner's token only."""
    require_owner(caller, "secret.set")
    _check_count(items)
    sealed = [(one, _sealed(store, workspace_id, one)) for one in items]
    with store.database.transaction(durable=True) as tx:
        workspaces.get(tx, workspace_id)
        for one, value in sealed:
            secrets.put(
                tx,
                workspace_id,
                one.name,
                content_type=one.content_type,
                sealed=value,
                now=now.timestamp(),
            )


def _sealed(store: Store, workspace_id: str, one: Secret) -> bytes:
    names.secret_name(one.name)
    names.plain_text(one.content_type, "content_type", max_chars=CONTENT_TYPE_MAX_CHARS)
    value = names.require_text(one.value, "value").encode()
    if len(value) > VALUE_MAX_BYTES:
        raise Invalid("value", f"has {len(value)} bytes, at most {VALUE_MAX_BYTES}")
    return seal.seal(store.key, _row_id(workspace_id, one.name), value)


def find(workspace_id: str, *, caller: Caller, store: Store) -> list[SecretLine]:
    """Return a workspace's secrets without their values."""
    require(caller, "secret.list", workspace_id)
    with store.database.reading() as tx:
        workspaces.get(tx, workspace_id)
        return secrets.find_all(tx, workspace_id)


def read(workspace_id: str, wanted: Sequence[str], *, caller: Caller, store: Store) -> list[Secret]:
    """Return those of the named secrets that are there, with their values."""
    require(caller, "secret.read", workspace_id)
    _check_count(wanted)
    with store.database.reading() as tx:
        workspaces.get(tx, workspace_id)
        found = secrets.find_sealed(tx, workspace_id, wanted)
    return [
        Secret(
            name, seal.unseal(store.key, _row_id(workspace_id, name), sealed).decode(), content_type
        )
        for name, content_type, sealed in found
    ]


def remove(workspace_id: str, unwanted: Sequence[str], *, caller: Caller, store: Store) -> int:
    """Remove secrets; return how many were there. The owner's token only."""
    require_owner(caller, "secret.remove")
    _check_count(unwanted)
    with store.database.transaction(durable=True) as tx:
        workspaces.get(tx, workspace_id)
        return secrets.remove(tx, workspace_id, unwanted)


def _check_count(items: Sequence[object]) -> None:
    if len(items) > BATCH_MAX:
        raise Invalid("items", f"has {len(items)} secrets, at most {BATCH_MAX}")


def _row_id(workspace_id: str, name: str) -> str:
    return f"secret/{workspace_id}/{name}"
