"""The runner's side of its reaper: start it early, launch the script through it, end the tree."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from dataclasses import dataclass
from typing import NoReturn

from zaffre.runner import kernel, namespace, process_tree, reaper

#: How long `close` waits for a reaper whose tree the kernel holds on to, seconds.
CLOSE_LIMIT_S = 5.0


class LaunchRefused(Exception):
    """The kernel did not start the program. number: errno, 0 if it was not the kernel."""

    def __init__(self, number: int, problem: str) -> None:
        super().__init__(problem)
        self.number = number
        self.problem = problem


@dataclass(frozen=True)
class Ended:
    """The script's main process has ended. status: as waitpid gives it."""

    status: int


@dataclass(frozen=True)
class Gone:
    """Nothing of the script's tree is left. lost: the reaper itself was killed."""

    lost: bool = False


class ScriptTree:
    """One script and all that it starts, owned by a reaper process.

    Create it before the runner starts any thread: it forks. The namespace is made meanwhile, on
    another core; `wait_ready` takes the result and must be called before a thread is started too.
    """

    def __init__(self, *, isolated: bool) -> None:
        kernel.become_subreaper()
        self.isolated = isolated
        self.is_ready = False
        self._sock, self._middle = self._fork(isolated=isolated)

    @staticmethod
    def _fork(*, isolated: bool) -> tuple[socket.socket, int]:
        ours, theirs = socket.socketpair()

        def first() -> NoReturn:
            reaper.serve(theirs, isolated=isolated)

        if isolated:
            child = namespace.fork_first(first)
        else:
            child = os.fork()
            if child == 0:
                first()
        theirs.close()
        return ours, child

    def wait_ready(self) -> None:
        """Wait until the reaper serves; without a namespace if the kernel refuses one after all.

        Raises OSError if no reaper can be had.
        """
        if self.is_ready:
            return
        if self.isolated:
            os.waitpid(self._middle, 0)
        if reaper.receive_message(self._sock) is not None:
            self.is_ready = True
            return
        if not self.isolated:
            raise OSError("the process that watches the script ended at once")
        self._sock.close()
        self.isolated = False
        self._sock, self._middle = self._fork(isolated=False)
        self.wait_ready()

    def bind(self, source: str, target: str) -> str | None:
        """Show `source` at `target`, read-only, to the script to come; return why that failed."""
        reaper.send_message(self._sock, {"do": "bind", "source": source, "target": target})
        answer = reaper.receive_message(self._sock)
        if answer is None:
            raise OSError("the process that watches the script was killed")
        return answer["problem"]

    def launch(self, argv: list[str], env: dict[str, str], *, cwd: str, log: str) -> int:
        """Start the script; return its pid in its own namespace. Raises LaunchRefused, OSError."""
        message = {"do": "launch", "argv": argv, "env": env, "cwd": cwd, "log": log}
        reaper.send_message(self._sock, message)
        answer = reaper.receive_message(self._sock)
        if answer is None:
            raise OSError("the process that watches the script was killed")
        if answer["is"] == "refused":
            raise LaunchRefused(answer["errno"], answer["problem"])
        return int(answer["pid"])

    def fileno(self) -> int:
        """Return what becomes readable when `next_event` has something."""
        return self._sock.fileno()

    def next_event(self) -> Ended | Gone:
        """Wait for and return the next event; after Gone there is none."""
        message = reaper.receive_message(self._sock)
        if message is None:
            # Without a namespace, what the reaper owned has fallen to this process.
            mine = os.getpid()
            process_tree.kill_until_none(lambda: process_tree.descendants(mine), limit_s=5.0)
            return Gone(lost=True)
        return Ended(message["status"]) if message["is"] == "ended" else Gone()

    def terminate(self) -> None:
        """Send the script's process group SIGTERM."""
        self._ask("terminate")

    def kill(self) -> None:
        """SIGKILL everything that the script has started."""
        self._ask("kill")

    def close(self) -> None:
        """End the reaper and whatever it still owns; wait for that, but not without limit."""
        self._sock.close()
        until = time.monotonic() + CLOSE_LIMIT_S
        with contextlib.suppress(ChildProcessError):
            while time.monotonic() < until:
                if os.waitpid(-1, os.WNOHANG)[0] == 0:
                    time.sleep(0.0005)

    def _ask(self, what: str) -> None:
        # A reaper that is gone has taken the tree with it; next_event tells.
        with contextlib.suppress(OSError):
            reaper.send_message(self._sock, {"do": what})
