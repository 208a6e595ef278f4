"""Collects garbage now and then, in a thread, a few blobs a transaction."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from zaffre.server import log
from zaffre.server.store.store import Store
from zaffre.server.usecases import garbage as usecase


async def run(store: Store) -> None:
    """Collect each `garbage_every_s`, for ever."""
    while True:
        await asyncio.sleep(store.settings.garbage_every_s)
        collected = await asyncio.to_thread(
            usecase.collect, force=False, store=store, now=datetime.now(UTC)
        )
        if collected.removed_count:
            log.info(
                "garbage.collected",
                removed_count=collected.removed_count,
                removed_bytes=collected.removed_bytes,
            )
