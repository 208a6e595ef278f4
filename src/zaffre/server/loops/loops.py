"""All background loops of one server, started and ended together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from zaffre.server import log
from zaffre.server.http.door import Door
from zaffre.server.store.store import Store
from zaffre.server.usecases.server import Address

#: How long a loop that failed waits before it starts anew, seconds.
_AGAIN_S = 5.0


class Loops:
    """The loops find their work in the store, so that starting is recovering."""

    def __init__(
        self, store: Store, address: Address, door: Door, stop: Callable[[], None]
    ) -> None:
        self._store = store
        self._address = address
        self._door = door
        self._stop = stop
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start every loop."""

    async def stop(self) -> None:
        """End every loop; runners go on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _keep(self, name: str, loop: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._tasks.append(asyncio.create_task(_forever(name, loop), name=name))


async def _forever(name: str, loop: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run `loop`; one that fails is logged and started anew, since its work is in the store."""
    while True:
        try:
            await loop()
        except asyncio.CancelledError:
            raise
        except Exception as problem:
            log.exception("loop.failed", problem, loop=name)
            await asyncio.sleep(_AGAIN_S)
        else:
            return
