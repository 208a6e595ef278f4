"""What the SDK tells a user once per process: keywords that change nothing here, and the like."""

from __future__ import annotations

_told: set[str] = set()


class IgnoredArgumentWarning(UserWarning):
    """An argument that SDK v1 had is accepted and changes nothing on Zaffre."""


def once(text: str, *, stacklevel: int = 3) -> None:
    """Warn with `text`, unless this process has been told so already."""
    if text in _told:
        return
    _told.add(text)
    import warnings

    warnings.warn(text, IgnoredArgumentWarning, stacklevel=stacklevel)


def ignored(call: str, given: dict[str, object], defaults: dict[str, object] | None = None) -> None:
    """Name once each argument of `call` that was given a value of its own and changes nothing.

    given: name to value. defaults: what v1 has for it, None if absent.
    """
    for name, value in given.items():
        if value != (defaults or {}).get(name):
            once(f"{call}: '{name}' is accepted but changes nothing on Zaffre.", stacklevel=4)
