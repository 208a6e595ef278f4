from __future__ import annotations

import asyncio
import threading

from zaffre.server.events import Hub


def test_a_commit_in_another_thread_wakes_who_waits_for_its_topic() -> None:
    async def use() -> tuple[bool, bool]:
        hub = Hub()
        hub.bind(asyncio.get_running_loop())
        with hub.watch("run:a") as mine, hub.watch("run:b") as other:
            thread = threading.Thread(target=hub.publish, args=({"run:a", "queue"},))
            thread.start()
            return await mine.wait(10), await other.wait(0.05)

    assert asyncio.run(use()) == (True, False)


def test_an_event_between_the_look_and_the_wait_is_not_lost() -> None:
    async def use() -> bool:
        hub = Hub()
        hub.bind(asyncio.get_running_loop())
        with hub.watch("run:a") as watch:
            hub.publish({"run:a"})
            await asyncio.sleep(0)
            return await watch.wait(10)

    assert asyncio.run(use())


def test_who_waits_is_answered_when_the_server_stops() -> None:
    async def use() -> list[bool]:
        hub = Hub()
        hub.bind(asyncio.get_running_loop())
        asyncio.get_running_loop().call_later(0.05, hub.close)
        with hub.watch("run:a") as watch:
            return [await watch.wait(30), await watch.wait(30)]

    assert asyncio.run(use()) == [False, False]


def test_nothing_is_kept_of_who_has_waited() -> None:
    async def use() -> int:
        hub = Hub()
        hub.bind(asyncio.get_running_loop())
        for number in range(100):
            with hub.watch(f"run:{number}") as watch:
                await watch.wait(0)
        return len(hub._watches)

    assert asyncio.run(use()) == 0
