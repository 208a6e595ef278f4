"""All background loops of one server, started and ended together.

They find their work in the store, so that starting is recovering.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

from zaffre.compute.driver import Driver, DriverFailed
from zaffre.compute.local import LocalDriver
from zaffre.server import log, seal
from zaffre.server.loops import attempts, garbage, idle
from zaffre.server.loops.dispatcher import Dispatcher
from zaffre.server.loops.leases import Leases
from zaffre.server.store.store import Store
from zaffre.server.usecases.dispatch import Target
from zaffre.server.usecases.server import Address

#: How long a loop that failed waits before it starts anew, seconds.
_AGAIN_S = 5.0


class Loops:
    """The loops of a server with the compute target `local`."""

    def __init__(
        self,
        store: Store,
        address: Address,
        door: idle.Door,
        stop: Callable[[], None],
        driver: Driver | None = None,
    ) -> None:
        self._store = store
        self._door = door
        self._stop = stop
        self._driver: Driver = driver or LocalDriver(
            log_path=str(store.settings.home / "server.log")
        )
        self._target = Target("local", store.settings.slots)
        self._dispatcher = Dispatcher(store, address, self._target, self._driver)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start every loop. The first run must not wait for what can be made ready now."""
        self._keep("attempts", lambda: attempts.watch(self._store, self._driver))
        self._keep("local", self._local)
        self._keep("leases", Leases(self._store, self._driver).run)
        if self._store.settings.started_by_sdk:
            self._keep("idle", lambda: idle.run(self._store, self._door, self._stop))
        self._keep("garbage", lambda: garbage.run(self._store))

    async def stop(self) -> None:
        """End every loop; runners go on."""
        await self._dispatcher.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._driver.close()

    async def _local(self) -> None:
        await attempts.recover(self._store, self._target.name, self._driver)
        with contextlib.suppress(DriverFailed):  # the first start says so, on its run
            await self._driver.open()
        warm = asyncio.create_task(asyncio.to_thread(seal.warm_up))
        await self._dispatcher.run()
        await warm

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
