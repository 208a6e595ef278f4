"""What a name may be. Pure rules: each takes a value and returns it, or raises `Invalid`."""

from __future__ import annotations

import re

from zaffre.contract.errors import Invalid

TAG_KEY_MAX_CHARS = 100
TAG_VALUE_MAX_CHARS = 1_000
FILE_NAME_MAX_CHARS = 1_024
#: What file systems allow of one part of a name.
FILE_NAME_PART_MAX_BYTES = 255
METRIC_NAME_MAX_CHARS = 255
RUN_ID_MAX_CHARS = 320

_WORKSPACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{1,31}\Z")
_EXPERIMENT = re.compile(r"[^\W_][\w-]{0,254}\Z")
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}\Z")
_SECRET = re.compile(r"[A-Za-z0-9-]{1,127}\Z")
_LINK = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}\Z")
_DATASTORE = re.compile(r"[A-Za-z0-9_]{1,255}\Z")
_DATASET_ID = re.compile(r"[A-Za-z0-9-]{1,64}\Z")
_RUN_ID = re.compile(r"[^\W_][\w.-]{0,319}\Z")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DRIVE = re.compile(r"[A-Za-z]:")


def require_text(value: object, field: str) -> str:
    """Return `value` if it is a str that UTF-8 can hold, else raise `Invalid`."""
    if not isinstance(value, str):
        raise Invalid(field, f"must be text, not {type(value).__name__}")
    try:
        value.encode()
    except UnicodeEncodeError:
        rule = "half of a surrogate pair is no character"
        raise _refuse(field, value, rule) from None
    return value


def _refuse(field: str, value: str, rule: str) -> Invalid:
    shown = value if len(value) <= 60 else value[:57] + "..."
    return Invalid(field, f"{shown!r} is not allowed: {rule}")


def workspace_name(value: object) -> str:
    """2 to 32 characters: first a letter or digit, then letters, digits, '-' and '_'."""
    text = require_text(value, "workspace name")
    if not _WORKSPACE.match(text):
        rule = "2 to 32 characters, first a letter or digit, then letters, digits, '-' or '_'"
        raise _refuse("workspace name", text, rule)
    return text


def experiment_name(value: object) -> str:
    """1 to 255 characters: first a letter or digit, then letters, digits, '-' and '_'."""
    text = require_text(value, "experiment name")
    if not _EXPERIMENT.match(text):
        rule = "1 to 255 characters, first a letter or digit, then letters, digits, '-' or '_'"
        raise _refuse("experiment name", text, rule)
    return text


def model_name(value: object) -> str:
    """1 to 255 characters: first a letter or digit, then letters, digits, '-', '.' and '_'."""
    text = require_text(value, "model name")
    if not _MODEL.match(text):
        rule = "1 to 255 characters, first a letter or digit, then letters, digits, '-', '.', '_'"
        raise _refuse("model name", text, rule)
    return text


def secret_name(value: object) -> str:
    """1 to 127 letters, digits and '-'."""
    text = require_text(value, "secret name")
    if not _SECRET.match(text):
        raise _refuse("secret name", text, "1 to 127 letters, digits and '-'")
    return text


def link_name(value: object) -> str:
    """1 to 255 characters: first a letter or digit, then letters, digits, '-', '.' and '_'."""
    text = require_text(value, "name")
    if not _LINK.match(text):
        rule = "1 to 255 characters, first a letter or digit, then letters, digits, '-', '.', '_'"
        raise _refuse("name", text, rule)
    return text


def datastore_name(value: object) -> str:
    """1 to 255 letters, digits and '_'."""
    text = require_text(value, "datastore_name")
    if not _DATASTORE.match(text):
        raise _refuse("datastore_name", text, "1 to 255 letters, digits and '_'")
    return text


def dataset_id(value: object) -> str:
    """1 to 64 letters, digits and '-'."""
    text = require_text(value, "dataset id")
    if not _DATASET_ID.match(text):
        raise _refuse("dataset id", text, "1 to 64 letters, digits and '-'")
    return text


