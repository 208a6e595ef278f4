"""What the engine's tests share: datasets over files that a test writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zaffre.contract.dataset import Definition, Source, from_delimited_files
from zaffre.data import dataset
from zaffre.data.stores.local import LocalStore


class Folder:
    """A datastore `store` in a folder, and datasets over it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = LocalStore(str(root))

    def stores(self, name: str) -> LocalStore:
        assert name == "store"
        return self.store

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def source(self, path: str) -> Source:
        return Source(datastore="store", path=path)

    def csv(self, *contents: str | bytes, **options: Any) -> Definition:
        """A prepared dataset of these delimited files, in this order."""
        for number, content in enumerate(contents):
            self.write(f"{number:04}.csv", content)
        definition = from_delimited_files([self.source("/")], **options)
        return dataset.prepare(definition, self.stores, validate=False)

    def frame(self, definition: Definition, **options: Any) -> Any:
        return dataset.to_pandas(definition, self.stores, **options)

    def values(self, definition: Definition) -> dict[str, list[Any]]:
        """The rows as Python's values, a list a column."""
        return dataset.to_arrow(definition, self.stores).to_pydict()

    def types(self, definition: Definition) -> dict[str, str]:
        """The Arrow types of all rows."""
        schema = dataset.to_arrow(definition, self.stores).schema
        return {field.name: str(field.type) for field in schema}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture(scope="session")
def new_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Folder]:
    """For property tests, which need a folder an example."""
    return lambda: Folder(tmp_path_factory.mktemp("data"))
