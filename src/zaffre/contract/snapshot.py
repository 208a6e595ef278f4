"""Snapshots: a source folder as it was submitted, named by its content."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Iterable

#: Largest snapshot in bytes unless a setting says otherwise (v1's limit: its MB were 2**20).
SNAPSHOT_MAX_BYTES = 300 * 1024 * 1024


@dataclass(frozen=True)
class FileEntry:
    """One file of a snapshot, a model or a run: its name, content and size.

    name: as `names.file_name` gives it. sha256: 64 hex digits. executable: its owner's x bit.
    """

    name: str
    sha256: str
    size_bytes: int
    executable: bool = False


@dataclass(frozen=True)
class Snapshot:
    """The files of a snapshot, sorted by name."""

    snapshot_id: str
    files: tuple[FileEntry, ...]


def snapshot_id(files: Iterable[FileEntry]) -> str:
    """Return a snapshot's id: the SHA-256 of its sorted manifest, so equal folders share it."""
    manifest = sorted((f.name, f.sha256, f.size_bytes, f.executable) for f in files)
    return hashlib.sha256(json.dumps(manifest, separators=(",", ":")).encode()).hexdigest()
