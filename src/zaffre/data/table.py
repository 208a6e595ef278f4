"""Rows while they are worked on: columns by name, and which file each row is from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Callable, Iterable, Sequence

from zaffre.data.arrow import pa, pc
from zaffre.data.errors import DataInvalid
from zaffre.data.sources import SourceFile

#: Says of a column's name whether it is read.
Wanted = Callable[[str], bool]


@dataclass(frozen=True)
class Piece:
    """What was read of one file: `count` rows, and its columns."""

    file: SourceFile
    count: int
    columns: dict[str, Any]


@dataclass(frozen=True)
class Rows:
    """All rows. files: each file and its rows, in order. problems: the first value of each
    column that a type set by the user could not take, which is null here. failed: for those
    columns, where that is: (count,) bool. pandas: what the files say of pandas' types.
    """

    columns: dict[str, Any]
    files: list[tuple[SourceFile, int]]
    problems: list[DataInvalid] = field(default_factory=list)
    failed: dict[str, Any] = field(default_factory=dict)
    pandas: bytes | None = None

    @property
    def count(self) -> int:
        """How many rows there are."""
        return sum(count for _, count in self.files)

    def first(self, count: int) -> Rows:
        """Return the first rows."""
        if count >= self.count:
            return self
        files: list[tuple[SourceFile, int]] = []
        left = count
        for file, rows in self.files:
            files.append((file, min(rows, left)))
            left -= files[-1][1]
        columns = {name: column.slice(0, count) for name, column in self.columns.items()}
        failed = {name: mask[:count] for name, mask in self.failed.items()}
        return replace(self, columns=columns, files=files, failed=failed)

    @staticmethod
    def place(files: Sequence[tuple[SourceFile, int]], index: int) -> tuple[SourceFile, int]:
        """Return the file of the row at `index` (from 0), and the row's number there (from 1)."""
        for file, count in files:
            if index < count:
                return file, index + 1
            index -= count
        raise IndexError(index)


def combined(name: str, parts: Iterable[tuple[Any, int]]) -> Any:
    """Return one column of the parts of several files; a missing part (None, count) is null.

    Parts of different types get the narrowest that holds all their values: of whole numbers and
    fractions double where that is exact; of times the finer unit; of dictionaries their values'
    type; else text. Raises DataInvalid where there is no text of a part's values.
    """
    given = list(parts)
    types = {part.type for part, _ in given if part is not None}
    real = {one for one in types if not pa.types.is_null(one)}
    target = pa.null() if not real else next(iter(real)) if len(real) == 1 else _wider(real)
    try:
        try:
            return _cast_all(given, target)
        except pa.ArrowInvalid:
            # A float would lose digits of an integer, a finer unit cannot reach a time.
            return _cast_all(given, pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as problem:
        found = " and ".join(sorted(str(one) for one in real))
        raise DataInvalid(f"the files hold values of types {found}", column=name) from problem


def _cast_all(given: Sequence[tuple[Any, int]], target: Any) -> Any:
    chunks: list[Any] = []
    for part, count in given:
        if part is None or pa.types.is_null(part.type):
            chunks.append(pa.nulls(count, target))
        elif part.type == target:
            chunks += part.chunks
        else:
            plain = part
            if pa.types.is_dictionary(part.type):
                plain = pc.cast(part, part.type.value_type)
            chunks += pc.cast(plain, target).chunks
    return pa.chunked_array(chunks, target)


def _wider(types: set[Any]) -> Any:
    plain = {one.value_type if pa.types.is_dictionary(one) else one for one in types}
    if len(plain) == 1:
        return plain.pop()
    if all(pa.types.is_timestamp(one) for one in plain) and len({one.tz for one in plain}) == 1:
        units = ("s", "ms", "us", "ns")
        return max(plain, key=lambda one: units.index(one.unit))
    if all(pa.types.is_integer(one) for one in plain):
        return pa.int64()
    if all(pa.types.is_integer(one) or pa.types.is_floating(one) for one in plain):
        return pa.float64()
    return pa.string()
