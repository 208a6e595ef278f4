"""Hands queued runs to a compute target's driver.

Woken by the topic "queue" (a run was queued, a slot came free, a salvage is due), and now and
then besides. An order whose driver fails ends its run; one that no runner claims within
`start_limit_s` is killed and followed by another attempt.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from zaffre.compute.driver import Driver, DriverFailed
from zaffre.contract.attempt import AttemptKind, StartOrder
from zaffre.server import log
from zaffre.server.loops.attempts import insist
from zaffre.server.store.store import Store
from zaffre.server.usecases import attempt as attempts
from zaffre.server.usecases import dispatch
from zaffre.server.usecases.dispatch import Target
from zaffre.server.usecases.server import Address

#: Longest pause between two looks, seconds.
LOOK_S = 20.0


class Dispatcher:
    """The loop of one compute target."""

    def __init__(self, store: Store, address: Address, target: Target, driver: Driver) -> None:
        self._store = store
        self._address = address
        self._target = target
        self._driver = driver
        #: Salvages given to the driver and not claimed yet. A RUN attempt is given in the round
        #: that stores it.
        self._handed: set[tuple[str, int]] = set()
        self._starting: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Dispatch until canceled."""
        with self._store.hub.watch("queue") as watch:
            while not self._store.hub.closing:
                orders = await asyncio.to_thread(
                    dispatch.next_orders,
                    self._target,
                    store=self._store,
                    address=self._address,
                    handed=frozenset(self._handed),
                    now=datetime.now(UTC),
                )
                for order in orders:
                    if order.kind is AttemptKind.SALVAGE:
                        self._handed.add((order.run_id, order.attempt))
                    task = asyncio.create_task(self._start(order))
                    self._starting.add(task)
                    task.add_done_callback(self._starting.discard)
                if not orders:
                    await watch.wait(LOOK_S)

    async def stop(self) -> None:
        """Give up waiting for claims; the runners that start are met by the next server."""
        for task in self._starting:
            task.cancel()
        await asyncio.gather(*self._starting, return_exceptions=True)

    async def _start(self, order: StartOrder) -> None:
        """Have an order started and see to it; then its attempt is claimed, or has ended."""
        try:
            await self._hand(order)
        finally:
            self._handed.discard((order.run_id, order.attempt))

    async def _hand(self, order: StartOrder) -> None:
        try:
            await self._driver.start(order)
        except DriverFailed as failed:
            log.warning("runner.not_started", run_id=order.run_id, problem=failed.problem)
            await self._fail(order, failed.problem)
        except Exception as problem:  # a fault of ours must not leave the run queued for ever
            log.exception("driver.failed", problem, run_id=order.run_id)
            await self._fail(order, f"{type(problem).__name__}: {problem}")
        else:
            await self._see_claim(order)

    async def _fail(self, order: StartOrder, problem: str) -> None:
        await insist(
            lambda: attempts.start_failed(
                order.run_id, order.attempt, problem, store=self._store, now=datetime.now(UTC)
            ),
            run_id=order.run_id,
            attempt=order.attempt,
        )

    async def _see_claim(self, order: StartOrder) -> None:
        """Wait until the order's runner has claimed, or has had its time."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._store.settings.start_limit_s
        with self._store.hub.watch(f"run:{order.run_id}") as watch:
            while True:
                if not await self._is_unclaimed(order):
                    return
                left = deadline - loop.time()
                if left <= 0:
                    break
                if not await watch.wait(left) and self._store.hub.closing:
                    return
        log.warning("runner.silent_at_start", run_id=order.run_id, attempt=order.attempt)
        await self._driver.kill(order.run_id, order.attempt)
        await insist(
            lambda: attempts.not_claimed(
                order.run_id, order.attempt, store=self._store, now=datetime.now(UTC)
            ),
            run_id=order.run_id,
            attempt=order.attempt,
        )

    async def _is_unclaimed(self, order: StartOrder) -> bool:
        try:
            return await asyncio.to_thread(
                attempts.is_unclaimed, order.run_id, order.attempt, store=self._store
            )
        except Exception as problem:  # a database that is away: the claim is waited for still
            log.exception("claim.not_seen", problem, run_id=order.run_id)
            return True
