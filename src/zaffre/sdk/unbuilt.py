"""Names of SDK v1 that can be imported and not used yet: each use says so, in one sentence."""

from __future__ import annotations

from zaffre.sdk.exceptions import NotBuiltYetException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn


class Unbuilt:
    """A class of v1 that this release does not have; making one raises NotBuiltYetException."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        raise NotBuiltYetException(type(self).__name__)


def method(what: str) -> Any:
    """Return a static method that raises NotBuiltYetException, which names `what`."""

    def refuse(*args: object, **kwargs: object) -> NoReturn:
        raise NotBuiltYetException(what)

    refuse.__name__ = what.rpartition(".")[2]
    refuse.__doc__ = f"{what}: not built yet."
    return staticmethod(refuse)
