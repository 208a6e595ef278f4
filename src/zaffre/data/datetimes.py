"""Texts to times: the formats that v1 knows, and those that users give.

A format is written as for strptime. It is turned into an expression whose groups are read for a
whole column at once, because strptime takes the 30th of February and a row at a time is slow.
A time with an offset becomes UTC; all results are without a zone.
"""

from __future__ import annotations

import re
from typing import Any, Iterable, Sequence

import numpy as np

from zaffre.data.arrow import pa, pc

_DATES = ("%Y-%m-%d", "%Y/%m/%d", "%d-%b-%Y", "%d-%b-%y")
_ISO_TIMES = (
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S.%f",
    "%Y-%m-%d %H:%M:%S.%f",
)
_ZONED = tuple(f"{one}%z" for one in _ISO_TIMES)
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")

#: Formats that leave no doubt which number is the month.
CERTAIN = (*_DATES, *_ISO_TIMES, *_ZONED, "%Y/%m/%d %H:%M:%S")
#: The same texts read in America's order, and in the other.
MONTH_FIRST = tuple(f"%m{s}%d{s}{y}{c}" for s in "/-" for y in ("%Y", "%y") for c in _CLOCKS)
DAY_FIRST = tuple(f"%d{s}%m{s}{y}{c}" for s in "/-" for y in ("%Y", "%y") for c in _CLOCKS)

#: What Arrow's own reader takes as it is, and needs no help with.
ARROW_READS = frozenset(("%Y-%m-%d", *_ISO_TIMES))
ARROW_READS_WITH_ZONE = frozenset(_ZONED)

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONG = "january|february|march|april|may|june|july|august|september|october|november|december"
_FIELDS = {
    "Y": r"\d{4}",
    "y": r"\d{2}",
    "m": r"\d{1,2}",
    "b": "|".join(_MONTHS),
    "B": _LONG,
    "d": r"\d{1,2}",
    "H": r"\d{1,2}",
    "I": r"\d{1,2}",
    "M": r"\d{2}",
    "S": r"\d{2}",
    "f": r"\d{1,9}",
    "p": "am|pm",
    "z": r"z|[+-]\d{2}:?\d{2}",
}
_MONTH_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_MAY_BE_DATE = re.compile(r"\d{1,4}[-/]\w{1,3}[-/]\d{1,4}")
#: The two-digit years 69 to 99 are of the 20th century, as for strptime.
_PIVOT = 69


def expression(text_format: str) -> str:
    """Return the expression (RE2 and Python) of the texts that a strptime format reads."""
    parts = re.split(r"%(.)", text_format)
    out = ""
    for index, part in enumerate(parts):
        if index % 2 == 0:
            out += re.escape(part)
        elif part == "%":
            out += "%"
        elif part in _FIELDS:
            out += f"(?P<{part}>{_FIELDS[part]})"
        else:
            raise ValueError(
                f"the datetime format {text_format!r} holds %{part}, which is not known"
            )
    return f"^(?i:{out})$"


def known_formats(cells: Sequence[str]) -> list[str] | None:
    """Return the known formats that together read all cells; None if there is a cell they do not.

    Where day and month could be either, the month comes first unless that does not fit.
    """
    if not all(_MAY_BE_DATE.match(cell) for cell in cells):
        return None
    texts = pa.array(cells, pa.string())
    for order in (MONTH_FIRST, DAY_FIRST):
        formats = used_formats(texts, (*CERTAIN, *order))
        if formats is not None:
            return formats
    return None


def used_formats(texts: Any, formats: Iterable[str]) -> list[str] | None:
    """Return those of the formats that read some text, or None if a text is read by none."""
    used: list[str] = []
    left = texts
    for one in formats:
        if len(left) == 0:
            break
        read = parse(left, [one])[1]
        if read.any():
            used.append(one)
            left = left.filter(pa.array(~read))
    return used if len(left) == 0 else None


