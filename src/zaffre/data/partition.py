"""Columns from paths: `/{dept}/{day:yyyy/MM/dd}/data.csv` is read from the path's end back."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Pattern

from zaffre.contract.dataset import partition_names

Value = "str | datetime | None"

_HOLE = re.compile(r"\{([^{}:]+)(?::([^{}]*))?\}")
_TIME_PARTS = {
    "yyyy": ("year", r"\d{4}"),
    "MM": ("month", r"\d{1,2}"),
    "M": ("month", r"\d{1,2}"),
    "dd": ("day", r"\d{1,2}"),
    "d": ("day", r"\d{1,2}"),
    "HH": ("hour", r"\d{1,2}"),
    "H": ("hour", r"\d{1,2}"),
    "mm": ("minute", r"\d{1,2}"),
    "ss": ("second", r"\d{1,2}"),
}
_TIME_PART = re.compile("yyyy|MM|M|dd|d|HH|H|mm|ss")


class PartitionFormat:
    """A partition format. names: its columns in order. times: those that hold datetimes."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.names = partition_names(text)
        self.times: set[str] = set()
        self._groups: list[tuple[str, str | None]] = []
        body = ""
        last = 0
        for hole in _HOLE.finditer(text):
            body += _literal(text[last : hole.start()].lstrip("/" if not last else ""))
            body += self._hole(hole.group(1).strip(), hole.group(2))
            last = hole.end()
        body += _literal(text[last:])
        self._pattern: Pattern[str] = re.compile(rf"(?:\A|/){body}\Z", re.DOTALL)

    def _hole(self, name: str, pattern: str | None) -> str:
        if pattern is None:
            self._groups.append((name, None))
            return "([^/]+?)"
        self.times.add(name)
        out, last = "", 0
        for part in _TIME_PART.finditer(pattern):
            out += _literal(pattern[last : part.start()])
            unit, digits = _TIME_PARTS[part.group()]
            self._groups.append((name, unit))
            out += f"({digits})"
            last = part.end()
        return out + _literal(pattern[last:])

    def values(self, path: str) -> dict[str, str | datetime] | None:
        """Return the columns' values for a file's path; None if the path does not match."""
        found = self._pattern.search(path)
        if found is None:
            return None
        texts: dict[str, str] = {}
        parts: dict[str, dict[str, int]] = {name: {} for name in self.times}
        for (name, unit), text in zip(self._groups, found.groups()):
            if unit is None:
                texts[name] = text
            else:
                parts[name][unit] = int(text)
        try:
            times = {name: _time(one) for name, one in parts.items()}
        except ValueError:  # the 13th month
            return None
        return {name: times[name] if name in times else texts[name] for name in self.names}


def _literal(text: str) -> str:
    return re.escape(text).replace(r"\*", "[^/]*")


def _time(parts: dict[str, int]) -> datetime:
    values = {"year": 1, "month": 1, "day": 1, **parts}
    return datetime(**values)  # type: ignore[arg-type]
