"""Garbage: blobs that nothing names. Marked in one transaction, removed in another.

Between the two, whoever needs the blob takes the mark off (`store.blob`). The removal holds the
row, looks again at who uses the blob, and moves the file aside before it deletes the row: if the
commit fails, a marked row without a file is left, which counts as "not here".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from zaffre.server.store.blob import BlobFolder, unused
from zaffre.server.store.database import Transaction
from zaffre.server.store.tables import blobs


@dataclass(frozen=True)
class Removed:
    """A blob that was removed: its size, and where its bytes wait to be unlinked."""

    sha256: str
    size_bytes: int
    aside: Path | None


def find_unused(tx: Transaction, *, before: float) -> list[str]:
    """Return blobs that nothing names and that nobody was promised beyond `before`, sorted."""
    query = sa.select(blobs.c.sha256).where(blobs.c.kept_until < before, unused())
    return sorted(tx.execute(query).scalars())


def mark(tx: Transaction, names: Sequence[str], *, before: float, now: float) -> int:
    """Mark those of `names` that are garbage still; return how many."""
    locked = _lock(tx, names)
    marked = tx.execute(
        sa.update(blobs)
        .where(blobs.c.sha256.in_(locked), blobs.c.kept_until < before, unused())
        .values(marked_at=now)
    )
    return marked.rowcount


def remove(tx: Transaction, folder: BlobFolder, names: Sequence[str]) -> list[Removed]:
    """Remove those of `names` that are marked and unused; take the mark off those in use."""
    locked = _lock(tx, names)
    # A statement of its own: it sees what was committed while the locks were waited for.
    rows = tx.execute(
        sa.select(blobs.c.sha256, blobs.c.size_bytes).where(
            blobs.c.sha256.in_(locked), blobs.c.marked_at.is_not(None), unused()
        )
    )
    gone = [Removed(row.sha256, row.size_bytes, folder.set_aside(row.sha256)) for row in rows]
    tx.execute(sa.delete(blobs).where(blobs.c.sha256.in_([one.sha256 for one in gone])))
    tx.execute(
        sa.update(blobs)
        .where(blobs.c.sha256.in_(locked), blobs.c.marked_at.is_not(None))
        .values(marked_at=None)
    )
    return gone


def add_orphans(tx: Transaction, names: Sequence[str], folder: BlobFolder, *, now: float) -> int:
    """Give files without a row one, so that they go like other garbage; return how many.

    A crash between the rename and the commit of an upload leaves such a file.
    """
    known = set(tx.execute(sa.select(blobs.c.sha256).where(blobs.c.sha256.in_(names))).scalars())
    count = 0
    for name in names:
        if name in known:
            continue
        try:
            status = folder.file_path(name).stat()
        except FileNotFoundError:
            continue
        tx.execute(
            sa.insert(blobs).values(
                sha256=name, size_bytes=status.st_size, created_at=now, kept_until=0.0
            )
        )
        count += 1
    return count


def _lock(tx: Transaction, names: Sequence[str]) -> list[str]:
    """Lock those of `names` that are there, in their order, and return them.

    All that follows keeps to these: a row that has come since is somebody else's, and to wait for
    it now, behind the locks of later names, could be to wait for ever.
    """
    rows = tx.execute(
        sa.select(blobs.c.sha256)
        .where(blobs.c.sha256.in_(names))
        .order_by(blobs.c.sha256)
        .with_for_update()
    )
    return list(rows.scalars())
