"""Columns of text to columns of a type: exactly or not at all, or value by value.

`exactly` serves inferred types: it gives a column of the narrowest type that holds every value,
or None. `as_asked` serves types that the user set: what does not fit becomes null and is counted.
"""

from __future__ import annotations

from typing import Any, Callable, Sequence

import numpy as np

from zaffre.data import datetimes
from zaffre.data.arrow import pa, pc
from zaffre.data.infer import FALSE_WORDS, INTEGER, NUMBER, TRUE_WORDS, is_exact

#: Integers of fewer digits than this are exact as floats too.
_SAFE_DIGITS = 15
_ALL_FORMATS = (*datetimes.CERTAIN, *datetimes.MONTH_FIRST)


def exactly(texts: Any, column_type: Any, *, empty_is_null: bool) -> Any:
    """Return a column of text in the type, or in a wider one that holds every value of it.

    An int column may become a float one. None: some value fits no such type.
    """
    cells = _null_where_empty(texts) if empty_is_null else texts
    if column_type == "boolean":
        return _booleans(cells)
    if column_type in ("int", "float"):
        return _numbers(cells, float_even_if_whole=column_type == "float")
    if isinstance(column_type, dict) and "datetime" in column_type:
        return _datetimes(cells)
    return None


def as_asked(texts: Any, column_type: Any) -> tuple[Any, Any]:
    """Return a column of text in the type that was set, null where a text does not fit.

    Also return where that is: (n,) bool. Empty is null and fits every type but text.
    """
    if column_type == "string" or (isinstance(column_type, dict) and "stream" in column_type):
        return texts, np.zeros(len(texts), bool)
    cells = _null_where_empty(texts)
    if column_type == "boolean":
        column = _words(cells, (*TRUE_WORDS, "1"), (*FALSE_WORDS, "0"))
    elif column_type == "int":
        column = _by_distinct(cells, _integer_values)
    elif isinstance(column_type, dict) and "datetime" in column_type:
        formats = column_type["datetime"].get("formats") or _formats_for(cells) or _ALL_FORMATS
        column = _by_distinct(cells, lambda distinct: datetimes.parse(distinct, formats)[0])
    else:
        mark = "." if column_type == "float" else column_type["float"].get("decimal_mark", ".")
        column = _float_values(cells, mark)
    failed = pc.and_(pc.is_valid(cells), pc.is_null(column))
    return column, failed.to_numpy()


def _null_where_empty(texts: Any) -> Any:
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, texts.type), texts)


def _all(condition: Any) -> bool:
    """Say whether a condition holds wherever it is known."""
    return pc.all(condition, min_count=0).as_py()


def _booleans(cells: Any) -> Any:
    column = _words(cells, TRUE_WORDS, FALSE_WORDS)
    return column if column.null_count == cells.null_count else None


def _words(cells: Any, true: Sequence[str], false: Sequence[str]) -> Any:
    lower = pc.utf8_lower(cells)
    is_true = pc.or_(_is_in(cells, true), pc.equal(lower, "true"))
    is_false = pc.or_(_is_in(cells, false), pc.equal(lower, "false"))
    unknown = pc.invert(pc.or_(is_true, is_false))
    return pc.if_else(unknown, pa.scalar(None, pa.bool_()), is_true)


def _is_in(cells: Any, words: Sequence[str]) -> Any:
    found = pc.is_in(cells, value_set=pa.array(words, pa.string()))
    return pc.if_else(pc.is_null(cells), pa.scalar(None, pa.bool_()), found)


def _bare(cells: Any) -> Any:
    return pc.utf8_trim(cells, characters=" \t")


def _without_plus(bare: Any) -> Any:
    return pc.replace_substring_regex(bare, r"^\+", "")


def _numbers(cells: Any, *, float_even_if_whole: bool) -> Any:
    bare = _bare(cells)
    whole = pc.match_substring_regex(bare, f"^(?:{INTEGER})$")
    digits = _without_plus(bare)
    if _all(whole) and not float_even_if_whole:
        try:
            return pc.cast(digits, pa.int64())
        except pa.ArrowInvalid:  # above 2**63
            pass
    if not _all(pc.match_substring_regex(bare, f"^(?:{NUMBER})$")):
        return None
    long = pc.and_(whole, pc.greater(pc.utf8_length(bare), _SAFE_DIGITS))
    if not all(is_exact(int(text)) for text in bare.filter(long).unique().to_pylist()):
        return None
    column = pc.cast(digits, pa.float64())
    return None if _overflowed(column, bare) else column


def _overflowed(column: Any, bare: Any) -> bool:
    """Say whether a number was too large for a float, which gives infinity."""
    infinite = bare.filter(pc.is_inf(column))
    return not _all(pc.match_substring_regex(infinite, "^[+-]?(?i:inf)"))


def _datetimes(cells: Any) -> Any:
    formats = _formats_for(cells)
    if formats is None:
        return None
    column = _by_distinct(cells, lambda distinct: datetimes.parse(distinct, formats)[0])
    return column if column.null_count == cells.null_count else None


def _formats_for(cells: Any) -> Sequence[str] | None:
    """Return known formats that read all cells: the month first unless only the other order fits.

    None if no formats do.
    """
    distinct = cells.unique().drop_null()
    for order in (datetimes.MONTH_FIRST, datetimes.DAY_FIRST):
        formats = datetimes.used_formats(distinct, (*datetimes.CERTAIN, *order))
        if formats is not None:
            return formats
    return None


def _by_distinct(cells: Any, read: Callable[[Any], Any]) -> Any:
    """Return what `read` makes of each distinct text, for all rows: times repeat a lot."""
    chunks = cells.dictionary_encode().unify_dictionaries().chunks
    if not chunks:
        return pa.chunked_array([read(pa.array([], pa.string()))])
    values = read(chunks[0].dictionary)
    return pa.chunked_array([values.take(chunk.indices) for chunk in chunks], values.type)


def _integer_values(distinct: Any) -> Any:
    """Read integers, and numbers cut off to integers as v1 did; null what is neither."""
    bare = _bare(distinct)
    is_number = pc.match_substring_regex(bare, f"^(?:{NUMBER})$")
    values: list[int | None] = []
    for text, is_one in zip(bare.to_pylist(), is_number.to_pylist()):
        values.append(_integer(text) if is_one else None)
    return pa.array(values, pa.int64())


def _integer(text: str) -> int | None:
    try:
        value = int(text)
    except ValueError:
        number = float(text)
        if not abs(number) < 2**63:  # too large, infinite or NaN
            return None
        value = int(number)
    return value if -(2**63) <= value < 2**63 else None


def _float_values(cells: Any, mark: str) -> Any:
    bare = _bare(cells)
    if mark != ".":
        # With a decimal comma a point is no part of a number.
        foreign = pc.match_substring(bare, ".")
        bare = pc.if_else(foreign, pa.scalar(None, pa.string()), bare)
        bare = pc.replace_substring(bare, mark, ".")
    fits = pc.match_substring_regex(bare, f"^(?:{NUMBER})$")
    numbers = pc.if_else(fits, _without_plus(bare), pa.scalar(None, pa.string()))
    return pc.cast(numbers, pa.float64())


def without_zone(column: Any) -> Any:
    """Return a column of times without a zone; times with one are told in UTC."""
    if column.type.tz is None:
        return column
    # The stored number is UTC already.
    plain = pa.timestamp(column.type.unit)
    return pc.cast(pc.cast(column, pa.int64()), plain)
