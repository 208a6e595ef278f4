"""Arguments of the SDK's calls: each is returned when it can be used, or refused by its name."""

from __future__ import annotations

import os

from zaffre.sdk.exceptions import UserErrorException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    T = TypeVar("T")


def text(value: object, field: str) -> str:
    """Return text that is not empty, else raise UserErrorException."""
    if not isinstance(value, str) or not value:
        raise UserErrorException(f"{field}: must be text, not {value!r}.")
    return value


def optional_text(value: object, field: str) -> str | None:
    """Return text or None, else raise UserErrorException."""
    if value is not None and not isinstance(value, str):
        raise UserErrorException(f"{field}: must be text, not {value!r}.")
    return value


def path(value: Any, field: str) -> str:
    """Return a path as text, else raise UserErrorException."""
    try:
        return os.fspath(value)
    except TypeError as problem:
        raise UserErrorException(
            f"{field}: must be a path of a file or folder, not {value!r}."
        ) from problem


def instance(value: Any, kind: type[T], field: str) -> T:
    """Return an object of a class, else raise UserErrorException."""
    if not isinstance(value, kind):
        raise UserErrorException(f"{field}: must be a {kind.__name__}, not {value!r}.")
    return value


def items(value: Any, field: str) -> list[Any]:
    """Return a list of what can be iterated and is no text, else raise UserErrorException."""
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        raise UserErrorException(f"{field}: must be a list, not {value!r}.")
    return list(value)


def number(value: Any, field: str) -> float:
    """Return a number, else raise UserErrorException."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise UserErrorException(f"{field}: must be a number, not {value!r}.")
    return value
