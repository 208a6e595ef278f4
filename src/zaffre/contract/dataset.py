"""What a dataset is: where its files are, and the steps that make its rows of them.

A definition is data (JSON through and through) and reads nothing; `zaffre.data` carries it out.
Each function here returns a new definition with one more step, after checking the step's shape.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from enum import Enum
from typing import Any, Iterable, Mapping, Sequence

from zaffre.contract.errors import Invalid


class DatasetKind(str, Enum):
    """Rows of a table, or files."""

    TABULAR = "tabular"
    FILE = "file"


class Headers(Enum):
    """Which lines of delimited files hold names, by v1's names and numbers."""

    NO_HEADERS = 0
    ONLY_FIRST_FILE_HAS_HEADERS = 1
    COMBINE_ALL_FILES_HEADERS = 2
    ALL_FILES_HAVE_SAME_HEADERS = 3


#: v1's names of encodings and Python's.
ENCODINGS = {
    "utf8": "utf-8",
    "iso88591": "iso8859-1",
    "latin1": "latin-1",
    "ascii": "ascii",
    "utf16": "utf-16",
    "utf32": "utf-32",
    "utf8bom": "utf-8-sig",
    "windows1252": "cp1252",
}


@dataclass(frozen=True)
class Source:
    """Files of a dataset: in a datastore, at a web address, or on this machine; one of the three.

    datastore, path: a store's name and a file, a folder or a glob pattern below its root ('/'
    between parts). url: http or https. local: an absolute path or pattern.
    """

    datastore: str | None = None
    path: str = ""
    url: str | None = None
    local: str | None = None

    def __post_init__(self) -> None:
        given = [name for name in ("datastore", "url", "local") if getattr(self, name) is not None]
        if len(given) != 1:
            raise Invalid("source", "must name one of a datastore, a url and a local path")
        if self.local is not None and not self.local.startswith("/"):
            raise Invalid("source", f"the local path {self.local!r} must be absolute")


@dataclass(frozen=True)
class Step:
    """One step of a definition: its name, and options that JSON can hold."""

    name: str
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Definition:
    """Where a dataset's data is and what is done to it, in order."""

    kind: DatasetKind
    sources: tuple[Source, ...]
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True)
class DatasetRequest:
    """The body of a request that saves a dataset, under a name or (name None) without one.

    create_new_version: give the name's next version if there is one already, else refuse.
    """

    definition: Definition
    name: str | None = None
    description: str | None = None
    tags: dict[str, str | None] = field(default_factory=dict)
    create_new_version: bool = False


@dataclass(frozen=True)
class Dataset:
    """A saved dataset: a registered version has a name and a version from 1 on, others neither."""

    dataset_id: str
    workspace_id: str
    definition: Definition
    created_at: datetime
    name: str | None = None
    version: int | None = None
    description: str | None = None
    tags: dict[str, str | None] = field(default_factory=dict)
    created_by: str | None = None


def add_step(definition: Definition, name: str, **options: Any) -> Definition:
    """Return the definition with one more step."""
    return replace(definition, steps=(*definition.steps, Step(name, options)))


def _sources(sources: Iterable[Source]) -> tuple[Source, ...]:
    given = tuple(sources)
    if not given:
        raise Invalid("path", "names no file; give a file, a folder or a pattern")
    if any(s.url is not None for s in given) and any(s.url is None for s in given):
        raise Invalid("path", "web addresses and paths of datastores cannot be mixed")
    return given


# Sources


def from_files(sources: Iterable[Source]) -> Definition:
    """Return a dataset of files."""
    return Definition(DatasetKind.FILE, _sources(sources))


def from_delimited_files(
    sources: Iterable[Source],
    *,
    separator: str = ",",
    headers: Headers = Headers.ALL_FILES_HAVE_SAME_HEADERS,
    encoding: str = "utf8",
    include_path: bool = False,
    infer_column_types: bool = True,
    support_multi_line: bool = False,
    empty_as_string: bool = False,
) -> Definition:
    """Return the rows of delimited files.

    separator: one or more characters. encoding: a key of `ENCODINGS`. support_multi_line is
    recorded alone: a line break inside quotes belongs to its cell either way (v1 broke the row
    in two unless it was set). empty_as_string: an empty cell is '' instead of null.
    """
    if not separator:
        raise Invalid("separator", "must be text of at least one character")
    if encoding not in ENCODINGS:
        raise Invalid("encoding", f"{encoding!r} is not one of {', '.join(ENCODINGS)}")
    return add_step(
        Definition(DatasetKind.TABULAR, _sources(sources)),
        "read_delimited",
        delimiter=separator,
        header=headers.name.lower(),
        encoding=encoding,
        include_path=include_path,
        infer_column_types=infer_column_types,
        support_multi_line=support_multi_line,
        empty_as_string=empty_as_string,
    )


