"""Files of runs: names that point to blobs. The last one of a name wins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from zaffre.contract.snapshot import FileEntry
from zaffre.server.store.database import Transaction
from zaffre.server.store.tables import artifacts

_SLICE = 500


@dataclass(frozen=True)
class Artifact:
    """One file of a run. created_at: Unix seconds, of the content that it has now."""

    name: str
    sha256: str
    size_bytes: int
    created_at: float


_columns = (
    artifacts.c.name,
    artifacts.c.sha256,
    artifacts.c.size_bytes,
    artifacts.c.created_at,
)


def put(tx: Transaction, run_key: int, files: Sequence[FileEntry], *, now: float) -> None:
    """Let names point to blobs, whatever they pointed to before."""
    insert = postgresql.insert if tx.connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(artifacts)
    statement = statement.on_conflict_do_update(
        index_elements=["run_key", "name"],
        set_={
            "sha256": statement.excluded.sha256,
            "size_bytes": statement.excluded.size_bytes,
            "created_at": statement.excluded.created_at,
        },
    )
    newest = {file.name: file for file in files}
    rows = [
        {
            "run_key": run_key,
            "name": name,
            "sha256": newest[name].sha256,
            "size_bytes": newest[name].size_bytes,
            "created_at": now,
        }
        for name in sorted(newest)
    ]
    for start in range(0, len(rows), _SLICE):
        tx.execute(statement, rows[start : start + _SLICE])


def find(tx: Transaction, run_key: int, name: str) -> Artifact | None:
    """Return the file of that name, or None."""
    row = tx.execute(
        sa.select(*_columns).where(artifacts.c.run_key == run_key, artifacts.c.name == name)
    ).first()
    return Artifact(*row) if row is not None else None


def find_all(tx: Transaction, run_key: int, prefix: str = "") -> list[Artifact]:
    """Return the files whose names begin with `prefix`, in no order."""
    query = sa.select(*_columns).where(artifacts.c.run_key == run_key)
    if prefix:
        query = query.where(sa.func.substr(artifacts.c.name, 1, len(prefix)) == prefix)
    return [Artifact(*row) for row in tx.execute(query)]


def remove(tx: Transaction, run_key: int, name: str) -> bool:
    """Forget a file; False if there was none."""
    removed = tx.execute(
        sa.delete(artifacts).where(artifacts.c.run_key == run_key, artifacts.c.name == name)
    )
    return removed.rowcount > 0


def sizes(files: Iterable[FileEntry]) -> dict[str, int]:
    """Return blob to size, as the entries say it."""
    return {file.sha256: file.size_bytes for file in files}
