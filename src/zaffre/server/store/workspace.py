"""SQL of workspaces."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from zaffre.contract.errors import NotFound
from zaffre.contract.workspace import DeletedWorkspace, Workspace
from zaffre.server.store.database import Transaction
from zaffre.server.store.tables import workspaces

_reader = msgspec.json.Decoder(Workspace)
_by_id = sa.select(workspaces.c.record).where(
    workspaces.c.workspace_id == sa.bindparam("workspace_id"), workspaces.c.removal_at.is_(None)
)


def _read(row: Any) -> Workspace:
    return _reader.decode(row.record)


def insert(tx: Transaction, workspace: Workspace) -> None:
    """Store a new workspace. Raises sqlalchemy's IntegrityError if its names are taken."""
    tx.execute(
        sa.insert(workspaces),
        {
            "workspace_id": workspace.workspace_id,
            "name": workspace.name,
            "subscription_id": workspace.subscription_id,
            "resource_group": workspace.resource_group,
            "record": msgspec.json.encode(workspace).decode(),
            "created_at": workspace.created_at.timestamp(),
        },
    )


def replace(tx: Transaction, workspace: Workspace) -> None:
    """Store a changed workspace; its names and id stay."""
    tx.execute(
        sa.update(workspaces)
        .where(workspaces.c.workspace_id == workspace.workspace_id)
        .values(record=msgspec.json.encode(workspace).decode())
    )


def get(tx: Transaction, workspace_id: str) -> Workspace:
    """Return a workspace by id."""
    row = tx.execute(_by_id, {"workspace_id": workspace_id}).first()
    if row is None:
        raise NotFound("workspace", workspace_id)
    return _read(row)


def lock(tx: Transaction, workspace_id: str) -> Workspace:
    """Return a workspace that this transaction is about to change."""
    row = tx.execute(_by_id.with_for_update(), {"workspace_id": workspace_id}).first()
    if row is None:
        raise NotFound("workspace", workspace_id)
    return _read(row)


def find_named(
    tx: Transaction, *, subscription_id: str, resource_group: str, name: str
) -> Workspace | None:
    """Return the workspace of these three names, if there is one."""
    row = tx.execute(
        sa.select(workspaces.c.record).where(
            workspaces.c.subscription_id == subscription_id,
            workspaces.c.resource_group == resource_group,
            workspaces.c.name == name,
            workspaces.c.removal_at.is_(None),
        )
    ).first()
    return None if row is None else _read(row)


def find_all(
    tx: Transaction,
    *,
    name: str | None = None,
    subscription_id: str | None = None,
    resource_group: str | None = None,
    workspace_id: str | None = None,
) -> list[Workspace]:
    """Return the workspaces that match everything given, oldest first."""
    query = (
        sa.select(workspaces.c.record)
        .where(workspaces.c.removal_at.is_(None))
        .order_by(workspaces.c.created_at)
    )
    given = {
        "name": name,
        "subscription_id": subscription_id,
        "resource_group": resource_group,
        "workspace_id": workspace_id,
    }
    for column, value in given.items():
        if value is not None:
            query = query.where(workspaces.c[column] == value)
    return [_read(row) for row in tx.execute(query)]


def hide(tx: Transaction, workspace_id: str, removal_at: float | None) -> None:
    """Hide a workspace; what it holds goes at `removal_at`. None: show it again.

    Raises sqlalchemy's IntegrityError if its names were taken meanwhile.
    """
    tx.execute(
        sa.update(workspaces)
        .where(workspaces.c.workspace_id == workspace_id)
        .values(removal_at=removal_at)
    )


def find_hidden(tx: Transaction) -> list[DeletedWorkspace]:
    """Return the workspaces that were deleted, the last to go first."""
    rows: Any = tx.execute(
        sa.select(workspaces.c.record, workspaces.c.removal_at)
        .where(workspaces.c.removal_at.is_not(None))
        .order_by(workspaces.c.removal_at.desc())
    )
    return [
        DeletedWorkspace(_read(row), datetime.fromtimestamp(row.removal_at, UTC)) for row in rows
    ]


def find_removal(tx: Transaction, workspace_id: str) -> float | None:
    """Return when a hidden workspace goes; None for one that is not hidden or not there."""
    return tx.execute(
        sa.select(workspaces.c.removal_at).where(workspaces.c.workspace_id == workspace_id)
    ).scalar()
