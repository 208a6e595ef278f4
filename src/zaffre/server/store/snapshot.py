"""Snapshots: stored once per workspace, by the hash of their manifest."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from zaffre.contract.errors import NotFound
from zaffre.contract.snapshot import FileEntry, Snapshot
from zaffre.server.store import blob as blobs
from zaffre.server.store.database import Transaction
from zaffre.server.store.tables import run_properties, runs, snapshots

#: The property of a run that names its snapshot; later ones have a number behind it.
SNAPSHOT_PROPERTY = "ContentSnapshotId"

_decoder = msgspec.json.Decoder(tuple[FileEntry, ...])


def put(tx: Transaction, workspace_id: str, snapshot: Snapshot, *, now: float) -> None:
    """Store a snapshot and that it holds its blobs; one that is there is only kept longer."""
    insert = postgresql.insert if tx.connection.dialect.name == "postgresql" else sqlite.insert
    tx.execute(
        insert(snapshots)
        .values(
            workspace_id=workspace_id,
            snapshot_id=snapshot.snapshot_id,
            created_at=now,
            files=msgspec.json.encode(snapshot.files).decode(),
        )
        .on_conflict_do_update(
            index_elements=["workspace_id", "snapshot_id"], set_={"created_at": now}
        )
    )
    owner = _owner(workspace_id, snapshot.snapshot_id)
    blobs.add_uses(tx, owner, (file.sha256 for file in snapshot.files))


def has(tx: Transaction, workspace_id: str, snapshot_id: str, *, since: float) -> bool:
    """Say whether the workspace has the snapshot, and was sent it at `since` or later."""
    query = sa.select(snapshots.c.snapshot_id).where(
        snapshots.c.workspace_id == workspace_id,
        snapshots.c.snapshot_id == snapshot_id,
        snapshots.c.created_at >= since,
    )
    return tx.execute(query).first() is not None


def remove_unnamed(tx: Transaction, *, before: float) -> int:
    """Remove snapshots that no run names and that were sent before `before`; return how many.

    A run names its own, and in properties those that it took later.
    """
    of_run = sa.select(sa.literal(1)).where(runs.c.snapshot_id == snapshots.c.snapshot_id)
    rows: Any = tx.execute(
        sa.select(snapshots.c.workspace_id, snapshots.c.snapshot_id).where(
            snapshots.c.created_at < before, sa.not_(of_run.exists())
        )
    ).all()
    ids = [row.snapshot_id for row in rows]
    named = set(
        tx.execute(
            sa.select(run_properties.c.value).where(
                run_properties.c.key.startswith(SNAPSHOT_PROPERTY), run_properties.c.value.in_(ids)
            )
        ).scalars()
    )
    count = 0
    for row in rows:
        if row.snapshot_id in named:
            continue
        tx.execute(
            sa.delete(snapshots).where(
                snapshots.c.workspace_id == row.workspace_id,
                snapshots.c.snapshot_id == row.snapshot_id,
                snapshots.c.created_at < before,
            )
        )
        blobs.remove_uses(tx, _owner(row.workspace_id, row.snapshot_id))
        count += 1
    return count


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


def _owner(workspace_id: str, snapshot_id: str) -> str:
    return f"{workspace_id}/snapshot/{snapshot_id}"