def dataset_name(value: object) -> str:
    """1 to 255 characters, blanks among them, without control characters and '/'."""
    text = require_text(value, "dataset name")
    if not text.strip() or len(text) > 255 or "/" in text or _CONTROL.search(text):
        raise _refuse("dataset name", text, "1 to 255 characters, no '/', no control characters")
    return text


def run_id(value: object) -> str:
    """1 to 320 characters: first a letter or digit, then letters, digits, '-', '.' and '_'."""
    text = require_text(value, "run id")
    if not _RUN_ID.match(text) or ".." in text:
        rule = "1 to 320 characters, first a letter or digit, then letters, digits, '-', '.', '_'"
        raise _refuse("run id", text, rule)
    return text


def metric_name(value: object) -> str:
    """1 to 255 characters without control characters, blanks at the ends kept."""
    text = require_text(value, "metric name")
    if not text or len(text) > METRIC_NAME_MAX_CHARS:
        raise _refuse("metric name", text, f"1 to {METRIC_NAME_MAX_CHARS} characters")
    if _CONTROL.search(text):
        raise _refuse("metric name", text, "no control characters")
    return text


def file_name(value: object) -> str:
    r"""Return the name of a run's file in its one form: relative, '/' between parts.

    `\` counts as '/', './' and doubled '/' are dropped. '..', absolute names, drive letters,
    control characters, parts of more than 255 bytes and more than 1,024 characters are refused, so
    that a name from outside can be joined to a folder without leaving it, and be a file there.
    """
    text = require_text(value, "file name").replace("\\", "/")
    if _CONTROL.search(text):
        raise _refuse("file name", text, "no control characters")
    if text.startswith("/") or _DRIVE.match(text):
        raise _refuse("file name", text, "it must be relative")
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if not parts:
        raise _refuse("file name", text, "it must name a file")
    if ".." in parts:
        raise _refuse("file name", text, "'..' is not allowed")
    if any(len(part.encode()) > FILE_NAME_PART_MAX_BYTES for part in parts):
        limit = FILE_NAME_PART_MAX_BYTES
        raise _refuse("file name", text, f"between two '/' are at most {limit} bytes")
    name = "/".join(parts)
    if len(name) > FILE_NAME_MAX_CHARS:
        raise _refuse("file name", name, f"at most {FILE_NAME_MAX_CHARS} characters")
    return name


def label(value: object, field: str) -> dict[str, str | None]:
    """Return tags or properties as text to text (a tag may have no value: None).

    Keys have 1 to 100 characters, values up to 1,000; numbers and others are turned into text.
    """
    if not isinstance(value, dict):
        kind = type(value).__name__
        raise Invalid(field, f"must be a dict such as {{'key': 'value'}}, not {kind}")
    labels: dict[str, str | None] = {}
    for raw_key, raw in value.items():
        key = _storable(raw_key if isinstance(raw_key, str) else str(raw_key), field)
        if not key or len(key) > TAG_KEY_MAX_CHARS:
            raise _refuse(field, key, f"a key has 1 to {TAG_KEY_MAX_CHARS} characters")
        text = raw if raw is None or isinstance(raw, str) else str(raw)
        if text is not None and len(text) > TAG_VALUE_MAX_CHARS:
            problem = f"value has {len(text)} characters, at most {TAG_VALUE_MAX_CHARS}"
            raise Invalid(f"{field}[{key!r}]", problem)
        labels[key] = None if text is None else _storable(text, f"{field}[{key!r}]")
    return labels


def _storable(text: str, field: str) -> str:
    """Return text that any database can hold, else raise `Invalid`."""
    if "\0" in require_text(text, field):
        raise _refuse(field, text, "no NUL characters")
    return text


def plain_text(value: object, field: str, *, max_chars: int) -> str:
    """Return free text of at most `max_chars` characters."""
    text = require_text(value, field)
    if len(text) > max_chars:
        raise Invalid(field, f"has {len(text)} characters, at most {max_chars}")
    return text
