"""What the `log*` methods take, turned into Python's own values, or refused in v1's way.

numpy, pandas, torch and their like are never imported: what they hold is asked for by `.item()`
and `.tolist()`. v1 stored a numpy integer as the text 'np.int64(3)'; here numbers stay numbers.
"""

from __future__ import annotations

from zaffre.sdk.exceptions import AzureMLException, UserErrorException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_PLAIN = (float, int, bool, str, type(None))
#: What 64 bits hold; a larger whole number is kept as a float.
_INT_MAX = 2**63


class NotAList(UserErrorException, TypeError):
    """`log_list` was given one value; v1 raised a bare TypeError."""


def check_name(name: object) -> str:
    """Return a metric's name. Raises UserErrorException that states the rule."""
    from zaffre.contract import names
    from zaffre.contract.errors import Invalid

    try:
        return names.metric_name(name)
    except Invalid as problem:
        raise UserErrorException(str(problem)) from problem


def scalar(value: Any) -> float | str | None:
    """Return one value as a float, int, bool, str or None.

    An array or tensor of one element is that element; what is none of these is its `repr`, as in
    v1. Raises UserErrorException for a list.
    """
    if type(value) in _PLAIN:
        return _int(value) if type(value) is int else value
    if isinstance(value, list):
        raise UserErrorException(
            "log() takes one value, not a list. Use log_list() for a list of values."
        )
    return _cell(value)


def values(value: Any) -> list[Any]:
    """Return a list, tuple, range, generator, 1-d array or column as a list of plain values.

    Raises AzureMLException for a nested list, NotAList for a single value.
    """
    items = _as_list(value)
    if items is None:
        raise NotAList(
            f"log_list() takes a list, not {type(value).__name__}. Use log() for one value."
        )
    return [_item(item) for item in items]


def row(cells: dict[str, Any]) -> dict[str, Any]:
    """Return a row's cells as plain values. Raises AzureMLException for a list in a cell."""
    plain: dict[str, Any] = {}
    for column, value in cells.items():
        if type(value) in _PLAIN:
            plain[column] = _int(value) if type(value) is int else value
            continue
        if isinstance(value, list) or _length(value) not in (None, 1):
            raise AzureMLException(
                f"rows cannot contain list values, column {column} has {type(value).__name__}. "
                "Use log_table() for columns of values."
            )
        plain[column] = _cell(value)
    return plain


def columns(table: Any) -> dict[str, list[Any]]:
    """Return a table, a dict of columns or a data frame, as lists of plain values.

    A dict of scalars is one row. Raises AzureMLException that names both columns when two differ
    in length, UserErrorException for what is no table.
    """
    if not isinstance(table, dict):
        if not hasattr(table, "columns") or not hasattr(table, "__getitem__"):
            raise UserErrorException(
                "log_table() takes a dict such as {'column': [1, 2]}, "
                f"not {type(table).__name__}."
            )
        table = {column: table[column] for column in table.columns}
    plain: dict[str, list[Any]] = {}
    for column, value in table.items():
        items = _as_list(value)
        cells = [scalar(value)] if items is None else [_item(item) for item in items]
        plain[column if isinstance(column, str) else str(column)] = cells
    first = next(iter(plain), None)
    for column, cells in plain.items():
        if first is not None and len(cells) != len(plain[first]):
            raise AzureMLException(
                "All columns of a table must have one length, and these differ: "
                f"{first}: {len(plain[first])}, {column}: {len(cells)}."
            )
    return plain


def step_number(step: Any) -> int:
    """Return a step as an int. Raises UserErrorException for what is no number."""
    try:
        return int(step)
    except (TypeError, ValueError, OverflowError) as problem:
        raise UserErrorException(f"step: {step!r} is not a whole number.") from problem


def json_text(value: object) -> str:
    """Return the JSON of a file-backed metric: a dict is encoded, a text must be JSON.

    Raises UserErrorException.
    """
    import json

    if isinstance(value, str):
        try:
            json.loads(value)
        except ValueError as problem:
            raise UserErrorException(f"invalid JSON provided: {problem}") from problem
        return value
    try:
        return json.dumps(value, default=_plain_json)
    except (TypeError, ValueError) as problem:
        raise UserErrorException(f"The value has no JSON form: {problem}") from problem


def _plain_json(value: Any) -> Any:
    items = _as_list(value)
    return _cell(value) if items is None else list(items)


def _int(value: int) -> float | int:
    return value if -_INT_MAX <= value < _INT_MAX else _big(value)


def _big(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _length(value: Any) -> int | None:
    """Return how many elements an array, tensor or column holds, None for what is none."""
    shape = getattr(value, "shape", None)
    if shape is None or isinstance(value, type):
        return None
    try:
        count = 1
        for length in shape:
            count *= int(length)
    except (TypeError, ValueError):
        return None
    return count


def _cell(value: Any) -> float | str | None:
    """Return a value that is not of a plain type as one."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, int):
        return _int(int(value))
    found = _element(value)
    if type(found) in _PLAIN:
        return _int(found) if type(found) is int else found
    if isinstance(found, (float, int, str)):
        return _cell(found)
    if getattr(getattr(found, "dtype", None), "kind", "") == "f":
        return float(found)  # numpy.longdouble, which has no Python number of its own
    return repr(value)


def _element(value: Any) -> Any:
    """Return the one element of an array or tensor, else the value itself."""
    if _length(value) != 1:
        return value
    for name in ("item", "numpy"):
        get = getattr(value, name, None)
        if callable(get):
            try:
                found = get()
            except (TypeError, ValueError, RuntimeError):
                continue
            return found if name == "item" else _element(found)
    return value


def _item(item: Any) -> Any:
    """Return an item of a list or column. Raises AzureMLException for one that is a list."""
    if type(item) in _PLAIN:
        return _int(item) if type(item) is int else item
    if isinstance(item, (list, tuple, dict, set)) or _length(item) not in (None, 1):
        raise AzureMLException(
            f"{type(item).__name__} cannot be an item of a list metric. "
            "Supported types: float, str, bool, None, int."
        )
    return _cell(item)


def _as_list(value: Any) -> Iterable[Any] | None:
    """Return what holds several values as an iterable of them, None for one value."""
    if isinstance(value, (list, tuple, range)):
        return value
    if isinstance(value, (str, bytes, bytearray, dict)) or value is None:
        return None
    shape = getattr(value, "shape", None)
    if shape is not None and len(shape) == 0:
        return None
    for name in ("tolist", "to_list"):
        get = getattr(value, name, None)
        if callable(get):
            found = get()
            return found if isinstance(found, list) else None
    try:
        return list(iter(value))
    except TypeError:
        return None