def from_parquet_files(sources: Iterable[Source], *, include_path: bool = False) -> Definition:
    """Return the rows of Parquet files, with the types that the files give."""
    definition = Definition(DatasetKind.TABULAR, _sources(sources))
    return add_step(definition, "read_parquet", include_path=include_path)


def from_json_lines_files(
    sources: Iterable[Source],
    *,
    include_path: bool = False,
    invalid_lines: str = "error",
    encoding: str = "utf8",
) -> Definition:
    """Return the rows of files of one JSON object a line. invalid_lines: 'error' or 'drop'."""
    if invalid_lines not in ("error", "drop"):
        raise Invalid("invalid_lines", f"must be 'error' or 'drop', not {invalid_lines!r}")
    if encoding not in ENCODINGS:
        raise Invalid("encoding", f"{encoding!r} is not one of {', '.join(ENCODINGS)}")
    return add_step(
        Definition(DatasetKind.TABULAR, _sources(sources)),
        "read_json_lines",
        include_path=include_path,
        invalid_lines=invalid_lines,
        encoding=encoding,
    )


def extract_partitions(definition: Definition, partition_format: str) -> Definition:
    """Add columns from the files' paths, such as '/{dept}/{day:yyyy/MM/dd}/data.csv'."""
    if not partition_format.strip("/"):
        raise Invalid("partition_format", "must be text such as '/{dept}/{day:yyyy/MM/dd}/*.csv'")
    return add_step(definition, "extract_partitions", partition_format=partition_format)


# Types. A type is 'int', 'float', 'string', 'boolean', {'float': {'decimal_mark': ','}},
# {'datetime': {'formats': [...]}} (no formats: any known one) or {'stream': {...}}.

_PLAIN_TYPES = ("int", "float", "string", "boolean")


def column_type(value: object) -> Any:
    """Return `value` if it is a column's type, else raise `Invalid`."""
    if isinstance(value, str) and value in _PLAIN_TYPES:
        return value
    if isinstance(value, dict) and len(value) == 1:
        name, options = next(iter(value.items()))
        if name in ("float", "datetime", "stream") and isinstance(options, dict):
            return value
    raise Invalid("set_column_types", f"{value!r} is no type of a column; use DataType")


def convert_column_types(definition: Definition, types: Mapping[str, Any]) -> Definition:
    """Give columns types. A column that is not there is ignored, as in v1."""
    columns = [{"columns": name, "column_type": column_type(t)} for name, t in types.items()]
    return add_step(definition, "convert_column_types", columns=columns) if columns else definition


# Columns


def _names(columns: object, word: str) -> list[str]:
    names = [columns] if isinstance(columns, str) else columns
    if not isinstance(names, (list, tuple)) or not all(isinstance(n, str) for n in names):
        raise Invalid(word, f"must be a column's name or a list of them, not {columns!r}")
    return list(dict.fromkeys(names))


def keep_columns(definition: Definition, columns: str | Sequence[str]) -> Definition:
    """Keep only these columns, in the source's order; unknown names are ignored."""
    return add_step(definition, "keep_columns", columns=_names(columns, "columns"))


def drop_columns(definition: Definition, columns: str | Sequence[str]) -> Definition:
    """Drop these columns; unknown names are ignored."""
    return add_step(definition, "drop_columns", columns=_names(columns, "columns"))


# Rows (or files)


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Invalid("count", "count must be a positive integer")
    return value


def take(definition: Definition, count: int) -> Definition:
    """Keep the first `count` rows or files."""
    return add_step(definition, "take", count=_count(count))


def skip(definition: Definition, count: int) -> Definition:
    """Leave out the first `count` rows or files."""
    return add_step(definition, "skip", count=_count(count))


