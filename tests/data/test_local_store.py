"""A folder of this machine as a store of files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from zaffre.data.errors import PathOutside, SourceMissing, TargetExists
from zaffre.data.stores.local import LocalStore


def test_a_written_file_is_listed_found_and_read(tmp_path: Path) -> None:
    source = tmp_path / "source.txt"
    source.write_bytes(b"hello")
    store = LocalStore(str(tmp_path / "store"))

    store.write("a/b.txt", str(source), overwrite=False)

    assert [(file.path, file.size_bytes) for file in store.list("")] == [("a/b.txt", 5)]
    found = store.find("/a/b.txt")
    assert found is not None
    assert found.modified_at.tzinfo is not None
    with store.open("a/b.txt") as file:
        assert file.read() == b"hello"
    assert Path(store.local_path("a/b.txt")).read_bytes() == b"hello"
    assert os.listdir(tmp_path / "store") == ["a"]


def test_a_file_is_replaced_only_when_asked(tmp_path: Path) -> None:
    for name in ("old", "new"):
        (tmp_path / name).write_text(name)
    store = LocalStore(str(tmp_path / "store"))
    store.write("f", str(tmp_path / "old"), overwrite=False)

    with pytest.raises(TargetExists, match="overwrite=True"):
        store.write("f", str(tmp_path / "new"), overwrite=False)
    assert Path(store.local_path("f")).read_text() == "old"
    store.write("f", str(tmp_path / "new"), overwrite=True)
    assert Path(store.local_path("f")).read_text() == "new"


def test_a_copy_that_fails_leaves_nothing(tmp_path: Path) -> None:
    store = LocalStore(str(tmp_path / "store"))
    with pytest.raises(FileNotFoundError):
        store.write("f", str(tmp_path / "missing"), overwrite=True)
    assert os.listdir(tmp_path / "store") == []


def test_what_is_not_there_is_missing(tmp_path: Path) -> None:
    store = LocalStore(str(tmp_path))
    assert store.find("nothing") is None
    assert list(store.list("nothing")) == []
    with pytest.raises(SourceMissing, match="nothing"):
        store.open("nothing")


@pytest.mark.parametrize("path", ["../f", "a/../../f"])
def test_nothing_is_written_outside(tmp_path: Path, path: str) -> None:
    (tmp_path / "source").write_text("x")
    store = LocalStore(str(tmp_path / "store"))
    with pytest.raises(PathOutside):
        store.write(path, str(tmp_path / "source"), overwrite=True)
    os.makedirs(tmp_path / "store")
    os.symlink(tmp_path, tmp_path / "store" / "up")
    with pytest.raises(PathOutside):
        store.write("up/f", str(tmp_path / "source"), overwrite=True)
