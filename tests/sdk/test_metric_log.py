"""The argument rules of log*, without a server."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zaffre.sdk import metric_log
from zaffre.sdk.exceptions import AzureMLException, UserErrorException

_plain = st.none() | st.booleans() | st.text() | st.floats() | st.integers(-(2**63), 2**63 - 1)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and math.isnan(one):
        return isinstance(other, float) and math.isnan(other)
    return type(one) is type(other) and one == other


@given(_plain)
def test_plain_values_pass_as_they_are(value: Any) -> None:
    assert _same(value, metric_log.scalar(value))


@given(st.lists(_plain))
def test_lists_tuples_and_generators_are_the_same_list(values: list[Any]) -> None:
    for form in (values, tuple(values), (value for value in values), iter(values)):
        found = metric_log.values(form)
        assert all(_same(a, b) for a, b in zip(values, found, strict=True))


@given(st.dictionaries(st.text(min_size=1), st.lists(_plain, min_size=2, max_size=2)))
def test_a_table_of_equal_columns_passes(table: dict[str, list[Any]]) -> None:
    found = metric_log.columns(table)
    assert list(found) == list(table)


@given(st.integers())
def test_a_whole_number_beyond_64_bits_becomes_a_float(value: int) -> None:
    found = metric_log.scalar(value)
    assert type(found) is (int if -(2**63) <= value < 2**63 else float)


def test_numpy_scalars_and_zero_dimensional_arrays_are_numbers() -> None:
    """R009."""
    numpy = pytest.importorskip("numpy")
    assert metric_log.scalar(numpy.array(1.0)) == 1.0
    for value, plain in [
        (numpy.array(1.0), 1.0),
        (numpy.int64(3), 3),
        (numpy.uint8(7), 7),
        (numpy.float32(0.5), 0.5),
        (numpy.float64(0.25), 0.25),
        (numpy.bool_(True), True),
        (numpy.str_("x"), "x"),
        (numpy.array([2.5]), 2.5),
        (numpy.array([[2]]), 2),
    ]:
        found = metric_log.scalar(value)
        assert type(found) is type(plain)
        assert found == plain


def test_arrays_and_columns_are_lists() -> None:
    numpy = pytest.importorskip("numpy")
    pandas = pytest.importorskip("pandas")
    assert metric_log.values(numpy.arange(3)) == [0, 1, 2]
    assert metric_log.values([numpy.int64(1), numpy.float32(0.5)]) == [1, 0.5]
    assert metric_log.values(pandas.Series([1, 2], index=[5, 9])) == [1, 2]
    assert all(type(item) is int for item in metric_log.values(pandas.Series([1, 2]).unique()))
    with pytest.raises(AzureMLException, match="Supported types"):
        metric_log.values(numpy.zeros((2, 2)))


def test_a_table_of_data_frame_columns_arrays_and_tuples() -> None:
    """R004."""
    numpy = pytest.importorskip("numpy")
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"x": [1, 2], "y": ["a", "b"]}, index=[5, 9])
    expected = {"x": [1, 2], "y": ["a", "b"]}
    assert metric_log.columns({c: frame[c] for c in frame}) == expected
    assert metric_log.columns(frame) == expected
    assert metric_log.columns({"x": numpy.array([1, 2]), "y": ("a", "b")}) == expected


def test_a_tensor_of_one_element_is_that_number() -> None:
    class Tensor:
        shape = (1,)

        def item(self) -> float:
            return 0.5

    assert metric_log.scalar(Tensor()) == 0.5


def test_what_v1_stored_as_text_is_its_repr() -> None:
    assert metric_log.scalar({"a": 1}) == "{'a': 1}"
    assert metric_log.scalar((1, 2)) == "(1, 2)"
    assert metric_log.scalar(1 + 2j) == "(1+2j)"


def test_log_refuses_a_list_and_names_log_list() -> None:
    with pytest.raises(UserErrorException, match="log_list"):
        metric_log.scalar([1])


def test_log_list_refuses_nested_lists_and_single_values() -> None:
    with pytest.raises(AzureMLException, match="float, str, bool, None, int"):
        metric_log.values([[1], [2]])
    for value in (5, "text", None, {"a": 1}):
        with pytest.raises(TypeError, match="log_list"):
            metric_log.values(value)
        with pytest.raises(UserErrorException):
            metric_log.values(value)


def test_empty_lists_and_tables_are_taken() -> None:
    assert metric_log.values([]) == []
    assert metric_log.columns({}) == {}
    assert metric_log.columns({"x": []}) == {"x": []}


def test_a_row_may_not_hold_lists() -> None:
    with pytest.raises(AzureMLException, match="rows cannot contain list values, column b"):
        metric_log.row({"a": 1, "b": [1, 2]})
    assert metric_log.row({}) == {}


def test_a_table_of_scalars_is_one_row() -> None:
    assert metric_log.columns({"x": 1, "y": "a"}) == {"x": [1], "y": ["a"]}


def test_columns_that_differ_in_length_are_both_named() -> None:
    """R014."""
    with pytest.raises(AzureMLException, match=r"x: 2, y: 1"):
        metric_log.columns({"x": [1, 2], "y": [3]})


def test_what_is_no_table_is_named() -> None:
    with pytest.raises(UserErrorException, match="not list"):
        metric_log.columns([1, 2])


@pytest.mark.parametrize("name", ["", None, 5, "x" * 256, "a\nb"])
def test_a_name_that_cannot_be_is_refused_with_the_rule(name: Any) -> None:
    with pytest.raises(UserErrorException, match="metric name"):
        metric_log.check_name(name)


def test_a_step_is_a_whole_number() -> None:
    assert metric_log.step_number(1.5) == 1
    assert metric_log.step_number(-3) == -3
    with pytest.raises(UserErrorException, match="step"):
        metric_log.step_number("x")


def test_json_of_a_file_backed_metric() -> None:
    assert metric_log.json_text({"a": [1]}) == '{"a": [1]}'
    assert metric_log.json_text('{"a": 1}') == '{"a": 1}'
    with pytest.raises(UserErrorException, match="invalid JSON provided"):
        metric_log.json_text("{")
    numpy = pytest.importorskip("numpy")
    assert metric_log.json_text({"m": numpy.eye(2)}) == '{"m": [[1.0, 0.0], [0.0, 1.0]]}'
    assert metric_log.json_text({"n": numpy.int64(3)}) == '{"n": 3}'
