"""Naming a process so that a later one with the same number is not taken for it."""

from __future__ import annotations

import os


def start_time(pid: int) -> int:
    """Return when `pid` started, in clock ticks since boot; 0 if it is gone or cannot be told."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The command's name stands in brackets and may itself hold blanks and brackets.
            return int(file.read().rpartition(b")")[2].split()[19])
    except (OSError, IndexError, ValueError):
        return 0


def boot_id() -> str:
    """Return the id of this machine's present boot, or '' where the kernel has none."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def is_alive(pid: int, started: int) -> bool:
    """Say whether the process `pid` that started at `started` (0: unknown) still lives.

    A zombie counts as gone: it will never write again.
    """
    if pid <= 0:
        return False
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except FileNotFoundError:
        return not os.path.isdir("/proc/self") and _signal_reaches(pid)
    except OSError:
        return False
    return fields[0] not in (b"Z", b"X") and started in (0, int(fields[19]))


def _signal_reaches(pid: int) -> bool:
    """Say whether `pid` exists, on a system without /proc."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
