"""Watches runners: those that an earlier server started, and every end that a driver reports."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from zaffre.compute.driver import Driver, Exit
from zaffre.server import log
from zaffre.server.store.store import Store
from zaffre.server.usecases import attempt as usecase

#: Longest pause before the store is told again, seconds.
_LONGEST_PAUSE_S = 10.0


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
            driver.died().put_nowait((attempt.run_id, attempt.number, Exit(pid, start_time)))


async def watch(store: Store, driver: Driver) -> None:
    """Take the driver's reports of ended runners until canceled."""
    queue = driver.died()
    # One that cannot be stored must not hold up the others.
    async with asyncio.TaskGroup() as group:
        while True:
            group.create_task(_died(store, *await queue.get()))


async def _died(store: Store, run_id: str, number: int, how: Exit) -> None:
    await insist(
        lambda: usecase.runner_died(run_id, number, how, store=store, now=datetime.now(UTC)),
        run_id=run_id,
        attempt=number,
    )


async def insist(tell: Callable[[], object], *, run_id: str, attempt: int) -> None:
    """Tell the store in a thread, again and again until it has taken it.

    Nobody else would: a run whose end is not stored has none before the next restart.
    """
    pause_s = 1.0
    while True:
        try:
            await asyncio.to_thread(tell)
        except Exception as problem:  # a full disk, a database that is away: it passes
            log.exception("attempt.not_stored", problem, run_id=run_id, attempt=attempt)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
        else:
            return
