"""SQL of datastores. Credentials come sealed and go sealed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from zaffre.contract.datastore import Datastore, DatastoreKind
from zaffre.server.store.database import Transaction
from zaffre.server.store.tables import datastores, workspaces

_settings = msgspec.json.Decoder(dict[str, str | int | bool | None])


def insert(tx: Transaction, store: Datastore, sealed: bytes | None) -> None:
    """Store a new datastore. Raises sqlalchemy's IntegrityError if its name is taken."""
    tx.execute(
        sa.insert(datastores).values(
            workspace_id=store.workspace_id,
            name_key=store.name.lower(),
            name=store.name,
            kind=store.kind.value,
            settings=msgspec.json.encode(store.settings).decode(),
            created_at=store.created_at.timestamp(),
            sealed=sealed,
        )
    )


def find_all(tx: Transaction, workspace_id: str) -> list[Datastore]:
    """Return a workspace's registered datastores by name, without credentials."""
    rows = tx.execute(
        sa.select(datastores)
        .where(datastores.c.workspace_id == workspace_id)
        .order_by(datastores.c.name_key)
    )
    return [_read(row) for row in rows]


def find(tx: Transaction, workspace_id: str, name: str) -> tuple[Datastore, bytes | None] | None:
    """Return a registered datastore and its sealed credentials, or None."""
    row: Any = tx.execute(sa.select(datastores).where(_one(workspace_id, name))).first()
    return None if row is None else (_read(row), row.sealed)


def remove(tx: Transaction, workspace_id: str, name: str) -> bool:
    """Remove a datastore; say whether it was there."""
    return tx.execute(sa.delete(datastores).where(_one(workspace_id, name))).rowcount > 0


def find_default(tx: Transaction, workspace_id: str) -> str | None:
    """Return the key of the default datastore's name, None if none was chosen."""
    return tx.execute(
        sa.select(workspaces.c.default_datastore).where(workspaces.c.workspace_id == workspace_id)
    ).scalar()


def set_default(tx: Transaction, workspace_id: str, name: str | None) -> None:
    """Choose the default datastore; None: the first built-in one."""
    tx.execute(
        sa.update(workspaces)
        .where(workspaces.c.workspace_id == workspace_id)
        .values(default_datastore=None if name is None else name.lower())
    )


def _one(workspace_id: str, name: str) -> sa.ColumnElement[bool]:
    return sa.and_(datastores.c.workspace_id == workspace_id, datastores.c.name_key == name.lower())


def _read(row: Any) -> Datastore:
    return Datastore(
        row.workspace_id,
        row.name,
        DatastoreKind(row.kind),
        _settings.decode(row.settings),
        datetime.fromtimestamp(row.created_at, UTC),
        has_credentials=row.sealed is not None,
    )
