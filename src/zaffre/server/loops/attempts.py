"""Watches runners: those that an earlier server started, and every end that a driver reports."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from zaffre.compute.driver import Driver, Exit
from zaffre.server import log
from zaffre.server.store.store import Store
from zaffre.server.usecases import attempt as usecase

#: How often a death is told the store before it is given up to the next restart.
_TRIES = 5


async def recover(store: Store, target: str, driver: Driver) -> None:
    """Meet the runners that an earlier server has left; salvage those that are gone."""
    found = await asyncio.to_thread(
        usecase.recover, store=store, target=target, now=datetime.now(UTC)
    )
    for attempt in found:
        pid, start_time = attempt.pid or 0, attempt.start_time or 0
        lives = await driver.find(
            pid,
            start_time,
            attempt.boot_id or "",
            run_id=attempt.run_id,
            attempt=attempt.number,
        )
        if not lives:
            await _died(store, attempt.run_id, attempt.number, Exit(pid, start_time))


async def watch(store: Store, driver: Driver) -> None:
    """Take the driver's reports of ended runners until canceled."""
    queue = driver.died()
    while True:
        run_id, number, how = await queue.get()
        await _died(store, run_id, number, how)


async def _died(store: Store, run_id: str, number: int, how: Exit) -> None:
    for tried in range(1, _TRIES + 1):
        try:
            await asyncio.to_thread(
                usecase.runner_died, run_id, number, how, store=store, now=datetime.now(UTC)
            )
        except Exception as problem:  # a full disk, a database that is away: it passes
            log.exception("runner.death_not_stored", problem, run_id=run_id, attempt=number)
            await asyncio.sleep(tried)
        else:
            return
