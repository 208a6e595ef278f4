"""The warm process that runners are forked from: `python -m zaffre.runner.zygote FD`.

Importing what a runner needs takes tens of milliseconds, a fork two. FD is one end of a Unix
socket pair (SOCK_SEQPACKET), a message a packet, JSON:

    driver -> zygote   {"number"} and, as SCM_RIGHTS, a file that holds the StartOrder
    zygote -> driver   {"number", "pid", "start_time"} and the runner's pidfd
                       {"number", "problem"} if there is none
                       {"pid", "start_time", "status"} when a runner has ended (wait status)

It has one thread, no connection and no secret: an order, with its token, is read by the child
alone, from the file. A child keeps nothing of what it inherits. When the socket ends (the server
is gone) the zygote ends; its runners live on and belong to init from then.

One runner is kept in spare, forked ahead, its namespace made and its pages touched: that takes
about 8 ms off a start. It waits for an order on a socket pair of its own and ends with the zygote.
An order that finds no spare (the last one was taken a moment ago) gets a fork.
"""

from __future__ import annotations

import array
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from zaffre.client import process
from zaffre.runner import kernel, main, namespace

#: The next spare is made when a runner ends, or this long after a start: the script that starts has
#: the machine first.
REFILL_S = 0.25


@dataclass
class _Runner:
    """A child: a runner with an order, or the spare (then `sock` leads to it)."""

    pid: int
    start_time: int
    sock: socket.socket | None = None


class Zygote:
    """The zygote's loop. isolated: whether PID namespaces can be made here (tried once)."""

    def __init__(self, sock: socket.socket, *, isolated: bool) -> None:
        self._sock = sock
        self._isolated = isolated
        self._children: dict[int, _Runner] = {}  # by pidfd
        self._spare: int | None = None
        self._refill_at: float | None = time.monotonic() + REFILL_S
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)

    def run(self) -> None:
        """Fork runners and reap them until the driver is gone."""
        while True:
            for fd, _ in self._poll.poll(self._timeout_ms()):
                if fd in self._children:
                    self._reap(fd)
                elif not self._serve():
                    return
            if self._refill_at is not None and time.monotonic() >= self._refill_at:
                self._refill_at = None
                # Without a spare the next start is a little slower, no more.
                with contextlib.suppress(OSError):
                    self._spare = self._fork_spare()

    def _timeout_ms(self) -> int | None:
        if self._refill_at is None:
            return None
        return max(0, int((self._refill_at - time.monotonic()) * 1000) + 1)

    def _serve(self) -> bool:
        """Take one message; return False at the socket's end."""
        try:
            data, fds, _, _ = socket.recv_fds(self._sock, 4096, 1)
        except ConnectionError:
            return False
        if not data:
            return False
        number = json.loads(data)["number"]
        try:
            pidfd = self._hand_to_spare(fds[0]) or self._fork_runner(fds[0])
        except OSError as problem:
            self._tell({"number": number, "problem": f"fork: {problem.strerror}"})
        else:
            runner = self._children[pidfd]
            answer = {"number": number, "pid": runner.pid, "start_time": runner.start_time}
            self._tell(answer, pidfd)
        finally:
            os.close(fds[0])
        return True

    def _hand_to_spare(self, order_fd: int) -> int | None:
        """Give the order to the spare; return its pidfd, None if there is none that lives."""
        self._refill_at = time.monotonic() + REFILL_S
        pidfd, self._spare = self._spare, None
        runner = self._children.get(pidfd) if pidfd is not None else None
        if runner is None or runner.sock is None:
            return None
        sock, runner.sock = runner.sock, None
        with sock:
            try:
                socket.send_fds(sock, [b"!"], [order_fd])
            except OSError:
                return None
        return pidfd

    def _fork_runner(self, order_fd: int) -> int:
        pid = os.fork()
        if pid == 0:
            _become_runner({order_fd}, lambda: main.run_order(order_fd, isolated=self._isolated))
        return self._watch(pid, None)

    def _fork_spare(self) -> int:
        ours, theirs = socket.socketpair()
        with theirs:
            pid = os.fork()
            if pid == 0:
                _become_runner(
                    {theirs.fileno()}, lambda: main.wait_for_order(theirs, isolated=self._isolated)
                )
        return self._watch(pid, ours)

    def _watch(self, pid: int, sock: socket.socket | None) -> int:
        pidfd = os.pidfd_open(pid)
        self._children[pidfd] = _Runner(pid, process.start_time(pid), sock)
        self._poll.register(pidfd, select.POLLIN)
        return pidfd

    def _reap(self, pidfd: int) -> None:
        runner = self._children.pop(pidfd)
        self._poll.unregister(pidfd)
        os.close(pidfd)
        status = os.waitpid(runner.pid, 0)[1]
        if runner.sock is not None:
            runner.sock.close()
            self._spare, self._refill_at = None, time.monotonic() + REFILL_S
            return
        self._tell({"pid": runner.pid, "start_time": runner.start_time, "status": status})
        if self._refill_at is not None:
            self._refill_at = time.monotonic()

    def _tell(self, message: dict[str, Any], fd: int | None = None) -> None:
        fds = array.array("i", [] if fd is None else [fd])
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)] if fds else []
        # A driver that is gone is noticed by the next poll.
        with contextlib.suppress(OSError):
            self._sock.sendmsg([json.dumps(message).encode()], rights)


def _become_runner(keep: set[int], work: Callable[[], int]) -> NoReturn:
    """Turn a fresh child into a process of its own and do its work; never returns."""
    status = 1
    try:
        os.setsid()
        kernel.close_all_but({2, *keep})
        os.open(os.devnull, os.O_RDONLY)
        os.open(os.devnull, os.O_WRONLY)
        os.umask(0o022)
        kernel.set_name("zaffre-runner")
        status = work()
    except BaseException as problem:
        sys.excepthook(type(problem), problem, problem.__traceback__)
    finally:
        with contextlib.suppress(OSError):
            sys.stderr.flush()
        os._exit(status)


def _preload() -> None:
    """Import now what is imported lazily elsewhere and what every runner needs."""
    for module in ("urllib.parse", "zaffre.client.response", "zaffre.runner.salvage"):
        importlib.import_module(module)


def start() -> None:
    """Run the zygote on the descriptor that the first argument names."""
    sock = socket.socket(fileno=int(sys.argv[1]))
    # Ctrl-C in the terminal of whoever started the server is not meant for runs.
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    kernel.set_name("zaffre-zygote")
    _preload()
    isolated = namespace.is_possible()
    gc.collect()
    # Objects that the collector leaves alone stay shared with the children.
    gc.freeze()
    Zygote(sock, isolated=isolated).run()
    os._exit(0)


if __name__ == "__main__":
    start()
