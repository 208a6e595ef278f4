"""YAML as run configurations and conda files use it: reading and writing, without a library.

What is read: block mappings and sequences, compact ones (`- pip:`), plain and quoted scalars (on
several lines too), flow collections (so JSON as well), block scalars (`|`, `>`), comments, one
document. Plain scalars mean what YAML 1.2's core schema says: null, booleans, numbers, else text.
Anchors, aliases, tags and several documents are refused by name: no file of this kind needs them,
and text that could be expanded without end or name a class is not to be trusted.

What is written is a subset of that, so that `parse(dump(value)) == value`; the keys of a mapping
keep their order, a sequence stands at its key's own column, None is an empty value (as v1 wrote).
"""

from __future__ import annotations

import re

from zaffre.sdk.yaml_parser import Parser, resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping

_PLAIN = re.compile(
    r"[A-Za-z0-9_./$~+\-<=(][^\x00-\x1f\x7f-\x9f\ud800-\udfff\ufeff\u2028\u2029]*\Z"
)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufeff\u2028\u2029]")


def parse(text: str) -> Any:
    """Return what the one document in `text` says: dict, list, str, int, float, bool or None.

    Raises YamlError with the line where it stops making sense.
    """
    return Parser(text).document()


def dump(value: Any, comments: Mapping[str, str] | None = None) -> str:
    """Return `value` (of dicts, lists, tuples, text, numbers, booleans and None) as a document.

    comments: for a key of the topmost mapping, the line that is written above it.
    Raises TypeError for anything else in it.
    """
    if isinstance(value, dict) and value:
        lines: list[str] = []
        for key, item in _paired(value).items():
            if comments and key in comments:
                lines.append(f"# {comments[key]}")
            lines += _entry(_scalar(key), item, "")
        return "\n".join(lines) + "\n"
    if isinstance(value, (list, tuple)) and value:
        return "\n".join(_items(_listed(value), "")) + "\n"
    return _scalar(value) + "\n"


def _paired(value: Any) -> dict[Any, Any]:
    return value


def _listed(value: Any) -> list[Any]:
    return list(value)


def _entry(key: str, value: Any, indent: str) -> list[str]:
    """Return the lines of `key: value` of a mapping at `indent`."""
    if isinstance(value, dict) and value:
        return [f"{indent}{key}:", *_pairs(_paired(value), indent + "  ")]
    if isinstance(value, (list, tuple)) and value:
        return [f"{indent}{key}:", *_items(_listed(value), indent)]
    if value is None:
        return [f"{indent}{key}:"]
    return [f"{indent}{key}: {_scalar(value)}"]


def _pairs(values: dict[Any, Any], indent: str) -> list[str]:
    """Return the lines of a mapping at `indent`."""
    lines: list[str] = []
    for name, item in values.items():
        lines += _entry(_scalar(name), item, indent)
    return lines


def _items(values: list[Any], indent: str) -> list[str]:
    """Return the lines of a sequence at `indent`."""
    lines: list[str] = []
    for value in values:
        if isinstance(value, dict) and value:
            inner = _pairs(_paired(value), indent + "  ")
            lines.append(f"{indent}- {inner[0].lstrip(' ')}")
            lines += inner[1:]
        elif isinstance(value, (list, tuple)) and value:
            inner = _items(_listed(value), indent + "  ")
            lines.append(f"{indent}- {inner[0].lstrip(' ')}")
            lines += inner[1:]
        else:
            lines.append(f"{indent}- {_scalar(value)}")
    return lines


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, (dict, list, tuple)):
        return "{}" if isinstance(value, dict) else "[]"
    kind = type(value).__name__
    raise TypeError(f"YAML here holds text, numbers, lists and dicts, not {kind}")


def _number(value: float) -> str:
    if value != value:
        return ".nan"
    if value in (float("inf"), float("-inf")):
        return ".inf" if value > 0 else "-.inf"
    return float.__repr__(value)


def _text(value: str) -> str:
    """Return text so that it is read as that very text: plain where that is sure, else quoted."""
    if _UNPRINTABLE.search(value):
        return _double_quoted(value)
    plain = (
        _PLAIN.match(value)
        and value == value.strip()
        and ": " not in value
        and " #" not in value
        and not value.endswith(":")
        and not value.startswith(("- ", "---", "..."))
        and value != "-"
        and isinstance(resolve(value), str)
    )
    return value if plain else "'" + value.replace("'", "''") + "'"


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def _double_quoted(value: str) -> str:
    pieces = ['"']
    for char in value:
        if char in _ESCAPES:
            pieces.append(_ESCAPES[char])
        elif _UNPRINTABLE.match(char):
            pieces.append(f"\\x{ord(char):02x}" if ord(char) < 256 else f"\\u{ord(char):04x}")
        else:
            pieces.append(char)
    return "".join(pieces) + '"'
