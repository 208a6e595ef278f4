"""What every store of files can do, whatever holds the bytes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import BinaryIO, Iterator, Protocol

from zaffre.data.errors import PathOutside


@dataclass(frozen=True)
class FileEntry:
    """A file of a store. path: below the store's root, '/' between parts, none in front."""

    path: str
    size_bytes: int
    modified_at: datetime


class FileStore(Protocol):
    """Files by path. A path that leaves the store's root raises PathOutside, everywhere."""

    def list(self, folder: str) -> Iterator[FileEntry]:
        """Give all files below a folder ('' is the root), at any depth, sorted by path.

        Nothing comes of a folder that is not there.
        """
        ...

    def find(self, path: str) -> FileEntry | None:
        """Return the file at `path`, or None if there is none."""
        ...

    def local_path(self, path: str) -> str | None:
        """Return where the file's bytes are on this machine, or None if they are elsewhere."""
        ...

    def open(self, path: str) -> BinaryIO:
        """Open a file for reading, seekable. Raises SourceMissing."""
        ...

    def write(self, path: str, local_file: str, *, overwrite: bool) -> None:
        """Copy a file of this machine to `path`; it appears there whole or not at all.

        Raises TargetExists if it is there and overwrite is False.
        """
        ...


def inner_path(path: str) -> str:
    """Return a path below a store's root in its one form, or raise PathOutside.

    Slashes in front, './' and doubled '/' are dropped; '..' and NUL are refused.
    """
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise PathOutside(path, "'..' is not allowed")
    if "\0" in path:
        raise PathOutside(path, "it holds a NUL character")
    return "/".join(parts)


def moment(seconds: float) -> datetime:
    """Return an aware time of seconds since 1970."""
    return datetime.fromtimestamp(seconds, timezone.utc)
