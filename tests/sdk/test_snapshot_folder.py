"""Which files a snapshot holds; sending them is tested with the server."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from zaffre.sdk import snapshot
from zaffre.sdk.exceptions import SnapshotException


def _make(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def _names(root: Path) -> list[str]:
    return [file.name for file in snapshot.find_files(str(root)).files]


def test_all_files_are_taken_sorted_the_ignore_files_too(tmp_path: Path) -> None:
    _make(tmp_path, "train.py", "lib/a.py", "data/x y.csv", ".gitignore", ".amlignore")
    (tmp_path / ".amlignore").write_text("")
    (tmp_path / "empty").mkdir()
    assert _names(tmp_path) == [".amlignore", ".gitignore", "data/x y.csv", "lib/a.py", "train.py"]


def test_amlignore_alone_counts_if_there_are_both(tmp_path: Path) -> None:
    _make(tmp_path, "a.csv", "b.txt", "train.py")
    (tmp_path / ".gitignore").write_text("*.txt\n")
    assert _names(tmp_path) == [".gitignore", "a.csv", "train.py"]
    (tmp_path / ".amlignore").write_text("*.csv\n")
    assert _names(tmp_path) == [".amlignore", ".gitignore", "b.txt", "train.py"]


def test_ignore_files_of_other_folders_do_not_count(tmp_path: Path) -> None:
    _make(tmp_path, "steps/train/a.csv", "steps/train/lib/b.csv")
    (tmp_path / ".gitignore").write_text("*.csv\n")
    (tmp_path / "steps/train/lib/.gitignore").write_text("*.csv\n")
    assert _names(tmp_path / "steps/train") == ["a.csv", "lib/.gitignore", "lib/b.csv"]


def test_caches_version_control_and_environments_are_left_out_by_themselves(tmp_path: Path) -> None:
    """R027: so a parent folder's ignore file is not missed; `left_out` tells what v1 would send."""
    _make(tmp_path, "train.py", "__pycache__/a.pyc", ".git/HEAD", ".ipynb_checkpoints/n.ipynb")
    _make(tmp_path, "my_env/pyvenv.cfg", "my_env/lib/x.py", "conda/conda-meta/history", "conda/y")
    _make(tmp_path, "lib/.pytest_cache/v", "lib/z.pyc", "node_modules/m/index.js")
    found = snapshot.find_files(str(tmp_path))
    assert [file.name for file in found.files] == ["train.py"]
    assert sorted(found.left_out) == [
        ".git/",
        ".ipynb_checkpoints/",
        "__pycache__/",
        "conda/",
        "lib/.pytest_cache/",
        "lib/z.pyc",
        "my_env/",
        "node_modules/",
    ]


def test_an_own_rule_takes_back_in_what_the_defaults_leave_out(tmp_path: Path) -> None:
    _make(tmp_path, "node_modules/m.js", "env/pyvenv.cfg")
    (tmp_path / ".amlignore").write_text("!node_modules/\n!env/\n")
    assert _names(tmp_path) == [".amlignore", "env/pyvenv.cfg", "node_modules/m.js"]


def test_links_inside_are_followed_and_links_outside_are_named(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    root = tmp_path / "root"
    _make(outside, "secret.txt", "folder/x")
    _make(root, "data/a.csv", "train.py")
    (root / "link.py").symlink_to("train.py")
    (root / "more").symlink_to("data")
    (root / "secret").symlink_to(outside / "secret.txt")
    (root / "elsewhere").symlink_to(outside / "folder")
    (root / "broken").symlink_to("nothing")
    (root / "data" / "loop").symlink_to(root)
    found = snapshot.find_files(str(root))
    assert [file.name for file in found.files] == [
        "data/a.csv",
        "link.py",
        "more/a.csv",
        "train.py",
    ]
    why = dict(found.skipped)
    assert "out of the folder" in why["secret"]
    assert "out of the folder" in why["elsewhere"]
    assert "nowhere" in why["broken"]
    assert "lies in" in why["data/loop"]


def test_pipes_and_names_that_cannot_be_stored_are_named_and_skipped(tmp_path: Path) -> None:
    _make(tmp_path, "train.py", "a\\b", "c:d", "line\nbreak")
    os.mkfifo(tmp_path / "pipe")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.txt")).touch()
    found = snapshot.find_files(str(tmp_path))
    assert [file.name for file in found.files] == ["train.py"]
    assert len(found.skipped) == 5
    with pytest.warns(UserWarning, match="Not in the snapshot"):
        snapshot.warn_of_skipped(found)


def test_one_file_is_a_folder_of_one_file(tmp_path: Path) -> None:
    _make(tmp_path, "train.py")
    assert _names(tmp_path / "train.py") == ["train.py"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="absent"):
        snapshot.find_files(str(tmp_path / "absent"))


def test_too_large_a_folder_is_refused_by_an_error_that_names_the_largest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _make(tmp_path, "train.py")
    (tmp_path / "data").mkdir()
    for name, size in (("data/big.bin", 3 << 20), ("data/small.bin", 1 << 19)):
        (tmp_path / name).write_bytes(b"x" * size)
    monkeypatch.setenv("ZAFFRE_SNAPSHOT_MAX_BYTES", str(2 << 20))
    with pytest.raises(SnapshotException) as caught:
        snapshot.check_size(snapshot.find_files(str(tmp_path)))
    message = caught.value.message
    assert message.startswith("=====")
    assert message.endswith("=====")
    assert f"While attempting to take snapshot of {tmp_path}" in message
    assert "exceeds the limit of 2.0 MB" in message
    assert "data/big.bin (3.0 MB)" in message


def test_many_small_files_are_named_by_their_folder(tmp_path: Path) -> None:
    for number in range(10):
        _make(tmp_path, f"cache/{number}")
        (tmp_path / f"cache/{number}").write_bytes(b"x" * 100_000)
    assert snapshot.largest(snapshot.find_files(str(tmp_path))) == ["cache/ (1.0 MB)"]


def test_the_limit_is_v1s_unless_a_setting_or_v1s_variable_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = "azureml._restclient.snapshots_client"
    module = ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.delenv("ZAFFRE_SNAPSHOT_MAX_BYTES", raising=False)
    assert snapshot.limit_bytes() == 300 * 1024 * 1024
    module.SNAPSHOT_MAX_SIZE_BYTES = 10**9  # type: ignore[attr-defined]
    assert snapshot.limit_bytes() == 10**9
    monkeypatch.setenv("ZAFFRE_SNAPSHOT_MAX_BYTES", "5")
    assert snapshot.limit_bytes() == 5


def test_a_very_deep_folder_is_walked(tmp_path: Path) -> None:
    path = tmp_path
    for _ in range(120):
        path = path / "d"
    path.mkdir(parents=True)
    (path / "x").touch()
    assert _names(tmp_path) == ["d/" * 120 + "x"]