def _share(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise Invalid(name, f"must be a number from 0 to 1, not {value!r}")
    return float(value)


def _seed(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Invalid("seed", f"must be an integer, not {value!r}")
    return value


def take_sample(definition: Definition, probability: float, *, seed: int) -> Definition:
    """Keep each row or file with this probability; the same seed keeps the same ones."""
    share = _share(probability, "probability")
    return add_step(definition, "take_sample", probability=share, seed=_seed(seed))


def random_split(
    definition: Definition, percentage: float, *, seed: int
) -> tuple[Definition, Definition]:
    """Return about `percentage` (0 to 1) of the rows or files, and all others.

    Each row falls into exactly one of the two, the same one for the same seed.
    """
    share, number = _share(percentage, "percentage"), _seed(seed)
    first, second = (
        add_step(definition, "random_split", percentage=share, seed=number, part=part)
        for part in (0, 1)
    )
    return first, second


# Filters. An expression is {'column': NAME}, {'value': JSON}, {'time': ISO 8601} or
# {'call': NAME, 'arguments': [expressions]}.

COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
LOGIC = ("and", "or", "not")
TEXT_CALLS = (
    "contains",
    "starts_with",
    "ends_with",
    "length",
    "substring",
    "index_of",
    "to_lower",
    "to_upper",
)
TESTS = ("is_null", "is_error")
_CALLS = frozenset((*COMPARISONS, *LOGIC, *TEXT_CALLS, *TESTS))


def column(name: str) -> dict[str, Any]:
    """Return the expression of a column's value."""
    return {"column": name}


def literal(value: object) -> dict[str, Any]:
    """Return the expression of a value: None, bool, int, float, text or datetime."""
    if isinstance(value, datetime):
        return {"time": _time_text(value)}
    if value is None or isinstance(value, (bool, int, float, str)):
        return {"value": value}
    raise Invalid("filter", f"cannot compare with {value!r}, a {type(value).__name__}")


def call(name: str, *arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the expression of a function of other expressions."""
    return expression({"call": name, "arguments": [dict(a) for a in arguments]})


def expression(value: object) -> dict[str, Any]:
    """Return `value` if it is an expression tree, else raise `Invalid`."""
    if isinstance(value, dict):
        if len(value) == 1 and isinstance(value.get("column"), str):
            return value
        if len(value) == 1 and ("value" in value or isinstance(value.get("time"), str)):
            return value
        if set(value) == {"call", "arguments"} and value["call"] in _CALLS:
            for argument in value["arguments"]:
                expression(argument)
            return value
    raise Invalid("filter", f"{value!r} is no filter; write one such as dataset['age'] > 3")


def filter_rows(definition: Definition, condition: Mapping[str, Any]) -> Definition:
    """Keep the rows (or files) for which the condition is true; null counts as false."""
    return add_step(definition, "filter", expression=expression(dict(condition)))


# Times


def _time_text(moment: datetime) -> str:
    """Return ISO 8601; a time with a zone is told in UTC, one without is taken as it is."""
    if moment.tzinfo is not None:
        moment = moment.astimezone(timezone.utc).replace(tzinfo=None)
    return moment.isoformat()


def with_timestamp_columns(
    definition: Definition, timestamp: str | None, partition_timestamp: str | None = None
) -> Definition:
    """Say which columns hold the rows' times: the exact one, and that of their partition."""
    if partition_timestamp is not None and timestamp is None:
        raise Invalid("partition_timestamp", "needs a timestamp column beside it")
    if timestamp is not None and timestamp == partition_timestamp:
        raise Invalid("partition_timestamp", "must be another column than timestamp")
    return add_step(
        definition,
        "timestamp_columns",
        timestamp=timestamp,
        partition_timestamp=partition_timestamp,
    )


def timestamp_columns(definition: Definition) -> tuple[str | None, str | None]:
    """Return the timestamp and the partition column in force; (None, None) without.

    They vanish when a later step removes one of them.
    """
    found: tuple[str | None, str | None] = (None, None)
    for step in definition.steps:
        if step.name == "timestamp_columns":
            found = (step.options["timestamp"], step.options["partition_timestamp"])
        elif step.name in ("keep_columns", "drop_columns"):
            listed = step.options["columns"]
            kept = step.name == "keep_columns"
            if any(name is not None and (name in listed) != kept for name in found):
                found = (None, None)
    return found


def filter_time(
    definition: Definition,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    include_boundary: bool = True,
) -> Definition:
    """Keep rows from `start` to `end` by the timestamp columns, the ends included or not."""
    timestamp, partition = timestamp_columns(definition)
    if timestamp is None:
        raise Invalid("timestamp", "no timestamp column is set; use with_timestamp_columns")
    return add_step(
        definition,
        "time_filter",
        timestamp=timestamp,
        partition_timestamp=partition,
        start=None if start is None else _time_text(start),
        end=None if end is None else _time_text(end),
        include_boundary=include_boundary,
    )


def partition_keys(definition: Definition) -> list[str]:
    """Return the columns that come from the files' paths, in order."""
    keys: list[str] = []
    for step in definition.steps:
        if step.name == "extract_partitions":
            keys = partition_names(step.options["partition_format"])
        elif step.name == "keep_columns":
            keys = [key for key in keys if key in step.options["columns"]]
        elif step.name == "drop_columns":
            keys = [key for key in keys if key not in step.options["columns"]]
    return keys


def partition_names(partition_format: str) -> list[str]:
    """Return the names in braces of a partition format; one that stands twice counts once."""
    names = [part.partition("}")[0] for part in partition_format.split("{")[1:]]
    return list(dict.fromkeys(name.partition(":")[0].strip() for name in names))
