"""Filters: an expression tree (zaffre.contract.dataset) over the columns of a table.

A comparison of unlike kinds (a number with a text) and a column that is not there give null, and
null counts as false: so they keep no row, as in v1.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Mapping

from zaffre.contract.dataset import COMPARISONS, TEXT_CALLS
from zaffre.data.arrow import pa, pc
from zaffre.data.errors import DataInvalid

_COMPARE = {
    "==": pc.equal,
    "!=": pc.not_equal,
    "<": pc.less,
    "<=": pc.less_equal,
    ">": pc.greater,
    ">=": pc.greater_equal,
}
_NO_ANSWER = pa.scalar(None, pa.bool_())
_TIME = pa.timestamp("us")


def columns_of(expression: Mapping[str, Any]) -> set[str]:
    """Return the columns that an expression reads."""
    if "column" in expression:
        return {expression["column"]}
    return {name for one in expression.get("arguments", ()) for name in columns_of(one)}


def error_columns_of(expression: Mapping[str, Any]) -> set[str]:
    """Return the columns that an expression asks for errors."""
    arguments = expression.get("arguments", ())
    if expression.get("call") == "is_error":
        return columns_of(arguments[0])
    return {name for one in arguments for name in error_columns_of(one)}


def error_column(name: str) -> str:
    """Return the name of the unseen column that says where a column's value was none."""
    return f"{name}\0error"


def mask(expression: Mapping[str, Any], table: Any) -> Any:
    """Return for which rows of a table the expression is true: no nulls."""
    answer = evaluate(expression, table)
    if answer.type != pa.bool_():
        answer = _NO_ANSWER
    if isinstance(answer, pa.Scalar):
        return pa.array([answer.as_py() is True] * len(table), pa.bool_())
    return pc.fill_null(answer, fill_value=False)


def evaluate(expression: Mapping[str, Any], table: Any) -> Any:
    """Return the expression's value: a column, or a scalar that holds for all rows."""
    if "column" in expression:
        name = expression["column"]
        return table.column(name) if name in table.column_names else pa.scalar(None, pa.null())
    if "time" in expression:
        return pa.scalar(datetime.fromisoformat(expression["time"]), _TIME)
    if "value" in expression:
        return pa.scalar(expression["value"])
    name, arguments = expression["call"], expression["arguments"]
    if name == "is_error":
        return evaluate({"column": error_column(arguments[0].get("column", ""))}, table)
    values = [evaluate(one, table) for one in arguments]
    if name in COMPARISONS:
        return _compare(name, *values)
    if name in TEXT_CALLS:
        return _text_call(name, values)
    if name == "is_null":
        return pc.is_null(values[0])
    if name == "not":
        return pc.invert(_boolean(values[0]))
    both = pc.and_kleene if name == "and" else pc.or_kleene
    return both(_boolean(values[0]), _boolean(values[1]))


def kind_of(arrow_type: Any) -> str | None:
    """Return 'number', 'text', 'boolean' or 'time'; None for what compares with nothing."""
    if pa.types.is_dictionary(arrow_type):
        return kind_of(arrow_type.value_type)
    if pa.types.is_boolean(arrow_type):
        return "boolean"
    if (
        pa.types.is_integer(arrow_type)
        or pa.types.is_floating(arrow_type)
        or pa.types.is_decimal(arrow_type)
    ):
        return "number"
    if pa.types.is_string(arrow_type) or pa.types.is_large_string(arrow_type):
        return "text"
    if pa.types.is_timestamp(arrow_type) or pa.types.is_date(arrow_type):
        return "time"
    return None


def _compare(name: str, left: Any, right: Any) -> Any:
    kind = kind_of(left.type)
    if kind is None or kind != kind_of(right.type):
        return _NO_ANSWER
    left, right = _plain(left, kind), _plain(right, kind)
    return _COMPARE[name](left, right)


def _plain(value: Any, kind: str) -> Any:
    """Return values as Arrow compares them: dictionaries unpacked, times without a zone."""
    if pa.types.is_dictionary(value.type):
        value = pc.cast(value, value.type.value_type)
    if kind == "time":
        if pa.types.is_date(value.type):
            return pc.cast(value, _TIME)
        if value.type.tz is not None:
            # What is stored is UTC.
            plain = pa.timestamp(value.type.unit)
            return pc.cast(pc.cast(value, pa.int64()), plain)
    return value


def _boolean(value: Any) -> Any:
    return value if pa.types.is_boolean(value.type) else _NO_ANSWER


def _text_call(name: str, values: list[Any]) -> Any:
    texts = values[0]
    if kind_of(texts.type) != "text":
        return pa.scalar(None, pa.null())
    texts = _plain(texts, "text")
    arguments = [_constant(name, value) for value in values[1:]]
    if name == "contains":
        return pc.match_substring(texts, arguments[0])
    if name == "starts_with":
        return pc.starts_with(texts, arguments[0])
    if name == "ends_with":
        return pc.ends_with(texts, arguments[0])
    if name == "length":
        return pc.utf8_length(texts)
    if name == "to_lower":
        return pc.utf8_lower(texts)
    if name == "to_upper":
        return pc.utf8_upper(texts)
    if name == "substring":
        start, *length = arguments
        stop = start + length[0] if length and length[0] is not None else None
        return pc.utf8_slice_codeunits(texts, start, stop)
    # Arrow counts bytes where users count characters.
    found = [None if one is None else one.find(arguments[0]) for one in texts.to_pylist()]
    return pa.array(found, pa.int64())


def _constant(name: str, value: Any) -> Any:
    if not isinstance(value, pa.Scalar):
        raise DataInvalid(f"{name}() takes a constant, not a column")
    return value.as_py()


def pushed_down(expression: Mapping[str, Any], schema: Any) -> Any:
    """Return a condition for Arrow's scanner that every kept row meets; None if there is none.

    The filter itself is still applied to what comes; this only saves reading.
    """
    name = expression.get("call")
    arguments = expression.get("arguments", ())
    if name in ("and", "or"):
        left, right = (pushed_down(one, schema) for one in arguments)
        if name == "and":
            return left if right is None else right if left is None else left & right
        return None if left is None or right is None else left | right
    if name not in COMPARISONS or "column" not in arguments[0] or "column" in arguments[1]:
        return None
    index = schema.get_field_index(arguments[0]["column"])
    if index < 0 or "call" in arguments[1]:
        return None
    value = evaluate(arguments[1], None)
    column_type = schema.field(index).type
    kind = kind_of(column_type)
    plain = kind in ("number", "text", "boolean") and not pa.types.is_dictionary(column_type)
    if not plain or kind != kind_of(value.type) or pa.types.is_decimal(column_type):
        return None
    return _COMPARE[name](pc.field(arguments[0]["column"]), value)
