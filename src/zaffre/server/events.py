"""Telling those who wait that something was committed.

Topics: "run:ID" (a run's state), "log:ID", "metric:ID", "queue" (a run may be started), "attempts"
(attempts began or ended), "tokens". A wake can be lost on its way (another server process, a
crash), so whoever waits looks again after a while as well.

A waiter registers first and then looks at the store: a commit that comes between is noticed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator


class Watch:
    """One waiter's registration; `wait` returns at the first event since the last `wait`."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._event = asyncio.Event()

    def wake(self) -> None:
        """Note an event. Event loop only."""
        self._event.set()

    async def wait(self, timeout_s: float) -> bool:
        """Return True when something happened, False after `timeout_s` or when the server stops."""
        if self._hub.closing:
            return False
        try:
            async with asyncio.timeout(timeout_s):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return not self._hub.closing


class Hub:
    """Who waits for what. `publish` may be called from any thread, all else on the event loop."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watches: dict[str, set[Watch]] = {}
        self._listeners: list[Callable[[set[str]], None]] = []
        #: True once the server stops; held requests are answered at once.
        self.closing = False

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Name the event loop that the waiters live on."""
        self._loop = loop

    def listen(self, listener: Callable[[set[str]], None]) -> None:
        """Call `listener` with every committed transaction's topics, in the committing thread."""
        self._listeners.append(listener)

    def publish(self, topics: Iterable[str]) -> None:
        """Wake all who wait for one of `topics`. Thread-safe."""
        named = set(topics)
        for listener in self._listeners:
            listener(named)
        wanted = [topic for topic in named if topic in self._watches]
        if wanted and self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits any more
                self._loop.call_soon_threadsafe(self._wake, wanted)

    def _wake(self, topics: list[str]) -> None:
        for topic in topics:
            for watch in self._watches.get(topic, ()):
                watch.wake()

    @contextlib.contextmanager
    def watch(self, *topics: str) -> Iterator[Watch]:
        """Register for `topics`; look at the store inside the block, then `wait`."""
        watch = Watch(self)
        for topic in topics:
            self._watches.setdefault(topic, set()).add(watch)
        try:
            yield watch
        finally:
            for topic in topics:
                watchers = self._watches.get(topic)
                if watchers is not None:
                    watchers.discard(watch)
                    if not watchers:
                        self._watches.pop(topic, None)

    def close(self) -> None:
        """Answer all who wait: the server stops."""
        self.closing = True
        for watches in list(self._watches.values()):
            for watch in watches:
                watch.wake()
