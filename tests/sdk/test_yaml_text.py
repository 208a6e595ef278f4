"""YAML without a library: what is written reads back, and v1's and conda's files are understood."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zaffre.sdk.yaml_parser import MAX_DEPTH, YamlError
from zaffre.sdk.yaml_text import dump, parse

TRICKY = st.sampled_from(
    [
        "",
        "yes",
        "null",
        "~",
        "1",
        "0x1f",
        "1e3",
        ".5",
        "-",
        "- a",
        "a:",
        "a: b",
        "a #b",
        "#",
        "[a]",
        "{a: b}",
        "it's",
        '"q"',
        "'",
        " a",
        "a ",
        "a\nb",
        "\n",
        "a\tb",
        "&a",
        "*a",
        "!t",
        "---",
        "...",
        "? a",
        "|",
        ">",
        "%a",
        "@a",
        "\x85",
        "\u2028",
        "\ufeff",
        "é😀",
        "C:\\x",
        "numpy>=1.2,<2",
        "scikit-learn==0.22.1",
        "https://x/y#z",
        "<<",
        "=",
    ]
)
TEXT = st.text(max_size=12) | TRICKY
SCALAR = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT
VALUE = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=15,
)


def same(one: Any, other: Any) -> bool:
    """Equal, of the same types, keys in the same order."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


@given(VALUE)
def test_what_is_written_reads_back_as_it_was(value: Any) -> None:
    assert same(parse(dump(value)), value)


@given(st.text(alphabet="ab:-# \n'\"[]{},|>\\12?&*!\t", max_size=60))
def test_any_text_is_read_or_refused_with_a_line(text: str) -> None:
    line = 1
    try:
        parse(text)
    except YamlError as error:
        line = error.line
    assert 1 <= line <= text.count("\n") + 1


def test_not_a_number_reads_back() -> None:
    assert math.isnan(parse(dump({"a": math.nan}))["a"])


def test_a_conda_file_of_the_sdk_is_read() -> None:
    text = """\
# Conda environment specification. The dependencies defined in this file will
# be automatically provisioned for runs with userManagedDependencies=False.

name: project_environment
dependencies:
  # The python interpreter version.
  # Currently Azure ML only supports 3.5.2 and later.
- python=3.6.2

- pip:
  - azureml-defaults
  - azureml-dataprep[pandas]
  - --extra-index-url https://pypi.org/simple  # the index
- scikit-learn
- numpy<1.24
channels:
- anaconda
- conda-forge
"""
    assert parse(text) == {
        "name": "project_environment",
        "dependencies": [
            "python=3.6.2",
            {
                "pip": [
                    "azureml-defaults",
                    "azureml-dataprep[pandas]",
                    "--extra-index-url https://pypi.org/simple",
                ]
            },
            "scikit-learn",
            "numpy<1.24",
        ],
        "channels": ["anaconda", "conda-forge"],
    }


def test_files_of_the_course_are_read_whatever_their_layout() -> None:
    text = "name: simple_environment\r\ndependencies:\r\n- python=3.6.2\r\n- pip:\r\n    - a\r\n"
    assert parse(text)["dependencies"] == ["python=3.6.2", {"pip": ["a"]}]
    assert parse("dependencies:\n    - a\n    -   pip:\n          - b\n    - c") == {
        "dependencies": ["a", {"pip": ["b"]}, "c"]
    }
    assert parse("channels: [anaconda, 'conda-forge']\nx: {a: 1, b: [2, 3]}") == {
        "channels": ["anaconda", "conda-forge"],
        "x": {"a": 1, "b": [2, 3]},
    }


def test_long_scalars_that_a_writer_has_folded_are_one_line_again() -> None:
    text = (
        "a: one two\n  three\n\n  four\n"
        "b: 'x\n  y'\n"
        'c: "x\\\n  y"\n'
        "d: >-\n  p\n  q\n"
        "e: |\n  r\n  s\n"
    )
    assert parse(text) == {
        "a": "one two three\nfour",
        "b": "x y",
        "c": "xy",
        "d": "p q",
        "e": "r\ns\n",
    }


def test_an_empty_value_is_none_and_an_empty_document_too() -> None:
    assert parse("a:\nb: ~\nc: null # none\n") == {"a": None, "b": None, "c": None}
    assert parse("") is None
    assert parse("# only a comment\n---\n") is None


def test_json_is_read() -> None:
    assert parse('{"a": [1, 2.5, "x", null, true], "b": {"c": "\\u00e9\\n"}}') == {
        "a": [1, 2.5, "x", None, True],
        "b": {"c": "é\n"},
    }


@pytest.mark.parametrize(
    ("text", "problem", "line"),
    [
        ("a: 1\na: 2", "'a' is there twice", 2),
        ("a: &x 1", "an anchor", 1),
        ("b: 2\na: *x", "an alias", 2),
        ("a: !!python/object:os.system x", "a tag", 1),
        ("a: 1\n---\nb: 2", "a second document", 2),
        ("a: 'x", "does not end", 1),
        ("a: [1, 2", "not closed", 1),
        ("a:\n\tb: 1", "a tab cannot indent", 2),
        ("a: b: c", "a second ': '", 1),
        ("a: 1\nb", "no 'key: value'", 2),
        ("a:\n  b: 1\n c: 2", "does not belong", 3),
        ('a: "\\q"', "no escape", 1),
        ("%YAML 1.1\n---\na: 1", "a directive", 1),
        ("? a\n: b", "a key of its own", 1),
    ],
)
def test_what_is_no_yaml_or_not_read_here_is_named_with_its_line(
    text: str, problem: str, line: int
) -> None:
    with pytest.raises(YamlError) as raised:
        parse(text)
    assert problem in str(raised.value)
    assert raised.value.line == line


def test_depth_has_a_limit_far_from_pythons() -> None:
    with pytest.raises(YamlError, match="inside each other"):
        parse("[" * 100_000)
    assert parse("[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1)) is not None


def test_what_yaml_here_does_not_hold_is_refused() -> None:
    with pytest.raises(TypeError, match="not set"):
        dump({"a": {1, 2}})
