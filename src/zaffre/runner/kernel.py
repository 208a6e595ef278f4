"""The few calls of the Linux kernel that Python 3.11 has no function for."""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Set as AbstractSet
from pathlib import Path

CLONE_NEWNS = 0x0002_0000
CLONE_NEWUSER = 0x1000_0000
CLONE_NEWPID = 0x2000_0000

_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 1, 2, 4, 8
_MS_REMOUNT, _MS_BIND = 1 << 5, 1 << 12
_MS_REC, _MS_SLAVE = 1 << 14, 1 << 19
_MNT_DETACH = 2
_PR_SET_PDEATHSIG, _PR_SET_NAME, _PR_SET_CHILD_SUBREAPER = 1, 15, 36

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """Leave the namespaces that `flags` name. Raises OSError."""
    _checked(_libc.unshare(ctypes.c_int(flags)), "unshare")


def mount_own_proc() -> None:
    """Mount the present PID namespace's /proc over the old one. Raises OSError.

    Mounts that the machine makes or undoes later still arrive here (slave): a script that runs
    for days must neither miss a file system nor keep one busy.
    """
    nothing = ctypes.c_char_p(b"none")
    slave = ctypes.c_ulong(_MS_REC | _MS_SLAVE)
    _checked(_libc.mount(nothing, ctypes.c_char_p(b"/"), None, slave, None), "mount /")
    flags = ctypes.c_ulong(_MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
    proc = ctypes.c_char_p(b"proc")
    _checked(_libc.mount(proc, ctypes.c_char_p(b"/proc"), proc, flags, None), "mount /proc")


def bind_read_only(source: str, target: str) -> None:
    """Show what is at `source` at `target` too, without the right to change it. Raises OSError.

    For a process with mounts of its own. Mounts below `source` are not shown.
    """
    place = ctypes.c_char_p(os.fsencode(target))
    bind = ctypes.c_ulong(_MS_BIND)
    _checked(_libc.mount(ctypes.c_char_p(os.fsencode(source)), place, None, bind, None), "mount")
    # The kernel lets nobody but the machine's root drop what the disk was mounted with. These flags
    # of statvfs are mount(2)'s; those for access times stay as they are if none is given.
    kept = os.statvfs(target).f_flag & (_MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
    flags = ctypes.c_ulong(_MS_REMOUNT | _MS_BIND | _MS_RDONLY | kept)
    try:
        _checked(_libc.mount(None, place, None, flags, None), "mount read-only")
    except OSError:
        _libc.umount2(place, ctypes.c_int(_MNT_DETACH))
        raise


def die_with_parent(signal_number: int) -> None:
    """Have the kernel send this process `signal_number` when its parent's thread ends."""
    _prctl(_PR_SET_PDEATHSIG, signal_number)


def become_subreaper() -> None:
    """Have orphans among this process's descendants become its children."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def set_name(name: str) -> None:
    """Name this process for `ps` and `top` (15 bytes)."""
    buffer = ctypes.create_string_buffer(name.encode()[:15])
    _checked(_libc.prctl(ctypes.c_int(_PR_SET_NAME), buffer, 0, 0, 0), "prctl")


def _prctl(option: int, value: int) -> None:
    zero = ctypes.c_ulong(0)
    result = _libc.prctl(ctypes.c_int(option), ctypes.c_ulong(value), zero, zero, zero)
    _checked(result, "prctl")


def close_all_but(keep: AbstractSet[int]) -> None:
    """Close every file descriptor of this process that is not in `keep`."""
    for path in list(Path("/proc/self/fd").iterdir()):
        if int(path.name) not in keep:
            # The listing's own descriptor is among them, and closed by now.
            with contextlib.suppress(OSError):
                os.close(int(path.name))
