"""The driver of `local`, on an event loop as the server's: uvloop and asyncio's own."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import uvloop

from zaffre.client import process
from zaffre.compute import local
from zaffre.compute.driver import DriverFailed, Exit
from zaffre.compute.local import LocalDriver
from zaffre.contract.attempt import AttemptKind, StartOrder
from zaffre.contract.run import RunSpec

LIMIT_S = 20.0


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[[Awaitable[None]], None]:
    """Run a coroutine on each kind of loop."""
    factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop

    def run_on_loop(work: Awaitable[None]) -> None:
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(asyncio.wait_for(work, LIMIT_S))  # type: ignore[arg-type]

    return run_on_loop


@asynccontextmanager
async def opened() -> AsyncIterator[LocalDriver]:
    driver = LocalDriver()
    try:
        yield driver
    finally:
        await driver.close()


def order(run_id: str = "r1") -> StartOrder:
    """An order whose runner waits for a server that is not there."""
    return StartOrder(
        run_id=run_id,
        attempt=3,
        kind=AttemptKind.RUN,
        token="zf_t",
        folder="/nonexistent/folder",
        url="http://127.0.0.1:9",
        socket_path="/nonexistent/socket",
        process_environment={"LARGE": "x" * 500_000},
        spec=RunSpec(target="local", interpreter="/bin/false", script="x.py"),
    )


def sleeper() -> int:
    return os.posix_spawn("/bin/sleep", ["sleep", "300"], {})


def test_a_started_runner_lives_until_it_is_killed(run):
    async def work() -> None:
        async with opened() as driver:
            await driver.start(order())
            (watched,) = driver._watched.values()
            assert process.is_alive(watched.pid, watched.start_time)
            await driver.kill("other", 3)
            await driver.kill("r1", 2)
            assert driver.died().empty()
            await driver.kill("r1", 3)
            expected = Exit(watched.pid, watched.start_time, signal=9)
            assert await driver.died().get() == ("r1", 3, expected)
            assert expected.how == " by signal 9"

    run(work())


def test_many_starts_at_once_each_get_their_own_runner(run):
    async def work() -> None:
        async with opened() as driver:
            await asyncio.gather(*(driver.start(order(f"r{i}")) for i in range(20)))
            names = {watched.run_id for watched in driver._watched.values()}
            pids = {watched.pid for watched in driver._watched.values()}
            assert (len(names), len(pids)) == (20, 20)
            for name in names:
                await driver.kill(name, 3)
            ended = [await driver.died().get() for _ in range(20)]
            assert {one[0] for one in ended} == names

    run(work())


def test_a_process_of_an_earlier_server_is_found_and_watched(run):
    pid = sleeper()

    async def work() -> None:
        async with opened() as driver:
            started = process.start_time(pid)
            boot = process.boot_id()
            assert not await driver.find(pid, started + 1, boot)
            assert not await driver.find(pid, started, "another boot")
            assert not await driver.find(2**22 + 5, 1, boot)
            assert not await driver.find(0, 0, boot)
            assert await driver.find(pid, started, boot, run_id="old", attempt=7)
            assert await driver.find(pid, started, boot, run_id="old", attempt=7)
            os.kill(pid, signal.SIGKILL)
            # It is this test's child and not the zygote's, so nobody says how it ended.
            assert await driver.died().get() == ("old", 7, Exit(pid, started))
            assert not await driver.find(pid, started, boot)  # a zombie

    try:
        run(work())
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_an_interpreter_that_is_not_there_is_told(run):
    async def work() -> None:
        driver = LocalDriver(python="/nonexistent/python")
        with pytest.raises(DriverFailed, match="/nonexistent/python"):
            await driver.start(order())
        await driver.close()

    run(work())


def test_an_interpreter_that_ends_at_once_is_told(run):
    async def work() -> None:
        driver = LocalDriver(python="/bin/false")
        with pytest.raises(DriverFailed, match="ended twice"):
            await driver.start(order())
        await driver.close()

    run(work())


def test_a_start_outlives_the_death_of_the_zygote(run):
    async def work() -> None:
        async with opened() as driver:
            await driver.open()
            zygote = driver._zygote
            assert zygote is not None
            zygote.popen.kill()
            zygote.popen.wait()
            await driver.start(order())
            assert driver._zygote is not zygote
            await driver.kill("r1", 3)
            await driver.died().get()

    run(work())


def test_closing_ends_the_zygote_and_no_runner(run):
    async def work() -> None:
        driver = LocalDriver()
        await driver.start(order())
        (watched,) = driver._watched.values()
        zygote = driver._zygote
        assert zygote is not None
        await driver.close()
        assert zygote.popen.returncode == 0
        assert process.is_alive(watched.pid, watched.start_time)
        os.kill(watched.pid, signal.SIGKILL)

    run(work())


def test_closing_kills_a_zygote_that_does_not_end(run, monkeypatch):
    monkeypatch.setattr(local, "END_LIMIT_S", 0.2)

    async def work() -> None:
        driver = LocalDriver()
        await driver.open()
        zygote = driver._zygote
        assert zygote is not None
        zygote.popen.send_signal(signal.SIGSTOP)
        await driver.close()
        assert zygote.popen.returncode == -signal.SIGKILL

    run(work())
