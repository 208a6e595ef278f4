"""The warm process that runners are forked from: `python -m zaffre.runner.zygote FD`.

Importing what a runner needs takes tens of milliseconds, a fork two. FD is one end of a Unix
socket pair (SOCK_SEQPACKET), a message a packet, JSON:

    driver -> zygote   {"number"} and, as SCM_RIGHTS, a file that holds the StartOrder
    zygote -> driver   {"number", "pid", "start_time"} and the runner's pidfd; or {"number", "problem"}
                       {"pid", "start_time", "status"} when a runner has ended (wait status)

It has one thread, no connection and no secret: an order, with its token, is read by the child
alone, from the file. A child keeps nothing of what it inherits. When the socket ends (the server
is gone) the zygote ends; its runners live on and belong to init from then.
"""

from __future__ import annotations

import array
import contextlib
import gc
import json
import os
import select
import signal
import socket
import sys
from typing import Any, NoReturn

from zaffre.client import process
from zaffre.runner import kernel, main, namespace


class Zygote:
    """The zygote's loop. isolated: whether PID namespaces can be made here (tried once)."""

    def __init__(self, sock: socket.socket, *, isolated: bool) -> None:
        self._sock = sock
        self._isolated = isolated
        self._runners: dict[int, tuple[int, int]] = {}  # pidfd -> pid, start_time
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)

    def run(self) -> None:
        """Fork runners and reap them until the driver is gone."""
        while True:
            for fd, _ in self._poll.poll():
                if fd in self._runners:
                    self._reap(fd)
                elif not self._serve():
                    return

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
            pid = os.fork()
        except OSError as problem:
            os.close(fds[0])
            self._tell({"number": number, "problem": f"fork: {problem.strerror}"})
            return True
        if pid == 0:
            _become_runner(fds[0], isolated=self._isolated)
        os.close(fds[0])
        pidfd = os.pidfd_open(pid)
        start_time = process.start_time(pid)
        self._runners[pidfd] = (pid, start_time)
        self._poll.register(pidfd, select.POLLIN)
        self._tell({"number": number, "pid": pid, "start_time": start_time}, pidfd)
        return True

    def _reap(self, pidfd: int) -> None:
        pid, start_time = self._runners.pop(pidfd)
        self._poll.unregister(pidfd)
        os.close(pidfd)
        status = os.waitpid(pid, 0)[1]
        self._tell({"pid": pid, "start_time": start_time, "status": status})

    def _tell(self, message: dict[str, Any], fd: int | None = None) -> None:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
        # A driver that is gone is noticed by the next poll.
        with contextlib.suppress(OSError):
            self._sock.sendmsg([json.dumps(message).encode()], [] if fd is None else rights)


def _become_runner(order_fd: int, *, isolated: bool) -> NoReturn:
    """Turn a fresh child into a process of its own and run the order; never returns."""
    status = 1
    try:
        os.setsid()
        kernel.close_all_but({2, order_fd})
        os.open(os.devnull, os.O_RDONLY)
        os.open(os.devnull, os.O_WRONLY)
        os.umask(0o022)
        kernel.set_name("zaffre-runner")
        status = main.run_order(order_fd, isolated=isolated)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(OSError):
            sys.stderr.flush()
        os._exit(status)


def _preload() -> None:
    """Import now what every runner needs, also what is imported lazily elsewhere."""
    import email.parser  # noqa: F401 - http.client's answers need it
    import http.client  # noqa: F401
    import urllib.parse  # noqa: F401


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
