"""Logs: files of a run that grow while it lives.

The bytes are in a folder, logs/<run_key>/<hash of the name>; the database only knows the names.
The file's size is the offset that the next piece must start at. A piece is appended under the
file's lock, so of two that ship the same log one is told where to go on.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from zaffre.contract.errors import OffsetConflict
from zaffre.server.store.blob import full_disk_is_said
from zaffre.server.store.database import Transaction
from zaffre.server.store.tables import run_logs


@dataclass(frozen=True)
class Log:
    """One log of a run. created_at: Unix seconds."""

    name: str
    created_at: float


def file_path(logs_path: Path, run_key: int, name: str) -> Path:
    """Return where a log's bytes are. Names become hashes, so no name is ever a path."""
    return logs_path / str(run_key) / hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()


def append(path: Path, offset: int, piece: bytes) -> int:
    """Add `piece` at `offset`, which must be the file's size; return the new size.

    Raises OffsetConflict saying the size, or StoreFull; then nothing was added.
    """
    with full_disk_is_said():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        size = os.fstat(fd).st_size
        if size != offset:
            raise OffsetConflict("This log", offset=size)
        view = memoryview(piece)
        try:
            with full_disk_is_said():
                while view:
                    view = view[os.pwrite(fd, view, offset + len(piece) - len(view)) :]
        except BaseException:
            os.ftruncate(fd, offset)
            raise
        return offset + len(piece)
    finally:
        os.close(fd)


def size_of(path: Path) -> int:
    """Return a log's size in bytes; 0 if nothing was written."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def open_log(path: Path) -> BinaryIO:
    """Open a log's bytes for reading; one that nothing was written to is empty."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
    return path.open("rb", buffering=0)  # pyright: ignore[reportReturnType]


def put(tx: Transaction, run_key: int, name: str, *, now: float) -> None:
    """Write down that a run has a log of that name."""
    insert = postgresql.insert if tx.connection.dialect.name == "postgresql" else sqlite.insert
    tx.execute(
        insert(run_logs).values(run_key=run_key, name=name, created_at=now).on_conflict_do_nothing()
    )


def has(tx: Transaction, run_key: int, name: str) -> bool:
    """Say whether the run has a log of that name."""
    query = sa.select(run_logs.c.name).where(run_logs.c.run_key == run_key, run_logs.c.name == name)
    return tx.execute(query).first() is not None


def find_all(tx: Transaction, run_key: int) -> list[Log]:
    """Return a run's logs, sorted by name."""
    rows = tx.execute(
        sa.select(run_logs.c.name, run_logs.c.created_at).where(run_logs.c.run_key == run_key)
    )
    return sorted((Log(*row) for row in rows), key=lambda log: log.name)
