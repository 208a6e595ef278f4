"""Packages whose names are imported when they are first asked for, from a fixed table."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def loader(
    package: str, scope: dict[str, Any], names: dict[str, str], submodules: tuple[str, ...]
) -> Callable[[str], Any]:
    """Return a module's `__getattr__`.

    scope: the package's globals, where what was loaded is kept. names: attribute to the module
    that has it. submodules: of the package, reachable as attributes. Any other name is an
    AttributeError.
    """

    def load(name: str) -> Any:
        from importlib import import_module

        if name in names:
            value = getattr(import_module(names[name]), name)
        elif name in submodules:
            value = import_module(f"{package}.{name}")
        else:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        scope[name] = value
        return value

    return load
