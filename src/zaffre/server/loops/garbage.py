"""Collects garbage now and then, in a thread: blobs, a few a transaction, and runs' old folders."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from zaffre.server import log
from zaffre.server.store.store import Store
from zaffre.server.usecases import folder
from zaffre.server.usecases import garbage as usecase

#: The first collection comes so long after the start: a server that an SDK starts may not live
#: for the pause between two, and must not spend its start on this either. Seconds.
FIRST_AFTER_S = 300.0


async def run(store: Store) -> None:
    """Collect soon after the start and then each `garbage_every_s`, for ever."""
    every = store.settings.garbage_every_s
    pause = min(FIRST_AFTER_S, every)
    while True:
        await asyncio.sleep(pause)
        pause = every
        collected = await asyncio.to_thread(
            usecase.collect, force=False, store=store, now=datetime.now(UTC)
        )
        if collected.removed_count:
            log.info(
                "garbage.collected",
                removed_count=collected.removed_count,
                removed_bytes=collected.removed_bytes,
            )
        removed = await asyncio.to_thread(folder.remove_old, store=store, now=datetime.now(UTC))
        if removed:
            log.info("folders.removed", count=removed)
