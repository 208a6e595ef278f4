"""Which files a path names: v1's rules, as they were observed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from zaffre.data.errors import PathOutside, SourceMissing
from zaffre.data.glob import expand
from zaffre.data.stores.local import LocalStore

FILES = [
    "g/.hidden",
    "g/_SUCCESS",
    "g/_under.csv",
    "g/a.csv",
    "g/b.txt",
    "g/one/c.csv",
    "g/one/two/d.csv",
    "g/other/e.csv",
    "g/x[1].csv",
    "h/a.csv",
]


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return LocalStore(str(tmp_path))


def below(prefix: str) -> list[str]:
    return sorted(name for name in FILES if name.startswith(prefix))


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("g", below("g/")),
        ("g/", below("g/")),
        ("/g/", below("g/")),
        ("", sorted(FILES)),
        (
            "g/*",
            ["g/.hidden", "g/_SUCCESS", "g/_under.csv", "g/a.csv", "g/b.txt", "g/x[1].csv"],
        ),
        (
            "g/**/*.csv",
            [
                "g/_under.csv",
                "g/a.csv",
                "g/one/c.csv",
                "g/one/two/d.csv",
                "g/other/e.csv",
                "g/x[1].csv",
            ],
        ),
        ("g/*/*.csv", ["g/one/c.csv", "g/other/e.csv"]),
        ("**/a.csv", ["g/a.csv", "h/a.csv"]),
        ("g/?.csv", ["g/a.csv"]),
        ("g/[ab].csv", ["g/a.csv"]),
        ("[gh]/a.csv", ["g/a.csv", "h/a.csv"]),
        ("g/[!b].*", ["g/a.csv"]),
        ("g/**/two/*", ["g/one/two/d.csv"]),
        ("g/a.csv", ["g/a.csv"]),
        ("g/x[1].csv", ["g/x[1].csv"]),
        ("./g//a.csv", ["g/a.csv"]),
    ],
)
def test_a_pattern_gives_v1s_files_sorted_by_path(
    store: LocalStore, pattern: str, expected: list[str]
) -> None:
    assert [file.path for file in expand(store, pattern)] == expected


@pytest.mark.parametrize("pattern", ["g/**", "g/{a,b}.csv", "g/*.parquet", "nowhere", "g/A.csv"])
def test_a_pattern_without_files_is_an_error(store: LocalStore, pattern: str) -> None:
    with pytest.raises(SourceMissing, match="requested stream was not found"):
        expand(store, pattern)


def test_a_pattern_that_ends_in_folders_is_told_how_to_end() -> None:
    with pytest.raises(SourceMissing, match="must end in a file part"):
        expand(LocalStore("/nowhere"), "g/**")


@pytest.mark.parametrize("path", ["../x", "g/../../x", "/../etc/passwd", "g/\0"])
def test_a_path_never_leaves_its_store(store: LocalStore, path: str) -> None:
    with pytest.raises(PathOutside):
        expand(store, path)


def test_a_link_that_leaves_the_store_is_an_error(store: LocalStore, tmp_path: Path) -> None:
    os.symlink("/etc", tmp_path / "g" / "etc")
    with pytest.raises(PathOutside, match="g/etc"):
        expand(store, "g/")
    with pytest.raises(PathOutside):
        store.open("g/etc/passwd")


def test_links_inside_the_store_are_followed_once(store: LocalStore, tmp_path: Path) -> None:
    os.symlink(tmp_path / "h", tmp_path / "g" / "one" / "link")
    os.symlink(tmp_path / "g", tmp_path / "g" / "one" / "loop")
    paths = [file.path for file in expand(store, "g/one/")]
    assert paths[:4] == [
        "g/one/c.csv",
        "g/one/link/a.csv",
        "g/one/loop/.hidden",
        "g/one/loop/_SUCCESS",
    ]
    assert not any("loop/one/loop" in path for path in paths)
