"""Records to JSON and back, with the standard library alone (Python 3.8).

A record is a frozen dataclass. Times travel as ISO 8601 in UTC with a 'Z', enums by their value,
tuples as lists. An unknown key is ignored on reading, because a newer server may send more.
The server decodes what it receives with msgspec, which is strict; this is for the other side.
"""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime, timezone
from enum import Enum
from typing import Any, Callable, TypeVar

T = TypeVar("T")


def encode_time(moment: datetime) -> str:
    """Return an aware time as `2021-01-17T14:42:38.635595Z`."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def decode_time(text: str) -> datetime:
    """Return the aware time that `text` (ISO 8601, 'Z' or an offset) names."""
    return datetime.fromisoformat(_six_digits(text.replace("Z", "+00:00")))


def _six_digits(text: str) -> str:
    """Python 3.8 reads fractions of three or six digits only."""
    head, dot, rest = text.partition(".")
    if not dot:
        return text
    digits = len(rest) - len(rest.lstrip("0123456789"))
    return f"{head}.{rest[:digits][:6].ljust(6, '0')}{rest[digits:]}"


def encode(value: object) -> Any:
    """Return `value` (a record, or what records hold) as what `json.dumps` takes."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: encode(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return encode_time(value)
    if isinstance(value, dict):
        return {key: encode(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    return value


def decode(record: type[T], data: dict[str, Any], known: dict[str, type] | None = None) -> T:
    """Build `record` from what `json.loads` gave.

    Annotations are read as text (they are postponed), so the classes that `record` names must be
    given in `known`, or stand in the module that defines it. Raises TypeError if a field without
    a default is missing.
    """
    import sys

    scope = dict(vars(sys.modules[record.__module__]))
    scope.update(known or {})
    values: dict[str, Any] = {}
    for f in fields(record):  # type: ignore[arg-type]
        if f.name in data:
            values[f.name] = _reader(str(f.type), scope)(data[f.name])
        elif f.default is MISSING and f.default_factory is MISSING:
            raise TypeError(f"{record.__name__}: the field {f.name!r} is missing")
    return record(**values)


def _reader(annotation: str, scope: dict[str, Any]) -> Callable[[Any], Any]:
    """Return what turns a JSON value into what `annotation` names."""
    text = annotation.strip()
    if text.endswith("| None"):
        inner = _reader(text[: -len("| None")], scope)
        return lambda value: None if value is None else inner(value)
    if text.startswith("tuple["):
        item = _reader(text[len("tuple[") : -1].replace(", ...", ""), scope)
        return lambda value: tuple(item(one) for one in value)
    if text.startswith("dict["):
        item = _reader(text[len("dict[") : -1].partition(",")[2], scope)
        return lambda value: {key: item(one) for key, one in value.items()}
    if text == "datetime":
        return decode_time
    named = scope.get(text)
    if isinstance(named, type) and issubclass(named, Enum):
        return named
    if isinstance(named, type) and is_dataclass(named):
        return lambda value: decode(named, value, scope)
    return lambda value: value
