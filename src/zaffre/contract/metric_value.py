"""What a metric's value may be, in JSON too. Apart, because every logging script imports it.

A value is a float, int, bool, str or None. Numbers that JSON lacks are the texts "NaN",
"Infinity" and "-Infinity", and a real text that could be taken for one of them (or that begins
with an apostrophe) gets an apostrophe in front.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Union

    Value = Union[float, int, bool, str, None]

#: Longest encoded record in bytes; `log_list` and `log_table` split what is longer.
RECORD_MAX_BYTES = 1_000_000

_INFINITY = float("inf")
_NOT_IN_JSON = {"NaN": float("nan"), "Infinity": _INFINITY, "-Infinity": -_INFINITY}


def encode_value(value: Value) -> Value:
    """Return `value` as what strict JSON can hold."""
    if isinstance(value, float):
        if value != value:
            return "NaN"
        if value in (_INFINITY, -_INFINITY):
            return "Infinity" if value > 0 else "-Infinity"
        return value
    if isinstance(value, str) and (value in _NOT_IN_JSON or value.startswith("'")):
        return "'" + value
    return value


def decode_value(value: Any) -> Any:
    """Return what `encode_value` was given; a row is decoded column by column."""
    if isinstance(value, str):
        if value in _NOT_IN_JSON:
            return _NOT_IN_JSON[value]
        return value[1:] if value.startswith("'") else value
    if isinstance(value, dict):
        return {key: decode_value(item) for key, item in value.items()}
    return value
