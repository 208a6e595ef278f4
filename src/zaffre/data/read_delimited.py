"""Delimited files to one table: with guessed types at full speed, and no value lost.

Types are guessed from the first rows. Each file is then read whole by Arrow's multi-threaded
reader with those types. A column in which some value does not fit is read again, as text, in all
files, and then given the narrowest type that holds every value: int becomes float where that is
exact, all else text. A column of numbers is read as floats, from which integers below 2**53
come back exactly: so whole numbers and fractions, the commonest surprise, need no second reading.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field, replace
from typing import Any, Mapping, Sequence

from zaffre.data import convert, datetimes, infer
from zaffre.data.arrow import pa, pacsv, pc
from zaffre.data.delimited_layout import (
    Delimited,
    Layout,
    Opening,
    compression,
    has_header,
    layouts,
    numbered_names,
    peek,
    stand_in,
)
from zaffre.data.errors import DataInvalid, SourceMissing
from zaffre.data.sources import SourceFile
from zaffre.data.table import Piece, Rows, Wanted, combined

_BLOCK_BYTES = 1 << 20
_BLOCK_MAX_BYTES = 1 << 30
#: Rows read from files after the first: they only tell its width.
_WIDTH_ROWS = 20
_COLUMN = re.compile(r"In CSV column #(\d+): ")
_TEXT = pa.string()
_TIMES = pa.timestamp("us")
_ZONED_TIMES = pa.timestamp("us", "UTC")
_TRUE = ["true", "True", "TRUE", *infer.TRUE_WORDS]
_FALSE = ["false", "False", "FALSE", *infer.FALSE_WORDS]


@dataclass
class _Columns:
    """What is known of the columns while files are read.

    types: each wanted column's. asked: those whose type the user set. as_text: columns that
    Arrow's reader cannot give their type. with_fractions: int columns that hold other numbers.
    """

    types: dict[str, Any]
    asked: frozenset[str]
    as_text: set[str]
    with_fractions: set[str] = field(default_factory=set)

    def arrow_type(self, name: str) -> Any:
        """Return the type that Arrow's reader is to give a column."""
        if name in self.as_text:
            return _TEXT
        return _arrow_type(self.types[name], is_asked=name in self.asked)


