"""Ends a server that an SDK has started, when nobody has asked and nothing has run for long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from zaffre.server import log
from zaffre.server.store.store import Store
from zaffre.server.usecases import server as usecase


class Door(Protocol):
    """What counts requests: how many are under way, and when the last one came (monotonic)."""

    held_count: int
    last_request_at: float


async def run(store: Store, door: Door, stop: Callable[[], None]) -> None:
    """Look until it is time, then stop the server. A request under way counts as use."""
    limit_s = store.settings.idle_exit_s
    used_at = time.monotonic()
    while True:
        await asyncio.sleep(min(30.0, limit_s / 4))
        busy = door.held_count > 0 or await asyncio.to_thread(usecase.is_busy, store=store)
        used_at = time.monotonic() if busy else max(used_at, door.last_request_at)
        if time.monotonic() - used_at >= limit_s:
            log.info("server.idle", idle_s=round(time.monotonic() - used_at, 1))
            stop()
            return
