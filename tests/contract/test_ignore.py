from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zaffre.contract import ignore

PATHS = ("a", "b.c", "a b", "d/a", "d/b.c", "d/e/a", "d/e/ac", "d/[a]", "ab/!x", "ab/#y", "ab/a\\b")


@pytest.mark.parametrize(
    ("rule", "path", "left_out"),
    [
        ("data", "data", True),
        ("data", "x/data", True),
        ("data", "x/data/y.csv", True),
        ("/data", "x/data", False),
        ("data/", "data", False),
        ("*.csv", "x/y.csv", True),
        ("x/*.csv", "x/y/z.csv", False),
        ("x/**/z.csv", "x/y/w/z.csv", True),
        ("x/**/z.csv", "x/z.csv", True),
        ("**/z.csv", "z.csv", True),
        ("x/**", "x/y", True),
        ("# data", "data", False),
        ("\\#data", "#data", True),
        ("data ", "data", True),
        ("data\\ ", "data ", True),
        ("[ab].txt", "a.txt", True),
        ("[!ab].txt", "a.txt", False),
        ("[[:digit:]].txt", "7.txt", True),
        ("?.txt", "ab.txt", False),
        ("", "data", False),
        ("[", "[", False),
    ],
)
def test_a_rule_means_what_it_means_in_git(rule: str, path: str, left_out: bool) -> None:
    assert ignore.leaves_out(ignore.parse(rule), path, folder=False) is left_out


def test_the_last_matching_rule_counts_and_an_exclamation_mark_takes_back_in() -> None:
    rules = ignore.parse("*\n!train.py\n")
    assert not ignore.leaves_out(rules, "train.py", folder=False)
    assert ignore.leaves_out(rules, "data.csv", folder=False)


def test_nothing_comes_back_from_below_a_folder_that_is_left_out() -> None:
    rules = ignore.parse("data/\n!data/keep.csv\n")
    assert ignore.leaves_out(rules, "data/keep.csv", folder=False)


def test_lines_may_end_as_on_windows_and_the_file_may_begin_with_a_byte_order_mark() -> None:
    rules = ignore.parse("\ufeff*.csv\r\n*.txt\r\n")
    assert ignore.leaves_out(rules, "a.csv", folder=False)
    assert ignore.leaves_out(rules, "a.txt", folder=False)


def test_the_defaults_leave_out_caches_and_own_rules_take_them_back_in() -> None:
    rules = ignore.parse(ignore.DEFAULT_RULES)
    for path in ("x/__pycache__/a.pyc", ".git/HEAD", "a/.ipynb_checkpoints/b", "a.pyc"):
        assert ignore.leaves_out(rules, path, folder=False)
    assert not ignore.leaves_out(rules, "train.py", folder=False)
    own = rules + ignore.parse("!node_modules/")
    assert not ignore.leaves_out(own, "node_modules/x.js", folder=False)


_piece = st.sampled_from(
    ["a", "b", "d", "e", "c", "ab", "d/", ".", "/", " ", "!", "#", "\\", "[", "]", "?", "*", "**"]
) | st.sampled_from(
    ["***", "**/", "/**", "[a-c]", "[!a]", "[^b]", "[]a]", "[[:alpha:]]", "[a\\]b]", "[-a]"]
)
# git takes a fixed beginning off a pattern before it looks at the stars, so that 'd**/a' matches
# d/e/a, against its own documentation: here two stars beside a name are two single ones.
_line = (
    st.lists(_piece, min_size=1, max_size=5)
    .map("".join)
    .filter(lambda line: not re.search(r"[^/*]\*\*", line))
)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    root = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    for path in PATHS:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    return root


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(lines=st.lists(_line, min_size=1, max_size=4))
def test_any_rules_leave_out_what_git_leaves_out(repository: Path, lines: list[str]) -> None:
    text = "\n".join(lines)
    (repository / ".gitignore").write_text(text)
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    done = subprocess.run(
        ["git", "check-ignore", "--no-index", "--stdin", "-z", "-v", "-n"],
        cwd=repository,
        input="\0".join(PATHS),
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    fields = done.stdout.split("\0")[:-1]
    theirs = {
        path
        for pattern, path in zip(fields[2::4], fields[3::4], strict=True)
        if pattern and not pattern.startswith("!")
    }
    rules = ignore.parse(text)
    ours = {path for path in PATHS if ignore.leaves_out(rules, path, folder=False)}
    assert ours == theirs