def infer_types(
    files: Sequence[SourceFile], form: Delimited, known: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the types of all columns, in order: `known` ones, others guessed from 200 rows."""
    openings = _openings(files, form, infer.ROWS)
    plans = layouts(files[: len(openings)], openings, form.headers)
    return _types(plans, openings, form, known)


def read(
    files: Sequence[SourceFile],
    form: Delimited,
    *,
    known: Mapping[str, Any],
    asked: Mapping[str, Any],
    infer_unknown: bool,
    wanted: Wanted,
    limit: int | None,
) -> Rows:
    """Read the files' rows, the first `limit` of them.

    known: types that were guessed before. asked: types that the user set. infer_unknown: whether
    to guess the types of others; else they are text. wanted: which columns to read.
    """
    if limit is None:
        openings = [
            _opening(file, form, index, infer.ROWS if index == 0 else _WIDTH_ROWS)
            for index, file in enumerate(files)
        ]
    else:
        openings = _openings(files, form, limit)
    files = files[: len(openings)]
    plans = layouts(files, openings, form.headers)
    names = _all_names(plans)
    chosen = [name for name in names if wanted(name)]
    if infer_unknown:
        types = _types(plans, openings, form, {**known, **asked})
    else:
        types = {name: asked.get(name, "string") for name in names}
    columns = _Columns(
        {name: types[name] for name in chosen},
        frozenset(asked),
        {name for name in chosen if _arrow_type(types[name], is_asked=name in asked) is None},
    )
    texts = [None if limit is None else opening.text for opening in openings]
    loads = [_Load(plan, form, text) for plan, text in zip(plans, texts)]
    pieces = [_load(load, columns) for load in loads]
    _add_ragged_columns(pieces, columns, wanted)
    return _assemble(loads, pieces, columns, form, limit)


def _openings(files: Sequence[SourceFile], form: Delimited, rows: int) -> list[Opening]:
    """Return the starts of as many files as the rows need."""
    found: list[Opening] = []
    left = rows
    for index, file in enumerate(files):
        found.append(_opening(file, form, index, left))
        left -= len(found[-1].records)
        if left <= 0:
            break
    return found


def _opening(file: SourceFile, form: Delimited, index: int, rows: int) -> Opening:
    return peek(file, form, has_header=has_header(form.headers, index), rows=rows)


def _all_names(plans: Sequence[Layout]) -> list[str]:
    return list(dict.fromkeys(name for plan in plans for name in plan.names))


def _types(
    plans: Sequence[Layout], openings: Sequence[Opening], form: Delimited, known: Mapping[str, Any]
) -> dict[str, Any]:
    types: dict[str, Any] = {}
    for name in _all_names(plans):
        types[name] = known.get(name)
        if types[name] is None:
            cells = _first_cells(name, plans, openings)
            has_empty = form.empty_as_string and "" in cells
            types[name] = "string" if has_empty else infer.infer_type(cells)
    return types


def _first_cells(
    name: str, plans: Sequence[Layout], openings: Sequence[Opening]
) -> list[str | None]:
    cells: list[str | None] = []
    for plan, opening in zip(plans, openings):
        if len(cells) >= infer.ROWS:
            break
        if name in plan.names:
            at = plan.names.index(name)
            cells += [row[at] if at < len(row) else None for row in opening.records]
    return cells[: infer.ROWS]


def _arrow_type(column_type: Any, *, is_asked: bool) -> Any:
    """Return the type that Arrow's reader can read a column with; None if it must be text."""
    if column_type == "string":
        return _TEXT
    if column_type in ("int", "float"):
        return pa.float64()
    if column_type == "boolean":
        # A type that was asked for takes 0 and 1 too, and Arrow knows one list of words.
        return None if is_asked else pa.bool_()
    formats = column_type.get("datetime", {}).get("formats")
    if formats and datetimes.ARROW_READS.issuperset(formats):
        return _TIMES
    if formats and datetimes.ARROW_READS_WITH_ZONE.issuperset(formats):
        return _ZONED_TIMES
    return None


# One file


@dataclass(frozen=True)
class _Load:
    """A file to be read. text: the lines to read instead of the file's own, without header."""

    layout: Layout
    form: Delimited
    text: str | None

    @property
    def file(self) -> SourceFile:
        """The file."""
        return self.layout.file

    @property
    def skipped_lines(self) -> int:
        """How many lines are in front of the rows."""
        return self.layout.header_lines if self.text is None else 0

    def source(self) -> tuple[Any, str]:
        """Return what Arrow reads, and its encoding."""
        if self.text is not None:
            text = self.text
            if self.form.delimiter != self.form.separator:
                text = stand_in(text, self.form, self.file)
            return pa.BufferReader(text.encode()), "utf8"
        path = self.file.store.local_path(self.file.entry.path)
        try:
            if path is not None:
                raw = pa.OSFile(path)
            else:
                with self.file.open() as opened:
                    raw = pa.BufferReader(opened.read())
        except FileNotFoundError:
            raise SourceMissing(self.file.shown_path) from None
        way = compression(self.file)
        stream = raw if way is None else pa.CompressedInputStream(raw, way)
        if self.form.delimiter == self.form.separator:
            # Arrow itself leaves out a mark of UTF-8 at the start.
            encoding = "utf-8" if self.form.encoding == "utf-8-sig" else self.form.encoding
            return stream, encoding
        text = stream.read().decode(self.form.encoding)
        return pa.BufferReader(stand_in(text, self.form, self.file).encode()), "utf-8"


def _load(load: _Load, columns: _Columns) -> Piece:
    """Read one file's columns; those that turn out not to fit their type are read as text."""
    while True:
        arrow_types = {name: columns.arrow_type(name) for name in columns.types}
        try:
            piece = _parse(load, arrow_types)
        except _DoesNotFit as problem:
            if arrow_types[problem.column] == _TEXT:
                raise _wrong_bytes(load, problem.column) from problem
            columns.as_text.add(problem.column)
            continue
        return _checked(piece, columns, load.form)


class _DoesNotFit(Exception):
    """A value of this column is none of the type that the column was read with."""

    def __init__(self, column: str) -> None:
        super().__init__(column)
        self.column = column


def _parse(load: _Load, arrow_types: Mapping[str, Any]) -> Piece:
    if load.layout.width == 0:  # an empty file
        return Piece(load.file, 0, {})
    block_bytes = _BLOCK_BYTES
    quoted_lines = False
    while True:
        try:
            return _parse_once(load, arrow_types, block_bytes, quoted_lines=quoted_lines)
        except pa.ArrowInvalid as problem:
            message = str(problem)
            found = _COLUMN.match(message)
            if found:
                raise _DoesNotFit(load.layout.names[int(found.group(1))]) from problem
            if "Empty CSV" in message:
                return Piece(load.file, 0, {})
            # A line break inside quotes where two blocks meet; a row longer than a block.
            if not quoted_lines:
                quoted_lines = True
            elif "straddl" in message and block_bytes < _BLOCK_MAX_BYTES:
                block_bytes *= 8
            elif "Expected" in message:
                return _parse_ragged(load, arrow_types, block_bytes)
            else:
                raise DataInvalid(message, file=load.file.shown_path) from problem
        except UnicodeDecodeError as problem:
            raise _undecodable(load, problem) from problem


def _parse_once(
    load: _Load,
    arrow_types: Mapping[str, Any],
    block_bytes: int,
    *,
    quoted_lines: bool,
    handler: Any = None,
) -> Piece:
    layout, form = load.layout, load.form
    # Cells are named by their position: names of columns may stand twice in a layout's tail.
    positions = {str(at): name for at, name in enumerate(layout.names[: layout.width])}
    included = [at for at, name in positions.items() if name in arrow_types]
    counted = included or ["0"]
    source, encoding = load.source()
    parse_options: dict[str, Any] = {
        "delimiter": form.delimiter,
        "newlines_in_values": quoted_lines,
    }
    if handler is not None:
        parse_options["invalid_row_handler"] = handler
    with source:
        table = pacsv.read_csv(
            source,
            pacsv.ReadOptions(
                # Row numbers come only from a single thread.
                use_threads=handler is None,
                skip_rows=load.skipped_lines,
                column_names=list(positions),
                block_size=block_bytes,
                encoding=encoding,
            ),
            pacsv.ParseOptions(**parse_options),
            pacsv.ConvertOptions(
                column_types={at: arrow_types[positions[at]] for at in included} or {"0": _TEXT},
                include_columns=counted,
                null_values=[] if form.empty_as_string else [""],
                strings_can_be_null=not form.empty_as_string,
                quoted_strings_can_be_null=False,
                true_values=_TRUE,
                false_values=_FALSE,
            ),
        )
    columns = {positions[at]: table.column(at) for at in included}
    piece = Piece(load.file, table.num_rows, columns)
    if form.delimiter != form.separator:
        piece = _without_stand_in(piece, form)
    _refuse_open_quote(piece, load)
    return piece


def _without_stand_in(piece: Piece, form: Delimited) -> Piece:
    """Put the separator of several characters back where it stood inside quotes."""
    columns = {
        name: pc.replace_substring(column, form.delimiter, form.separator)
        if column.type == _TEXT
        else column
        for name, column in piece.columns.items()
    }
    return replace(piece, columns=columns)


def _refuse_open_quote(piece: Piece, load: _Load) -> None:
    """Raise DataInvalid if the last cell took in the rest of the file, its quote never closed."""
    if not piece.count or load.text is not None:
        return
    for name, column in piece.columns.items():
        last = column[-1].as_py() if column.type == _TEXT else None
        if last and ("\n" in last or "\r" in last):
            source, _ = load.source()
            with source:
                quotes = source.read().count(b'"')
            if quotes % 2:
                raise DataInvalid(
                    "a quoted cell begins here and does not end",
                    file=load.file.shown_path,
                    row=piece.count,
                    column=name,
                )


def _parse_ragged(load: _Load, arrow_types: Mapping[str, Any], block_bytes: int) -> Piece:
    """Read a file of which some rows have other widths: short ones end in nulls, long ones in
    further columns. All cells come as text.
    """
    odd: list[tuple[int, list[str]]] = []
    form = load.form

    def keep(row: Any) -> str:
        cells = next(csv.reader([row.text], delimiter=form.delimiter), [])
        odd.append((row.number - load.skipped_lines - 1, cells))
        return "skip"

    names = list(load.layout.names)
    texts: dict[str, Any] = {
        name: _TEXT for name in arrow_types if name in names[: load.layout.width]
    }
    piece = _parse_once(load, texts, block_bytes, quoted_lines=True, handler=keep)
    names += numbered_names(names, max(len(cells) for _, cells in odd))
    wanted = [
        (at, name)
        for at, name in enumerate(names)
        if name in arrow_types or at >= len(load.layout.names)
    ]
    places = _interleaved(piece.count, [index for index, _ in odd])
    columns: dict[str, Any] = {}
    for at, name in wanted:
        own = [_cell(cells, at, form) for _, cells in odd]
        rest = piece.columns.get(name, pa.chunked_array([pa.nulls(piece.count, _TEXT)]))
        both = pa.chunked_array([*rest.chunks, pa.array(own, _TEXT)], _TEXT)
        columns[name] = both.take(places)
    return Piece(load.file, piece.count + len(odd), columns)


def _cell(cells: Sequence[str], at: int, form: Delimited) -> str | None:
    if at >= len(cells):
        return None
    cell = (
        cells[at]
        if form.delimiter == form.separator
        else cells[at].replace(form.delimiter, form.separator)
    )
    return cell if cell or form.empty_as_string else None


def _interleaved(even_count: int, odd_rows: Sequence[int]) -> Any:
    """Return, for each row of the file, its place among the even rows followed by the odd ones."""
    import numpy as np

    places = np.zeros(even_count + len(odd_rows), np.int64)
    is_odd = np.zeros(len(places), bool)
    is_odd[list(odd_rows)] = True
    places[is_odd] = even_count + np.argsort(np.argsort(odd_rows))
    places[~is_odd] = np.arange(even_count)
    return pa.array(places)


# What a piece's columns turned out to be


def _checked(piece: Piece, columns: _Columns, form: Delimited) -> Piece:
    """Return a piece with its numbers and times as they stay; name the columns that need text."""
    checked: dict[str, Any] = {}
    for name, column in piece.columns.items():
        kind = columns.types.get(name)
        checked[name] = column
        if name in columns.as_text or kind in (None, "string"):
            continue
        if column.type == _TEXT:  # of a file with rows of other widths
            typed = convert.exactly(column, kind, empty_is_null=not form.empty_as_string)
            if typed is None or name in columns.asked:
                columns.as_text.add(name)
            else:
                checked[name] = typed
                if kind == "int" and typed.type == pa.float64():
                    columns.with_fractions.add(name)
        elif column.type == pa.float64():
            checked[name] = _number(name, column, columns)
        elif pa.types.is_timestamp(column.type):
            checked[name] = convert.without_zone(column)
    return replace(piece, columns=checked)


def _number(name: str, column: Any, columns: _Columns) -> Any:
    """Return a column of floats as integers where it is one of integers."""
    bounds = pc.min_max(column).as_py()
    low, high = bounds["min"], bounds["max"]
    if low is not None and not max(-low, high) < infer.EXACT_BELOW:
        # Floats may have lost digits, or be infinite because a number was too large.
        columns.as_text.add(name)
        return column
    if columns.types[name] == "float" or (name in columns.with_fractions):
        return column
    try:
        return pc.cast(column, pa.int64())
    except pa.ArrowInvalid:
        if name in columns.asked:
            columns.as_text.add(name)
        columns.with_fractions.add(name)
        return column


def _add_ragged_columns(pieces: Sequence[Piece], columns: _Columns, wanted: Wanted) -> None:
    """Add the columns that only rows longer than all others made; their types are guessed."""
    for piece in pieces:
        for name, column in piece.columns.items():
            if name not in columns.types and wanted(name):
                cells = column.drop_null().slice(0, infer.ROWS).to_pylist()
                columns.types[name] = infer.infer_type(cells)
                columns.as_text.add(name)


# All files


def _assemble(
    loads: Sequence[_Load],
    pieces: Sequence[Piece],
    columns: _Columns,
    form: Delimited,
    limit: int | None,
) -> Rows:
    """Put the files' columns together, those that need text read again as text."""
    pieces = [_text_again(load, piece, columns) for load, piece in zip(loads, pieces)]
    final: dict[str, Any] = {}
    problems: list[DataInvalid] = []
    failures: dict[str, Any] = {}
    for name, kind in columns.types.items():
        column = combined(name, [(piece.columns.get(name), piece.count) for piece in pieces])
        for piece in pieces:
            piece.columns.pop(name, None)
        if name in columns.as_text and name in columns.asked:
            texts = column
            column, failed = convert.as_asked(texts, kind)
            if failed.any():
                failures[name] = failed
                problems.append(_first_failure(name, kind, texts, failed, pieces))
        elif name in columns.as_text:
            exact = convert.exactly(column, kind, empty_is_null=not form.empty_as_string)
            column = column if exact is None else exact
        elif pa.types.is_null(column.type):
            column = pc.cast(column, _TEXT)
        final[name] = column
    rows = Rows(final, [(piece.file, piece.count) for piece in pieces], problems, failures)
    return rows if limit is None else rows.first(limit)


def _text_again(load: _Load, piece: Piece, columns: _Columns) -> Piece:
    """Return a piece with the text of the columns that need it, read again where it has none."""
    missing = {
        name: _TEXT
        for name, column in piece.columns.items()
        if name in columns.as_text and column.type != _TEXT
    }
    if not missing:
        return piece
    again = _parse(load, missing)
    return replace(piece, columns={**piece.columns, **again.columns})


def _first_failure(
    name: str, kind: Any, texts: Any, failed: Any, pieces: Sequence[Piece]
) -> DataInvalid:
    index = int(failed.argmax())
    file, row = Rows.place([(piece.file, piece.count) for piece in pieces], index)
    shown = kind if isinstance(kind, str) else next(iter(kind))
    return DataInvalid(
        f"{texts[index].as_py()!r} is no {shown}", file=file.shown_path, row=row, column=name
    )


def _wrong_bytes(load: _Load, column: str) -> DataInvalid:
    """Return the error of a text that is not in the file's encoding, with its row."""
    raw = _parse_once(load, {column: pa.binary()}, _BLOCK_BYTES, quoted_lines=True)
    for index, value in enumerate(raw.columns[column].to_pylist()):
        try:
            (value or b"").decode()
        except UnicodeDecodeError as problem:
            reason = (
                f"the bytes {value[problem.start : problem.end]!r} are no UTF-8; give the "
                "file's encoding, such as encoding='latin1'"
            )
            return DataInvalid(reason, file=load.file.shown_path, row=index + 1, column=column)
    return DataInvalid("the text is no UTF-8", file=load.file.shown_path, column=column)


def _undecodable(load: _Load, problem: UnicodeDecodeError) -> DataInvalid:
    """Return the error of a file that is not in its encoding, with the first wrong row."""
    try:
        peek(load.file, load.form, has_header=load.layout.header_lines > 0, rows=2**62)
    except DataInvalid as found:
        return found
    return DataInvalid(str(problem), file=load.file.shown_path)
