"""The process between a runner and its script: it owns the script's whole tree.

The runner forks it before it starts any thread and talks to it through a socket pair, messages
being length-prefixed JSON. It is a process of ours and not the script itself, because PID 1 of a
namespace ignores the signals that it has no handler for, SIGTERM among them.

    runner -> reaper   {"do": "launch", "argv", "env", "cwd", "log"}
                       {"do": "bind", "source", "target"}
                       {"do": "terminate"}, {"do": "kill"}
    reaper -> runner   {"is": "ready"}
                       {"is": "bound", "problem": why not, or null}
                       {"is": "launched", "pid"} or {"is": "refused", "errno", "problem"}
                       {"is": "ended", "status"}: the script, with its wait status
                       {"is": "gone"}: its whole tree

Two modes, one loop. As PID 1 of a namespace it ends everything by `kill(-1)` or by its own end.
Otherwise it is a subreaper: what the script orphans becomes its child, and it walks the tree.
Either way, when the runner dies the socket ends, and with it the tree. (In a namespace the kernel
does it besides, should this process be stopped at that moment.)

When the script's main process has ended, what it left running gets SIGTERM and LEFTOVER_GRACE_S.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import struct
import time
from typing import Any, NoReturn

from zaffre.runner import kernel, process_tree

#: How long what a script left running may take to end after SIGTERM, seconds.
LEFTOVER_GRACE_S = 2.0
#: How long killing goes on before this process gives up (only the kernel can hold one so long).
KILL_LIMIT_S = 30.0

_LENGTH = struct.Struct("!I")


def send_message(sock: socket.socket, message: dict[str, Any]) -> None:
    """Send one message. Raises OSError if the other side is gone."""
    body = json.dumps(message).encode("utf-8", "surrogateescape")
    sock.sendall(_LENGTH.pack(len(body)) + body)


def receive_message(sock: socket.socket) -> dict[str, Any] | None:
    """Return the next message, None at the end of the stream."""
    head = _receive(sock, _LENGTH.size)
    body = _receive(sock, _LENGTH.unpack(head)[0]) if head else b""
    return json.loads(body) if body else None


def _receive(sock: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        try:
            part = sock.recv(size - len(parts))
        except ConnectionError:
            return b""
        if not part:
            return b""
        parts += part
    return bytes(parts)


def serve(sock: socket.socket, *, isolated: bool) -> NoReturn:
    """Be the reaper of one script; ends with the process. `isolated`: this is PID 1."""
    status = 1
    try:
        Reaper(sock, isolated=isolated).run()
        status = 0
    finally:
        os._exit(status)


class Reaper:
    """The reaper's state: at most one script, and what is left of its tree."""

    def __init__(self, sock: socket.socket, *, isolated: bool) -> None:
        if isolated and os.getpid() != 1:
            raise RuntimeError("kill(-1) is for the first process of a namespace alone")
        self._sock = sock
        self._isolated = isolated
        self._script = 0
        self._launched = False
        self._kill_at: float | None = None
        self._prepare()

    def _prepare(self) -> None:
        # Nothing else may stay open: an inherited copy of the runner's end of the socket would
        # hide its death.
        kernel.close_all_but({0, 1, 2, self._sock.fileno()})
        kernel.set_name("zaffre-reaper")
        if not self._isolated:
            kernel.become_subreaper()
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT):
            signal.signal(number, signal.SIG_IGN)
        # A signal that arrives just before poll() must still end it: hence the pipe.
        self._wake, wake = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def run(self) -> None:
        """Serve until the script's tree or the runner is gone."""
        send_message(self._sock, {"is": "ready"})
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        while True:
            ready = dict(poll.poll(self._timeout_ms()))
            if self._wake in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake, 4096)
            if self._sock.fileno() in ready:
                message = receive_message(self._sock)
                if message is None:
                    self._kill_all()
                    return
                self._obey(message)
            if self._kill_at is not None and time.monotonic() >= self._kill_at:
                self._kill_at = None
                self._kill_all()
            if self._launched and not self._reap():
                self._tell({"is": "gone"})
                return

    def _timeout_ms(self) -> int | None:
        if self._kill_at is None:
            return None
        return max(0, int((self._kill_at - time.monotonic()) * 1000) + 1)

    def _tell(self, message: dict[str, Any]) -> None:
        # A runner that has just died is noticed by the next poll.
        with contextlib.suppress(OSError):
            send_message(self._sock, message)

    def _obey(self, message: dict[str, Any]) -> None:
        if message["do"] == "launch":
            self._launch(message)
        elif message["do"] == "bind":
            self._tell({"is": "bound", "problem": self._bind(message["source"], message["target"])})
        elif message["do"] == "terminate":
            if self._script:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._script, signal.SIGTERM)
        else:
            self._kill_all()

    def _bind(self, source: str, target: str) -> str | None:
        """Show a path at another one, read-only, to the script alone; return why that failed."""
        if not self._isolated:
            return "the run has no namespace of its own"
        try:
            kernel.bind_read_only(source, target)
        except OSError as problem:
            return str(problem)
        return None

    def _launch(self, message: dict[str, Any]) -> None:
        if self._isolated:
            kernel.die_with_parent(signal.SIGKILL)
        try:
            os.chdir(message["cwd"])
            self._script = os.posix_spawn(
                message["argv"][0],
                message["argv"],
                message["env"],
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                    (
                        os.POSIX_SPAWN_OPEN,
                        1,
                        message["log"],
                        os.O_WRONLY | os.O_CREAT | os.O_APPEND,
                        0o600,
                    ),
                    (os.POSIX_SPAWN_DUP2, 1, 2),
                ],
                setsid=True,
                setsigmask=(),
                setsigdef=signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP},
            )
        except (OSError, ValueError) as problem:
            number = getattr(problem, "errno", None) or 0
            text = os.strerror(number) if number else str(problem)
            self._tell({"is": "refused", "errno": number, "problem": text})
            return
        self._launched = True
        self._tell({"is": "launched", "pid": self._script})

    def _reap(self) -> bool:
        """Take what has ended; return whether anything of the tree is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self._script:
                self._script = 0
                self._tell({"is": "ended", "status": status})
                self._end_leftovers()

    def _end_leftovers(self) -> None:
        rest = [-1] if self._isolated else process_tree.descendants(os.getpid())
        process_tree.send(rest, signal.SIGTERM)
        self._kill_at = time.monotonic() + LEFTOVER_GRACE_S

    def _kill_all(self) -> None:
        if self._isolated:
            process_tree.send([-1], signal.SIGKILL)
            return
        mine = os.getpid()
        until = time.monotonic() + KILL_LIMIT_S
        # Not kill_until_none: that reaps, and the script's status is for `_reap` to take.
        while time.monotonic() < until:
            rest = [one for one in process_tree.descendants(mine) if process_tree.is_living(one)]
            if not rest:
                return
            process_tree.send(rest, signal.SIGSTOP)
            process_tree.send(rest, signal.SIGKILL)
            time.sleep(process_tree.ROUND_S)
