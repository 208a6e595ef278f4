"""SQL of secrets. Values come sealed and go sealed; who may open them is the use cases' matter."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from zaffre.contract.secret import SecretLine
from zaffre.server.store.database import Transaction
from zaffre.server.store.tables import secrets


def put(
    tx: Transaction,
    workspace_id: str,
    name: str,
    *,
    content_type: str,
    sealed: bytes,
    now: float,
) -> None:
    """Store a secret; one of that name is replaced."""
    insert = postgresql.insert if tx.connection.dialect.name == "postgresql" else sqlite.insert
    values = {"content_type": content_type, "sealed": sealed, "changed_at": now}
    tx.execute(
        insert(secrets)
        .values(workspace_id=workspace_id, name=name, **values)
        .on_conflict_do_update(index_elements=["workspace_id", "name"], set_=values)
    )


def find_all(tx: Transaction, workspace_id: str) -> list[SecretLine]:
    """Return a workspace's secrets by name, without their values."""
    columns = (secrets.c.name, secrets.c.content_type, secrets.c.changed_at)
    rows: Any = tx.execute(
        sa.select(*columns).where(secrets.c.workspace_id == workspace_id).order_by(secrets.c.name)
    )
    return [
        SecretLine(
            row.name,
            row.content_type,
            datetime.fromtimestamp(row.changed_at, UTC),
        )
        for row in rows
    ]


def find_sealed(
    tx: Transaction, workspace_id: str, names: Sequence[str]
) -> list[tuple[str, str, bytes]]:
    """Return (name, content type, sealed value) of those that are there."""
    rows: Any = tx.execute(
        sa.select(secrets.c.name, secrets.c.content_type, secrets.c.sealed).where(
            secrets.c.workspace_id == workspace_id, secrets.c.name.in_(names)
        )
    )
    return [(row.name, row.content_type, row.sealed) for row in rows]


def remove(tx: Transaction, workspace_id: str, names: Sequence[str]) -> int:
    """Remove those that are there; return how many."""
    return tx.execute(
        sa.delete(secrets).where(secrets.c.workspace_id == workspace_id, secrets.c.name.in_(names))
    ).rowcount
