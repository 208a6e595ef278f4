from __future__ import annotations

import asyncio
import threading

import pytest

from zaffre.server.http.threads import Threads


def test_calls_run_at_the_same_time_in_no_more_threads_than_allowed() -> None:
    together = threading.Barrier(3, timeout=20)
    names: set[str] = set()

    def meet() -> None:
        names.add(threading.current_thread().name)
        together.wait()

    async def main() -> None:
        threads = Threads(3)
        await asyncio.gather(*(threads.run(meet, {}) for _ in range(9)))
        threads.close()

    asyncio.run(main())
    assert len(names) == 3


def test_one_call_after_the_other_takes_one_thread() -> None:
    async def main() -> set[str]:
        threads = Threads(8)
        names = {await threads.run(lambda: threading.current_thread().name, {}) for _ in range(9)}
        threads.close()
        return names

    assert len(asyncio.run(main())) == 1


def test_what_a_call_raises_is_raised_where_it_is_awaited() -> None:
    async def main() -> None:
        threads = Threads(1)
        with pytest.raises(ValueError, match="no"):
            await threads.run(_refuse, {})
        assert await threads.run(str, {"object": 1}) == "1"
        threads.close()

    asyncio.run(main())


def test_who_is_gone_when_a_call_ends_is_not_missed() -> None:
    entered, leave = threading.Event(), threading.Event()

    def wait() -> None:
        entered.set()
        leave.wait(20)

    async def main() -> None:
        threads = Threads(1)
        asked = threads.run(wait, {})
        await asyncio.to_thread(entered.wait, 20)
        asked.cancel()
        leave.set()
        assert await threads.run(str, {"object": 2}) == "2"
        threads.close()

    asyncio.run(main())


def test_closing_waits_for_what_has_begun() -> None:
    entered, leave = threading.Event(), threading.Event()
    ended: list[bool] = []

    def wait() -> None:
        entered.set()
        leave.wait(20)
        ended.append(True)

    async def main() -> None:
        threads = Threads(1)
        threads.run(wait, {})
        await asyncio.to_thread(entered.wait, 20)
        closing = asyncio.create_task(asyncio.to_thread(threads.close))
        leave.set()
        await closing

    asyncio.run(main())
    assert ended == [True]


def _refuse() -> None:
    raise ValueError("no")
