"""The driver of `local`: runners on the server's own machine, forked from a warm zygote.

The zygote is a child process that talks through a socket pair (messages: runner/zygote.py). An
order goes as a file in memory whose descriptor is handed through, so that the zygote never holds
a token. Each runner comes back as a pidfd, which names that process for good, whatever happens
to its number, and becomes readable the moment it ends. The zygote ends when its socket does, so
nothing of it stays behind when the server is killed; the runners stay, and `find` meets them
again by pid, start time and boot id. A zygote that dies is started anew by the next start.
"""

from __future__ import annotations

import array
import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from zaffre.client import process
from zaffre.compute.driver import EXIT_REFUSED, Died, DriverFailed, Exit
from zaffre.contract import wire
from zaffre.contract.attempt import StartOrder

#: How long a zygote may take to answer, its own start included, seconds.
ANSWER_LIMIT_S = 30.0
#: How long a zygote that was told to end may take to, seconds; then it is killed.
END_LIMIT_S = 5.0
#: How long a runner's end waits for the zygote to say how, seconds.
STATUS_WAIT_S = 0.25
#: What the zygote has of the server's environment. Scripts get nothing of it.
PASSED_ON = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR")


class _ZygoteGone(Exception):
    """The zygote ended before it answered."""


@dataclass
class _Watched:
    """One living runner."""

    run_id: str
    attempt: int
    pid: int
    start_time: int
    pidfd: int


class LocalDriver:
    """Starts runners on this machine. Used on one event loop."""

    def __init__(self, *, python: str = sys.executable, log_path: str | None = None) -> None:
        self._python = python
        self._log_path = log_path
        self._died: asyncio.Queue[Died] = asyncio.Queue()
        self._watched: dict[int, _Watched] = {}  # by pidfd
        self._statuses: dict[tuple[int, int], int] = {}
        self._zygote: _Zygote | None = None
        self._starting = asyncio.Lock()

    async def open(self) -> None:
        """Start the zygote. Raises DriverFailed if that is not possible."""
        await self._live_zygote()

    async def start(self, order: StartOrder) -> None:
        """Fork a runner for `order`. Raises DriverFailed."""
        body = json.dumps(wire.encode(order)).encode()
        try:
            answer, pidfd = await self._fork(body)
        except _ZygoteGone:
            # It may have forked before it died: then the second runner's claim is refused.
            try:
                answer, pidfd = await self._fork(body)
            except _ZygoteGone:
                raise DriverFailed("the process that forks runners ended twice") from None
        if pidfd < 0:
            raise DriverFailed(str(answer.get("problem", "the zygote gave no process")))
        started = int(answer["start_time"])
        self._watch(_Watched(order.run_id, order.attempt, int(answer["pid"]), started, pidfd))

    def died(self) -> asyncio.Queue[Died]:
        """Return the queue of (run_id, attempt, how) of runners that ended, reported or not."""
        return self._died

    async def find(
        self, pid: int, start_time: int, boot_id: str, *, run_id: str = "", attempt: int = 0
    ) -> bool:
        """Say whether that very process is alive here, and if so watch it from now on."""
        if boot_id != process.boot_id():
            return False
        if any((w.pid, w.start_time) == (pid, start_time) for w in self._watched.values()):
            return True
        try:
            pidfd = os.pidfd_open(pid)
        except (OSError, ValueError):
            return False
        # Only now can the number not be given to another process unnoticed.
        if not process.is_alive(pid, start_time):
            os.close(pidfd)
            return False
        self._watch(_Watched(run_id, attempt, pid, start_time, pidfd))
        return True

    async def kill(self, run_id: str, attempt: int) -> None:
        """Kill the runner of that attempt, and so its script; nothing if none is known."""
        for watched in self._watched.values():
            if (watched.run_id, watched.attempt) == (run_id, attempt):
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(watched.pidfd, signal.SIGKILL)

    async def close(self) -> None:
        """Stop watching and end the zygote. Runners go on without us."""
        loop = asyncio.get_running_loop()
        for pidfd in self._watched:
            loop.remove_reader(pidfd)
            os.close(pidfd)
        self._watched.clear()
        zygote, self._zygote = self._zygote, None
        if zygote is not None:
            zygote.close()
            await asyncio.to_thread(_end, zygote.popen)

    async def _fork(self, body: bytes) -> tuple[dict[str, Any], int]:
        zygote = await self._live_zygote()
        try:
            return await asyncio.wait_for(zygote.ask(body), ANSWER_LIMIT_S)
        except TimeoutError:
            zygote.popen.kill()
            zygote.close()
            raise _ZygoteGone from None

    async def _live_zygote(self) -> _Zygote:
        async with self._starting:
            if self._zygote is None or self._zygote.is_closed:
                if self._zygote is not None:
                    await asyncio.to_thread(_end, self._zygote.popen)
                ours, popen = await asyncio.to_thread(_spawn, self._python, self._log_path)
                self._zygote = _Zygote(ours, popen, self._note_status)
            return self._zygote

    def _note_status(self, pid: int, start_time: int, status: int) -> None:
        if any((w.pid, w.start_time) == (pid, start_time) for w in self._watched.values()):
            self._statuses[pid, start_time] = status

    def _watch(self, watched: _Watched) -> None:
        self._watched[watched.pidfd] = watched
        asyncio.get_running_loop().add_reader(watched.pidfd, self._ended, watched)

    def _ended(self, watched: _Watched) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(watched.pidfd)
        self._await_status(watched, loop.time() + STATUS_WAIT_S)

    def _await_status(self, watched: _Watched, until: float) -> None:
        """The zygote says how about when the kernel says that: give it a moment."""
        loop = asyncio.get_running_loop()
        key = (watched.pid, watched.start_time)
        if watched.pidfd not in self._watched:
            return
        zygote_lives = self._zygote is not None and not self._zygote.is_closed
        if key not in self._statuses and zygote_lives and loop.time() < until:
            loop.call_later(0.005, self._await_status, watched, until)
            return
        del self._watched[watched.pidfd]
        os.close(watched.pidfd)
        how = _exit_of(watched, self._statuses.pop(key, None))
        if how.code != EXIT_REFUSED:
            self._died.put_nowait((watched.run_id, watched.attempt, how))


