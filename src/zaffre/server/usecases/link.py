"""Links to other services: set and removed by the owner, read by the workspace's runs as well."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from zaffre.contract import names
from zaffre.contract.errors import Invalid
from zaffre.contract.link import Link, LinkKind, LinkRequest
from zaffre.server import seal
from zaffre.server.access import Caller, require, require_owner
from zaffre.server.store import link as links
from zaffre.server.store import workspace as workspaces
from zaffre.server.store.store import Store

FACT_MAX_CHARS = 2_000
FACTS_MAX = 50
SECRET_MAX_BYTES = 25_000


def put(
    workspace_id: str,
    kind: LinkKind,
    name: str,
    request: LinkRequest,
    *,
    caller: Caller,
    store: Store,
    now: datetime,
) -> Link:
    """Set a link; one of that kind and name is replaced. The owner's token only."""
    require_owner(caller, f"{kind.value}.set")
    link = Link(kind, names.link_name(name), now, _facts(request.facts))
    sealed = None
    if request.secret is not None:
        secret = names.require_text(request.secret, "secret").encode()
        if len(secret) > SECRET_MAX_BYTES:
            raise Invalid("secret", f"has {len(secret)} bytes, at most {SECRET_MAX_BYTES}")
        sealed = seal.seal(store.key, _row_id(workspace_id, kind, name), secret)
    with store.database.transaction(durable=True) as tx:
        workspaces.get(tx, workspace_id)
        links.put(tx, workspace_id, link, sealed)
    return link


def _facts(given: dict[str, str]) -> dict[str, str]:
    if len(given) > FACTS_MAX:
        raise Invalid("facts", f"has {len(given)} entries, at most {FACTS_MAX}")
    return {
        names.plain_text(key, "facts", max_chars=names.TAG_KEY_MAX_CHARS): names.plain_text(
            value, f"facts.{key}", max_chars=FACT_MAX_CHARS
        )
        for key, value in given.items()
    }


def find(workspace_id: str, kind: LinkKind, *, caller: Caller, store: Store) -> list[Link]:
    """Return a workspace's links of a kind by name, without credentials."""
    require(caller, f"{kind.value}.list", workspace_id)
    with store.database.reading() as tx:
        workspaces.get(tx, workspace_id)
        return links.find_all(tx, workspace_id, kind)


def get(workspace_id: str, kind: LinkKind, name: str, *, caller: Caller, store: Store) -> Link:
    """Return one link with its credential. Raises NotFound."""
    require(caller, f"{kind.value}.read", workspace_id)
    with store.database.reading() as tx:
        workspaces.get(tx, workspace_id)
        link, sealed = links.get(tx, workspace_id, kind, name)
    if sealed is None:
        return link
    secret = seal.unseal(store.key, _row_id(workspace_id, kind, name), sealed)
    return replace(link, secret=secret.decode())


def remove(workspace_id: str, kind: LinkKind, name: str, *, caller: Caller, store: Store) -> bool:
    """Remove a link; say whether it was there. The owner's token only."""
    require_owner(caller, f"{kind.value}.remove")
    with store.database.transaction(durable=True) as tx:
        workspaces.get(tx, workspace_id)
        return links.remove(tx, workspace_id, kind, name)


def _row_id(workspace_id: str, kind: LinkKind, name: str) -> str:
    return f"link/{workspace_id}/{kind.value}/{name}"