def parse(texts: Any, formats: Iterable[str]) -> tuple[Any, np.ndarray[Any, Any]]:
    """Read an array of texts without nulls by the first format that fits each.

    Return an array of timestamps (us, or ns where a fraction needs it), null where none fits,
    and which were read: (n,) bool.
    """
    count = len(texts)
    seconds = np.zeros(count, np.int64)
    nanos = np.zeros(count, np.int64)
    done = np.zeros(count, bool)
    for one in formats:
        open_rows = np.flatnonzero(~done)
        if not len(open_rows):
            break
        left = texts.take(pa.array(open_rows)) if len(open_rows) < count else texts
        found = pc.extract_regex(left, expression(one))
        matched = pc.is_valid(found).to_numpy(zero_copy_only=False)
        if not matched.any():
            continue
        fields = found.filter(pa.array(matched))
        ok, at_second, at_nano = _moments(fields)
        rows = open_rows[np.flatnonzero(matched)[ok]]
        seconds[rows], nanos[rows], done[rows] = at_second[ok], at_nano[ok], True
    fine = bool((nanos % 1000).any())
    if fine:
        # What nanoseconds cannot reach is told from what does not fit at all by the caller.
        done &= np.abs(seconds) < 9_223_372_036
    ticks = seconds * 1_000_000_000 + nanos if fine else seconds * 1_000_000 + nanos // 1000
    unit = pa.timestamp("ns" if fine else "us")
    return pa.array(ticks, mask=~done).cast(unit), done


def _moments(found: Any) -> tuple[Any, Any, Any]:
    """Return which matches are real times, their seconds since 1970 in UTC, and nanoseconds."""
    names = {field.name for field in found.type}
    count = len(found)

    def text(name: str) -> Any:
        return pc.struct_field(found, [found.type.get_field_index(name)])

    def number(name: str, default: int) -> Any:
        if name not in names:
            return np.full(count, default, np.int64)
        return pc.cast(text(name), pa.int64()).to_numpy(zero_copy_only=False)

    year = number("Y", 1900)
    if "y" in names:
        short = number("y", 0)
        year = np.where(short < _PIVOT, 2000, 1900) + short
    month, day = number("m", 1), number("d", 1)
    for name in ("b", "B"):
        if name in names:
            short_name = pc.utf8_slice_codeunits(pc.utf8_lower(text(name)), 0, 3)
            month = pc.index_in(short_name, value_set=pa.array(_MONTHS)).to_numpy() + 1
    hour, minute, second = number("H", 0), number("M", 0), number("S", 0)
    ok = (hour < 24) & (minute < 60) & (second < 60)
    if "I" in names:
        twelve = number("I", 0)
        ok &= (twelve >= 1) & (twelve <= 12)
        hour = twelve % 12
        if "p" in names:
            hour = hour + 12 * _equal(pc.utf8_lower(text("p")), "pm")
    ok &= (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1)
    safe_month = np.where(ok, month, 1)
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0)) & (safe_month == 2)
    ok &= day <= _MONTH_DAYS[safe_month] + leap
    months = (np.where(ok, year, 1970) - 1970) * 12 + safe_month - 1
    days = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) + day - 1
    seconds = days * 86400 + hour * 3600 + minute * 60 + second
    if "z" in names:
        seconds = seconds - _offsets(text("z"))
    nanos = np.zeros(count, np.int64)
    if "f" in names:
        digits = pc.utf8_rpad(text("f"), 9, "0")
        nanos = pc.cast(digits, pa.int64()).to_numpy(zero_copy_only=False)
    return ok, seconds, nanos


def _equal(texts: Any, value: str) -> Any:
    return pc.equal(texts, value).to_numpy(zero_copy_only=False).astype(np.int64)


def _offsets(zones: Any) -> Any:
    """Return offsets from UTC in seconds, of 'Z', '+02:00' or '-0330'."""
    parts = pc.extract_regex(zones, r"(?P<s>[+-])(?P<h>\d{2}):?(?P<m>\d{2})")
    part = [pc.fill_null(pc.struct_field(parts, [i]), d) for i, d in enumerate(("+", "0", "0"))]
    hours, minutes = (pc.cast(p, pa.int64()).to_numpy(zero_copy_only=False) for p in part[1:])
    return (hours * 3600 + minutes * 60) * (1 - 2 * _equal(part[0], "-"))