def _exit_of(watched: _Watched, status: int | None) -> Exit:
    if status is None:
        return Exit(watched.pid, watched.start_time)
    if os.WIFSIGNALED(status):
        return Exit(watched.pid, watched.start_time, signal=os.WTERMSIG(status))
    return Exit(watched.pid, watched.start_time, code=os.WEXITSTATUS(status))


class _Zygote:
    """The driver's side of one zygote: questions by number, each answered once."""

    def __init__(
        self,
        sock: socket.socket,
        popen: subprocess.Popen[bytes],
        note_status: Callable[[int, int, int], None],
    ) -> None:
        self.popen = popen
        self.is_closed = False
        self._sock = sock
        self._note_status = note_status
        self._waiting: dict[int, asyncio.Future[tuple[dict[str, Any], int]]] = {}
        self._number = 0
        self._sending = asyncio.Lock()
        asyncio.get_running_loop().add_reader(sock, self._receive)

    async def ask(self, order: bytes) -> tuple[dict[str, Any], int]:
        """Have a runner forked for `order`; return the answer and its pidfd (-1: none)."""
        loop = asyncio.get_running_loop()
        self._number += 1
        number = self._number
        future: asyncio.Future[tuple[dict[str, Any], int]] = loop.create_future()
        self._waiting[number] = future
        memory = os.memfd_create("zaffre-order")
        try:
            with os.fdopen(os.dup(memory), "wb") as file:
                file.write(order)
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [memory]))]
            await self._send(json.dumps({"number": number}).encode(), rights)
            return await future
        finally:
            os.close(memory)
            self._waiting.pop(number, None)

    async def _send(self, message: bytes, rights: list[Any]) -> None:
        loop = asyncio.get_running_loop()
        async with self._sending:
            while not self.is_closed:
                try:
                    self._sock.sendmsg([message], rights)
                except BlockingIOError:
                    free: asyncio.Future[None] = loop.create_future()
                    loop.add_writer(self._sock, _finish, free)
                    try:
                        await free
                    finally:
                        loop.remove_writer(self._sock)
                except OSError:
                    self.close()
                else:
                    return
        raise _ZygoteGone

    def _receive(self) -> None:
        while not self.is_closed:
            try:
                data, fds, _, _ = socket.recv_fds(self._sock, 4096, 1)
            except BlockingIOError:
                return
            except OSError:
                data, fds = b"", []
            if not data:
                self.close()
                return
            message = json.loads(data)
            if "status" in message:
                self._note_status(message["pid"], message["start_time"], message["status"])
                continue
            future = self._waiting.get(message["number"])
            if future is not None and not future.done():
                future.set_result((message, fds[0] if fds else -1))
            else:
                for fd in fds:
                    os.close(fd)

    def close(self) -> None:
        """Let go of the zygote, which ends by that; whoever waits for it learns so."""
        if self.is_closed:
            return
        self.is_closed = True
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._sock)
        loop.remove_writer(self._sock)
        self._sock.close()
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(_ZygoteGone())


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _end(popen: subprocess.Popen[bytes]) -> None:
    """Wait until a zygote that has lost its socket has ended; kill one that does not."""
    try:
        popen.wait(END_LIMIT_S)
    except subprocess.TimeoutExpired:
        popen.kill()
        popen.wait()


def _spawn(python: str, log_path: str | None) -> tuple[socket.socket, subprocess.Popen[bytes]]:
    """Start a zygote in a session of its own. Raises DriverFailed."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.settimeout(0)
    log: IO[bytes] | int = subprocess.DEVNULL
    with contextlib.ExitStack() as stack:
        stack.enter_context(theirs)
        if log_path is not None:
            log = stack.enter_context(Path(log_path).open("ab"))
        try:
            popen = subprocess.Popen(
                # No site-packages: what a runner imports is zaffre and the standard library.
                [python, "-S", "-s", "-P", "-m", "zaffre.runner.zygote", str(theirs.fileno())],
                env=_environment(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        except OSError as problem:
            ours.close()
            raise DriverFailed(f"{python}: {problem.strerror}") from problem
    return ours, popen


def _environment() -> dict[str, str]:
    """Return the zygote's environment: what programs need, where zaffre is, no secret."""
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    environment["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
    return environment
