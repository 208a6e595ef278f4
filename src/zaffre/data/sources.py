"""The files that a definition's sources name."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import BinaryIO, Callable

from zaffre.contract.dataset import Definition, Source
from zaffre.data.glob import expand, fixed_folder, is_pattern
from zaffre.data.stores.file_store import FileEntry, FileStore, inner_path
from zaffre.data.stores.local import LocalStore
from zaffre.data.stores.web import WebFile

Stores = Callable[[str], FileStore]


@dataclass(frozen=True)
class SourceFile:
    """One file of a dataset. folder: the part of its path that the source names, no wildcard."""

    store: FileStore
    entry: FileEntry
    folder: str
    datastore: str | None = None

    @property
    def shown_path(self) -> str:
        """The path as the column `Path` and error messages show it: `/folder/file.csv`."""
        return f"/{self.entry.path}"

    @property
    def inner_path(self) -> str:
        """The path below the source's folder: `file.csv`."""
        return self.entry.path[len(self.folder) + 1 :] if self.folder else self.entry.path

    def open(self) -> BinaryIO:
        """Open the file for reading."""
        return self.store.open(self.entry.path)


def locate(definition: Definition, stores: Stores) -> list[SourceFile]:
    """Return the files of all sources, in the order of the sources; raise SourceMissing."""
    return [file for source in definition.sources for file in _files(source, stores)]


def _files(source: Source, stores: Stores) -> list[SourceFile]:
    if source.url is not None:
        web = WebFile(source.url)
        return [SourceFile(web, entry, "") for entry in web.list("")]
    if source.local is not None:
        store: FileStore = LocalStore("/")
        path = source.local
    else:
        store = stores(source.datastore or "")
        path = source.path
    entries = expand(store, path)
    folder = _folder(path, entries)
    return [SourceFile(store, entry, folder, source.datastore) for entry in entries]


def _folder(path: str, entries: list[FileEntry]) -> str:
    name = inner_path(path)
    if len(entries) == 1 and entries[0].path == name:
        return os.path.dirname(name)
    return fixed_folder(name) if is_pattern(name) else name
