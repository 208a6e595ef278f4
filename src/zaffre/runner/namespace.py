"""A PID namespace for one script: whatever it starts dies with the namespace's first process.

Killing process groups leaves what has called setsid (measured: each of three did), a walk of the
tree can lose a race; the kernel's own end of a namespace does neither. It needs CAP_SYS_ADMIN,
so root enters one directly and everybody else through a user namespace that maps them to
themselves. Where the new namespace could not have a /proc of its own, it is not used at all:
programs that look themselves up there (psutil, gdb, ps) would find someone else.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from zaffre.runner import kernel


def leave_for_new() -> None:
    """Make namespaces for this process's next child, which becomes PID 1. Raises OSError."""
    if os.geteuid() == 0:
        kernel.unshare(kernel.CLONE_NEWPID | kernel.CLONE_NEWNS)
        return
    uid, gid = os.geteuid(), os.getegid()
    kernel.unshare(kernel.CLONE_NEWUSER | kernel.CLONE_NEWPID | kernel.CLONE_NEWNS)
    # The kernel takes a group's map from an ordinary user only after this.
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")


def fork_first(first: Callable[[], NoReturn]) -> int:
    """Run `first` as PID 1 of new namespaces with their own /proc; return the middle process's id.

    The middle process only makes the namespaces and forks (its own PID cannot change); it ends
    at once with status 0, or with 1 if the kernel refuses, and its child falls to this process
    if this one is a subreaper. Call it before any thread is started.
    """
    middle = os.fork()
    if middle != 0:
        return middle
    status = 1
    try:
        leave_for_new()
        if os.fork() == 0:
            kernel.mount_own_proc()
            first()
        status = 0
    finally:
        os._exit(status)


def is_possible() -> bool:
    """Try once whether `fork_first` works here; costs two forks."""

    def succeed() -> NoReturn:
        os.write(write_end, b"1")
        os._exit(0)

    read_end, write_end = os.pipe()
    try:
        middle = fork_first(succeed)
        os.close(write_end)
        write_end = -1
        os.waitpid(middle, 0)
        return os.read(read_end, 1) == b"1"
    except OSError:
        return False
    finally:
        os.close(read_end)
        if write_end >= 0:
            os.close(write_end)
