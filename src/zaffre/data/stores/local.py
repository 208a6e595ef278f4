"""A folder of this machine as a store of files.

Links are followed while they stay below the folder; one that leaves it is an error, as is '..'.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import uuid
from typing import BinaryIO, Iterator

from zaffre.data.errors import PathOutside, SourceMissing, TargetExists
from zaffre.data.stores.file_store import FileEntry, inner_path, moment

#: Where files grow until they are whole; on the same disk as their places. Never listed.
_GROWING = ".zaffre-growing"


class LocalStore:
    """The files below `root`, an absolute path that need not exist yet."""

    def __init__(self, root: str) -> None:
        self._root = os.path.realpath(root)

    def list(self, folder: str) -> Iterator[FileEntry]:
        """Give all files below a folder, sorted by path."""
        start = inner_path(folder)
        found: list[FileEntry] = []
        pending: list[tuple[str, tuple[str, ...]]] = [(start, (self._real(start),))]
        while pending:
            prefix, line = pending.pop()
            try:
                entries = os.scandir(line[-1])
            except (FileNotFoundError, NotADirectoryError):
                continue
            with entries:
                for entry in entries:
                    if not prefix and entry.name == _GROWING:
                        continue
                    path = f"{prefix}/{entry.name}" if prefix else entry.name
                    real = self._real(path) if entry.is_symlink() else entry.path
                    if entry.is_dir():
                        # A link to a folder above it would lead round for ever.
                        if real not in line:
                            pending.append((path, (*line, real)))
                        continue
                    with contextlib.suppress(FileNotFoundError):  # gone since, or a dead link
                        status = entry.stat()
                        if stat.S_ISREG(status.st_mode):
                            found.append(_entry(path, status))
        yield from sorted(found, key=lambda one: one.path)

    def find(self, path: str) -> FileEntry | None:
        """Return the file at `path`, or None."""
        name = inner_path(path)
        try:
            status = os.stat(self._real(name))
        except (FileNotFoundError, NotADirectoryError):
            return None
        return _entry(name, status) if stat.S_ISREG(status.st_mode) else None

    def local_path(self, path: str) -> str:
        """Return the file's absolute path, links resolved."""
        return self._real(inner_path(path))

    def open(self, path: str) -> BinaryIO:
        """Open a file for reading."""
        try:
            return open(self.local_path(path), "rb")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise SourceMissing(path) from None

    def write(self, path: str, local_file: str, *, overwrite: bool) -> None:
        """Copy a file to `path` by a temporary name, so that no half of it is ever seen."""
        name = inner_path(path)
        target = self._real(name)
        if not overwrite and os.path.lexists(target):
            raise TargetExists(name)
        growing = os.path.join(self._root, _GROWING)
        os.makedirs(growing, exist_ok=True)
        partial = os.path.join(growing, uuid.uuid4().hex)
        try:
            shutil.copyfile(local_file, partial)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            if overwrite:
                os.replace(partial, target)
            else:
                _place(partial, target, name)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(partial)
            # Others may still grow there.
            with contextlib.suppress(OSError):
                os.rmdir(growing)

    def _real(self, name: str) -> str:
        """Return the absolute path with links resolved; raise PathOutside if it left the root."""
        real = os.path.realpath(os.path.join(self._root, name))
        if real != self._root and not real.startswith(self._root.rstrip("/") + "/"):
            raise PathOutside(name, f"a link leads to {real}")
        return real


def _place(partial: str, target: str, name: str) -> None:
    """Give a whole file its name unless someone else was faster."""
    try:
        os.link(partial, target)
    except FileExistsError:
        raise TargetExists(name) from None
    except OSError as problem:
        if problem.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK):
            raise
        # A disk without hard links: the check above is all that there is.
        os.replace(partial, target)


def _entry(path: str, status: os.stat_result) -> FileEntry:
    return FileEntry(path, status.st_size, moment(status.st_mtime))
