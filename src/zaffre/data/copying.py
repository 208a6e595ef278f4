"""Files from a store to this machine, and what there is on it to be sent."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import uuid
from pathlib import Path
from typing import Callable, Iterator

from zaffre.data.errors import TargetExists
from zaffre.data.stores.file_store import FileStore

#: Bytes that are copied between two calls of `on_bytes`.
_PIECE = 4 * 1024 * 1024


def fetch(
    store: FileStore,
    path: str,
    target: str,
    *,
    overwrite: bool,
    on_bytes: Callable[[int], None] | None = None,
) -> None:
    """Copy one file of a store to `target`; it appears there whole or not at all.

    on_bytes: told of each piece, bytes. Raises TargetExists, SourceMissing, OSError.
    """
    if not overwrite and os.path.lexists(target):
        raise TargetExists(target)
    folder = os.path.dirname(target)
    os.makedirs(folder or ".", exist_ok=True)
    partial = os.path.join(folder, f".{uuid.uuid4().hex[:12]}.part")
    try:
        local = store.local_path(path)
        if local is not None and on_bytes is None:
            shutil.copyfile(local, partial)
        else:
            with store.open(path) as source, open(partial, "wb") as copy:
                while piece := source.read(_PIECE):
                    copy.write(piece)
                    if on_bytes is not None:
                        on_bytes(len(piece))
        os.replace(partial, target)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(partial)


def files_below(folder: Path | str) -> Iterator[tuple[str, Path]]:
    """Give (path below the folder with '/', path) of all plain files, sorted.

    Links to folders are not followed, links to files are files.
    """
    root = Path(folder)
    for parent, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            path = Path(parent) / name
            with contextlib.suppress(FileNotFoundError):  # a dead link
                if stat.S_ISREG(path.stat().st_mode):
                    yield path.relative_to(root).as_posix(), path
