"""The first lines of a delimited file: its header, its width, and a few rows.

Read by Python's csv module from as few bytes as the rows need, whatever the encoding.
"""

from __future__ import annotations

import csv
import io
import sys
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, BinaryIO, Iterator, Sequence

from zaffre.contract.dataset import ENCODINGS, Headers
from zaffre.data.arrow import pa
from zaffre.data.errors import DataInvalid
from zaffre.data.sources import SourceFile

#: Stands for a separator of several characters, which no CSV reader takes. No text holds it.
STAND_IN = "\x1f"
_COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd", ".lz4": "lz4"}


@dataclass(frozen=True)
class Delimited:
    """How a dataset's delimited files are written."""

    separator: str
    headers: Headers
    encoding: str
    empty_as_string: bool

    @property
    def delimiter(self) -> str:
        """The one character (one byte of UTF-8) that the readers split at."""
        return self.separator if len(self.separator.encode()) == 1 else STAND_IN


def delimited(options: dict[str, Any]) -> Delimited:
    """Return the options of a `read_delimited` step."""
    return Delimited(
        separator=options["delimiter"],
        headers=Headers[options["header"].upper()],
        encoding=ENCODINGS[options["encoding"]],
        empty_as_string=options["empty_as_string"],
    )


@dataclass(frozen=True)
class Opening:
    """The start of a file. header: None without one. header_lines: lines up to its end.

    records: the first rows' cells. text: the lines they came from, the header's left out.
    is_whole: whether there are no further rows.
    """

    header: list[str] | None
    header_lines: int
    records: list[list[str]]
    text: str
    is_whole: bool

    @property
    def width(self) -> int:
        """The number of cells that most rows have."""
        counts = Counter(len(record) for record in self.records)
        if not counts:
            return len(self.header or ())
        return max(counts, key=lambda width: (counts[width], width))


def peek(file: SourceFile, form: Delimited, *, has_header: bool, rows: int) -> Opening:
    """Read a file's header and at most `rows` rows. Lines without any character are no rows."""
    csv.field_size_limit(max(csv.field_size_limit(), sys.maxsize >> 32))
    lines: list[str] = []
    header: list[str] | None = None
    header_lines = 0
    records: list[list[str]] = []
    is_whole = True
    # Wrong bytes become surrogates, so that the line that holds them can be named.
    wide = form.encoding in ("utf-16", "utf-32")
    encoding = "utf-8-sig" if form.encoding == "utf-8" else form.encoding
    errors = "strict" if wide else "surrogateescape"
    with opened(file, encoding, errors=errors) as text:
        reader = csv.reader(_lines(text, file, form, lines), delimiter=form.delimiter)
        try:
            for record in reader:
                if not record:
                    continue
                if has_header and header is None:
                    header, header_lines = record, reader.line_num
                elif len(records) < rows:
                    records.append(record)
                if len(records) >= rows:
                    is_whole = False
                    break
        except UnicodeError as problem:
            raise _wrong_encoding(file, form, problem, len(records)) from problem
        except csv.Error as problem:
            row = len(records) + 1
            raise DataInvalid(str(problem), file=file.shown_path, row=row) from problem
    return Opening(header, header_lines, records, "".join(lines[header_lines:]), is_whole)


def compression(file: SourceFile) -> str | None:
    """Return how a file's name says that it is compressed, in pyarrow's words."""
    name = file.entry.path.lower()
    return next((way for end, way in _COMPRESSIONS.items() if name.endswith(end)), None)


@contextmanager
def opened(file: SourceFile, encoding: str, *, errors: str = "strict") -> Iterator[IO[str]]:
    """Give a file's text, unpacked, its ends of lines as they are."""
    way = compression(file)
    with file.open() as raw:
        packed: BinaryIO = raw
        if way is not None:
            packed = io.BufferedReader(pa.CompressedInputStream(pa.PythonFile(raw, "rb"), way))
        with io.TextIOWrapper(packed, encoding, errors, newline="") as text:
            yield text


def _lines(text: IO[str], file: SourceFile, form: Delimited, kept: list[str]) -> Iterator[str]:
    """Give a file's lines with their ends, and keep them."""
    for line in text:
        if not line.isascii():
            line.encode()
        kept.append(line)
        if form.delimiter == form.separator:
            yield line
        else:
            yield stand_in(line, form, file)


def stand_in(text: str, form: Delimited, file: SourceFile) -> str:
    """Return text with the separator of several characters replaced."""
    if STAND_IN in text:
        reason = "the text holds the control character 0x1f, which stands for the separator here"
        raise DataInvalid(reason, file=file.shown_path)
    return text.replace(form.separator, STAND_IN)


def _wrong_encoding(
    file: SourceFile, form: Delimited, problem: UnicodeError, row: int
) -> DataInvalid:
    wrong: object = problem
    if isinstance(problem, UnicodeDecodeError):
        wrong = problem.object[problem.start : problem.end]
    elif isinstance(problem, UnicodeEncodeError):
        wrong = problem.object[problem.start : problem.end].encode(errors="surrogateescape")
    return DataInvalid(
        f"the bytes {wrong!r} are no {form.encoding}; give the file's encoding, "
        "such as encoding='latin1'",
        file=file.shown_path,
        row=row + 1,
    )


def column_names(cells: Sequence[str]) -> list[str]:
    """Return v1's names of a header: stripped, none empty, none twice (a, a -> a, a_1)."""
    names: list[str] = []
    for index, cell in enumerate(cells):
        name = cell.strip().lstrip("\ufeff") or f"Column{index + 1}"
        number, base = 0, name
        while name in names:
            number += 1
            name = f"{base}_{number}"
        names.append(name)
    return names


@dataclass(frozen=True)
class Layout:
    """How one file is read: the lines in front of its rows, and each position's column.

    width: how many cells most rows have; rows of another width are fitted in one by one.
    """

    file: SourceFile
    header_lines: int
    names: tuple[str, ...]
    width: int


def layouts(
    files: Sequence[SourceFile], openings: Sequence[Opening], headers: Headers
) -> list[Layout]:
    """Return how each file is read, by the mode of the headers.

    ALL_FILES_HAVE_SAME_HEADERS takes later files by position, as v1 did, but for a header that
    has the first one's names in another order: there every value goes under its own name.
    """
    first: list[str] = []
    found: list[Layout] = []
    for file, opening in zip(files, openings):
        own = column_names(opening.header or [])
        first = first or own
        by_name = headers is Headers.COMBINE_ALL_FILES_HEADERS or set(own) == set(first)
        names = list(own if by_name and own else first)
        width = opening.width
        names += numbered_names(names, width)
        found.append(Layout(file, opening.header_lines, tuple(names), width))
    return found


def numbered_names(names: Sequence[str], width: int) -> list[str]:
    """Return names of the columns that a header has no name for: Column3 at the third place."""
    added: list[str] = []
    for index in range(len(names), width):
        name = f"Column{index + 1}"
        while name in names or name in added:
            name += "_1"
        added.append(name)
    return added


def has_header(headers: Headers, index: int) -> bool:
    """Say whether the file at `index` begins with a header."""
    if headers is Headers.NO_HEADERS:
        return False
    return index == 0 or headers is not Headers.ONLY_FIRST_FILE_HAS_HEADERS
