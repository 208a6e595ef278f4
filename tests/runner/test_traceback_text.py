"""Reading what a script's log ends with."""

from __future__ import annotations

import subprocess
import sys

import pytest

from zaffre.runner.traceback_text import Raised, clean_tail, find_raised


def failed(code: str, tmp_path) -> str:
    """Run `code` as train.py; return what it wrote."""
    (tmp_path / "train.py").write_text(code)
    command = [sys.executable, "train.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("code", "name", "text", "line"),
    [
        ("x = 1\n1 / 0\n", "ZeroDivisionError", "division by zero", 2),
        ("raise ValueError\n", "ValueError", "", 1),
        ("raise ValueError('a\\nb')\n", "ValueError", "a\nb", 1),
        ("import json\njson.loads('{')\n", "json.decoder.JSONDecodeError", None, 2),
        ("class A:\n  class B(Exception): pass\nraise A.B('x')\n", "A.B", "x", 3),
        ("try:\n  1 / 0\nexcept Exception:\n  raise OSError('second')\n", "OSError", "second", 4),
        ("a = 1\nb = (\n", "SyntaxError", "'(' was never closed", 2),
        ("assert 1 == 2, 'not equal'\n", "AssertionError", "not equal", 1),
    ],
)
def test_the_last_exception_is_found(code, name, text, line, tmp_path):
    raised = find_raised(failed(code, tmp_path))
    assert raised is not None
    assert raised.name == name.rpartition("__main__.")[2]
    assert text is None or raised.text == text
    assert raised.line == line
    assert raised.file is not None
    assert raised.file.endswith("train.py")


def test_a_frame_of_an_installed_package_is_not_where_users_look():
    log = """Traceback (most recent call last):
  File "/work/train.py", line 7, in <module>
    fit(x)
  File "/v/lib/python3.11/site-packages/sklearn/base.py", line 1363, in wrapper
    return f()
           ^^^
ValueError: Input X contains NaN.
"""
    assert find_raised(log) == Raised("ValueError", "Input X contains NaN.", "/work/train.py", 7)


@pytest.mark.parametrize("log", ["", "all went well\n", "Traceback (most recent call last):\n"])
def test_where_nothing_was_raised_nothing_is_found(log):
    assert find_raised(log) is None


def test_a_tail_has_whole_lines_and_no_control_characters():
    assert clean_tail("\x1b[31mred\x1b[0m\r\nend\x07\n") == "red\nend"
    assert clean_tail("first line\nsecond\nthird", 13) == "second\nthird"
    assert clean_tail("x" * 50, 10) == "x" * 10
