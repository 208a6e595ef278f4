"""Finding and killing processes that belong together, through /proc."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path

#: Between two rounds of killing, seconds: long enough for the kernel to end what was killed.
ROUND_S = 0.002


def children(pid: int) -> list[int]:
    """Return the ids of the living and dead (unreaped) children of `pid`."""
    found: list[int] = []
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return found
    for thread in threads:
        with contextlib.suppress(OSError):
            text = (thread / "children").read_text()
            found.extend(int(word) for word in text.split())
    return found


def descendants(pid: int) -> list[int]:
    """Return the ids of all that `pid` has started, directly or not, parents first."""
    found: list[int] = []
    ahead = children(pid)
    while ahead:
        one = ahead.pop(0)
        if one not in found:
            found.append(one)
            ahead.extend(children(one))
    return found


def state(pid: int) -> str:
    """Return the state letter of `pid` ('R', 'S', 'Z' ...), '' if it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return ""
    return stat.rpartition(b")")[2].split()[0].decode()


def is_living(pid: int) -> bool:
    """Say whether `pid` can still do anything: zombies cannot."""
    return state(pid) not in ("", "Z", "X")


def send(pids: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to each of `pids` that is still there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def kill_until_none(find: Callable[[], list[int]], *, limit_s: float) -> list[int]:
    """SIGKILL what `find` returns, again and again until it finds nothing; return what stayed.

    All are stopped first: what is stopped starts nothing new while the others are killed.
    """
    until = time.monotonic() + limit_s
    while True:
        found = [pid for pid in find() if is_living(pid)]
        if not found or time.monotonic() > until:
            return found
        send(found, signal.SIGSTOP)
        send(found, signal.SIGKILL)
        _reap()
        time.sleep(ROUND_S)


def _reap() -> None:
    """Take the ends of this process's own dead children off the kernel's list."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass


def marked(marks: Iterable[bytes]) -> list[int]:
    """Return the processes whose first environment holds every one of `marks`.

    A mark is `NAME=value`, or `NAME=` for any value.

    Finds what has left the tree by setsid and a double fork, as long as it kept its environment.
    """
    wanted = [b"\0" + mark + (b"" if mark.endswith(b"=") else b"\0") for mark in marks]
    mine = os.getpid()
    found: list[int] = []
    for path in Path("/proc").iterdir():
        if not path.name.isdigit() or int(path.name) == mine:
            continue
        with contextlib.suppress(OSError):
            environment = b"\0" + (path / "environ").read_bytes() + b"\0"
            if all(mark in environment for mark in wanted):
                found.append(int(path.name))
    return found
