"""Snapshots: stored once per workspace, by the hash of their manifest."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from zaffre.contract.errors import NotFound
from zaffre.contract.snapshot import FileEntry, Snapshot
from zaffre.server.store import blob as blobs
from zaffre.server.store.database import Transaction
from zaffre.server.store.tables import snapshots

_decoder = msgspec.json.Decoder(tuple[FileEntry, ...])


def put(tx: Transaction, workspace_id: str, snapshot: Snapshot, *, now: float) -> None:
    """Store a snapshot and that it holds its blobs; one that is there stays as it is."""
    insert = postgresql.insert if tx.connection.dialect.name == "postgresql" else sqlite.insert
    tx.execute(
        insert(snapshots)
        .values(
            workspace_id=workspace_id,
            snapshot_id=snapshot.snapshot_id,
            created_at=now,
            files=msgspec.json.encode(snapshot.files).decode(),
        )
        .on_conflict_do_nothing()
    )
    owner = f"{workspace_id}/snapshot/{snapshot.snapshot_id}"
    blobs.add_uses(tx, owner, (file.sha256 for file in snapshot.files))


def has(tx: Transaction, workspace_id: str, snapshot_id: str) -> bool:
    """Say whether the workspace has the snapshot."""
    query = sa.select(snapshots.c.snapshot_id).where(
        snapshots.c.workspace_id == workspace_id, snapshots.c.snapshot_id == snapshot_id
    )
    return tx.execute(query).first() is not None


def get(tx: Transaction, workspace_id: str, snapshot_id: str) -> Snapshot:
    """Return a snapshot. Raises NotFound."""
    text = tx.execute(
        sa.select(snapshots.c.files).where(
            snapshots.c.workspace_id == workspace_id, snapshots.c.snapshot_id == snapshot_id
        )
    ).scalar_one_or_none()
    if text is None:
        raise NotFound("snapshot", snapshot_id)
    return Snapshot(snapshot_id, _decoder.decode(text))
