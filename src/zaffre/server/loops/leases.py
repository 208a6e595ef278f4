"""Judges leases, by this server's clock alone.

A lease may be judged only if the clock ran evenly for the whole of it and somebody could have
renewed. So every round compares three clocks with the round before: monotonic (stands still while
the machine sleeps), boottime (does not) and the wall's. Where they disagree, or a round came much
too late (we were stopped ourselves), all leases begin anew, as they do at the start.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from zaffre.compute.driver import Driver
from zaffre.server import log
from zaffre.server.store.store import Store
from zaffre.server.usecases import lease as usecase

#: Differences up to here are the clock being set right slowly, seconds.
TOLERANCE_S = 2.0
#: Longest pause between two rounds, seconds.
ROUND_MAX_S = 10.0


@dataclass(frozen=True)
class Clocks:
    """The three clocks at one moment, seconds."""

    monotonic: float
    boottime: float
    wall: float

    @staticmethod
    def read() -> Clocks:
        """Return the clocks now."""
        return Clocks(time.monotonic(), time.clock_gettime(time.CLOCK_BOOTTIME), time.time())


def jumped(before: Clocks, after: Clocks, *, pause_s: float) -> bool:
    """Say whether time between two rounds ran otherwise than planned: a pause of `pause_s`."""
    awake = after.monotonic - before.monotonic
    passed = after.boottime - before.boottime
    wall = after.wall - before.wall
    return (
        passed - awake > TOLERANCE_S
        or abs(wall - passed) > TOLERANCE_S
        or awake > pause_s + TOLERANCE_S
    )


class Leases:
    """The loop. One round looks at every lease."""

    def __init__(self, store: Store, driver: Driver) -> None:
        self._store = store
        self._driver = driver
        self._pause_s = min(ROUND_MAX_S, store.settings.lease_s / 6)
        #: Since when this server has seen a run Running, by the monotonic clock.
        self._running: dict[tuple[str, int], float] = {}

    async def run(self) -> None:
        """Judge until canceled."""
        before = Clocks.read()
        await asyncio.to_thread(usecase.grant, store=self._store, now=datetime.now(UTC))
        rounds = 0
        while True:
            await asyncio.sleep(self._pause_s)
            after = Clocks.read()
            if jumped(before, after, pause_s=self._pause_s):
                log.warning(
                    "clock.jumped",
                    awake_s=round(after.monotonic - before.monotonic, 3),
                    passed_s=round(after.boottime - before.boottime, 3),
                    wall_s=round(after.wall - before.wall, 3),
                )
                now = datetime.fromtimestamp(after.wall, UTC)
                await asyncio.to_thread(usecase.grant, store=self._store, now=now)
            else:
                # Judged by the time that was found even, not by a later reading.
                await self._judge(datetime.fromtimestamp(after.wall, UTC))
                await self._end_overlong(after.monotonic)
            before = after
            rounds += 1
            if rounds % 60 == 0:
                await asyncio.to_thread(
                    usecase.remove_expired_tokens, store=self._store, now=datetime.now(UTC)
                )

    async def _judge(self, now: datetime) -> None:
        overdue = await asyncio.to_thread(usecase.expire, store=self._store, now=now)
        for run_id, attempt in overdue.kill:
            log.warning("runner.killed_for_silence", run_id=run_id, attempt=attempt)
            await self._driver.kill(run_id, attempt)

    async def _end_overlong(self, monotonic: float) -> None:
        """Second line behind the runner's own limit; a sleeping machine's time does not count."""
        limited = await asyncio.to_thread(usecase.find_running, store=self._store)
        seen = {(run_id, attempt) for run_id, attempt, _ in limited}
        self._running = {key: at for key, at in self._running.items() if key in seen}
        for run_id, attempt, limit_s in limited:
            since = self._running.setdefault((run_id, attempt), monotonic)
            if monotonic - since > limit_s + self._store.settings.duration_grace_s:
                await asyncio.to_thread(
                    usecase.cancel_overlong,
                    run_id,
                    attempt,
                    store=self._store,
                    now=datetime.now(UTC),
                )
