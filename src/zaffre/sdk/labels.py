"""Tags and properties as v1 took them: what is no text is turned into text, and a line says so."""

from __future__ import annotations

from zaffre.sdk.exceptions import UserErrorException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def convert(labels: Any, noun: str) -> dict[str, Any]:
    """Return tags or properties as text to text (or None), saying what was converted.

    noun: 'tag' or 'property'. A text stands for a tag without a value. Raises
    UserErrorException that names the expected form.
    """
    from zaffre.contract import names
    from zaffre.contract.errors import Invalid

    field = "tags" if noun == "tag" else "properties"
    if isinstance(labels, str):
        labels = {labels: None}
    try:
        converted = names.label(labels, field)
    except Invalid as problem:
        raise UserErrorException(str(problem)) from problem
    for key, value in labels.items():
        if value is not None and not isinstance(value, str):
            _say(f"Converting non-string {noun} to string: ({key}: {value})")
    return converted


def keys(labels: Any, field: str) -> list[str]:
    """Return the keys to remove: a list of them, or one. Raises UserErrorException."""
    if isinstance(labels, str):
        return [labels]
    try:
        return [str(key) for key in labels]
    except TypeError as problem:
        raise UserErrorException(f"{field}: must be a list of keys, not {labels!r}.") from problem


def as_filter(wanted: Any, field: str) -> list[str]:
    """Return what the server filters by, `key` or `key=value`, of a key, keys or a dict."""
    if wanted is None:
        return []
    if isinstance(wanted, str):
        return [wanted]
    if isinstance(wanted, dict):
        return [str(key) if value is None else f"{key}={value}" for key, value in wanted.items()]
    if isinstance(wanted, (list, tuple, set)):
        return [str(key) for key in wanted]
    raise UserErrorException(
        f"{field}: must be a key or a dict such as {{'key': 'value'}}, not {type(wanted).__name__}."
    )


def _say(text: str) -> None:
    import sys

    sys.stdout.write(text + "\n")
