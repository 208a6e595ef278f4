"""The metric records that one process has logged and that are not shipped yet.

A record is one line of JSON in a file that only this process appends to, by one write(2) a
record: when it returns, the kernel has the record, and no death of this process can lose it.
A kill or a full disk can end even one write halfway, so a record has a newline in front as well
as behind: a half is then a line of its own, which the server skips since no half of a JSON object
is one. Whoever ships the file (`client.shipping`) sends whole lines and keeps count by offset.
"""

from __future__ import annotations

import errno
import os
import threading
import weakref

from zaffre.client import process
from zaffre.contract.errors import RecordTooLarge
from zaffre.contract.metric_value import RECORD_MAX_BYTES

_SUFFIX = ".spool"
_CLOSED = -1

_spools: weakref.WeakSet[Spool] = weakref.WeakSet()


class Spool:
    """An append-only file of records, one a line, in a run's spool folder.

    Safe to append from threads: O_APPEND makes the kernel order the writes. A forked child opens
    a file of its own. The file and its folder are made by the first append.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.path: str | None = None
        self._fd = _CLOSED
        self._opening = threading.Lock()
        _spools.add(self)

    def append(self, record: bytes) -> None:
        """Add one encoded record (no newline, at most RECORD_MAX_BYTES).

        When this returns, the record survives the death of this process, not of the machine:
        there is no fsync, which the training loop would feel.

        Raises RecordTooLarge, or OSError when the disk is full; earlier records are not touched.
        """
        if len(record) > RECORD_MAX_BYTES:
            raise RecordTooLarge(len(record), limit_bytes=RECORD_MAX_BYTES)
        line = b"\n%b\n" % record
        fd = self._fd
        try:
            written = os.write(self._open() if fd < 0 else fd, line)
        except OSError as problem:
            raise self._failed(problem.errno) from problem
        if written != len(line):
            raise self._failed(errno.ENOSPC)

    def close(self) -> None:
        """Close the file; a later append opens another."""
        with self._opening:
            fd, self._fd = self._fd, _CLOSED
            if fd >= 0:
                os.close(fd)

    def _open(self) -> int:
        """Open this process's own file, at the first append."""
        with self._opening:
            if self._fd < 0:
                os.makedirs(self.folder, mode=0o700, exist_ok=True)
                pid = os.getpid()
                name = f"{pid}-{process.start_time(pid)}-{os.urandom(3).hex()}{_SUFFIX}"
                path = os.path.join(self.folder, name)
                flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
                self._fd = os.open(path, flags, 0o600)
                self.path = path
            return self._fd

    def _failed(self, number: int | None) -> OSError:
        code = number or errno.EIO
        return OSError(
            code,
            f"This record was not stored ({os.strerror(code)}); those before it are kept. "
            "Free space there and log it again",
            self.folder,
        )

    def _leave_to_parent(self) -> None:
        """In a forked child: let go of the parent's file, so that offsets stay its own."""
        fd, self._fd = self._fd, _CLOSED
        self._opening = threading.Lock()
        self.path = None
        if fd >= 0:
            os.close(fd)

    def __del__(self) -> None:
        if getattr(self, "_fd", _CLOSED) >= 0:
            self.close()


def _after_fork() -> None:
    for spool in list(_spools):
        spool._leave_to_parent()  # pyright: ignore[reportPrivateUsage]


os.register_at_fork(after_in_child=_after_fork)


def spool_files(folder: str) -> list[tuple[str, str]]:
    """Return (spool_id, path) of every spool in a folder, in a stable order."""
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return []
    return [
        (name[: -len(_SUFFIX)], os.path.join(folder, name))
        for name in names
        if name.endswith(_SUFFIX)
    ]
