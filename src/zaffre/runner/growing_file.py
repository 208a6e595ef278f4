"""A file that is only ever appended to, and its copy in the store: shipped by offset.

The store says how far it has the file; a repeated or rival send changes nothing (as for spools).
A file past its limit is stored as its head and its tail with a line between that says so. What is
stored then is a text of three parts, each fixed once the file has ended, so that a salvage goes
on where a dead runner stopped:

    head (HEAD_SHARE of the limit) | the line | tail (the rest of the limit, from a line's start)
"""

from __future__ import annotations

import os
from pathlib import Path

from zaffre.client.http import Client
from zaffre.contract.errors import Refused

#: Largest piece that is sent at once, bytes.
PIECE_MAX_BYTES = 1 << 20
#: Share of the limit that is stored live; only what the file's end may push out waits for it.
HEAD_SHARE = 0.9
_REMEMBERED_BYTES = 1024


class Rewritten(Exception):
    """The file is not what was shipped before: it was rewritten, cut or replaced."""


class GrowingFile:
    """Ships one file as a live log of the run.

    name: as the run's file. limit_bytes: more than this is not stored of it.
    """

    def __init__(
        self, client: Client, run_id: str, name: str, path: Path, limit_bytes: int
    ) -> None:
        self.name = name
        self.path = path
        self.offset = 0
        #: Whether the server counts the file among the run's without having been sent any of it.
        self.is_listed = False
        self._client = client
        self._url = f"/runs/{run_id}/logs/{name}"
        self._limit = limit_bytes
        self._head = int(limit_bytes * HEAD_SHARE)
        self._line = (
            f"\n[zaffre] This log is longer than {limit_bytes:,} bytes. Its middle is left out; "
            f"its last {limit_bytes - self._head:,} bytes follow when the run ends.\n"
        ).encode()
        # How the file is known again: by what it begins with, noted before the first piece is sent,
        # and by what stands just before `_known`, up to which all of it was shipped.
        self._inode = 0
        self._first = b""
        self._known = 0
        self._last = b""

    def has_news(self) -> bool:
        """Say whether the file has grown since it was shipped. Asks the disk only."""
        try:
            size = self.path.stat().st_size
        except OSError:
            return False
        if size <= self._limit:
            return min(size, self._head) != self.offset and size != self.offset
        return self.offset < self._head + len(self._line)

    def ship(self, *, ended: bool) -> int:
        """Send what is new; return how many bytes. `ended`: the file will not grow any more.

        Raises Rewritten, ServerUnreachable, Refused, OSError.
        """
        sent = 0
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        except FileNotFoundError:
            return 0
        with os.fdopen(fd, "rb", buffering=0) as file:
            status = os.fstat(fd)
            size = status.st_size
            self._check(fd, status)
            if size and not self._inode:
                self._inode = status.st_ino
                self._first = os.pread(fd, min(_REMEMBERED_BYTES, size), 0)
            end = self._end(size, ended=ended)
            tail = self._tail(fd, size) if size > self._limit else size
            while self.offset < end:
                piece = self._piece(file.fileno(), end, size, tail)
                if not piece:
                    break
                sent += self._send(piece)
            if ended and size == 0 and not self.is_listed:
                self._send(b"")  # a file that stayed empty is one of the run's files all the same
            if size <= self._limit:
                self._known = self.offset
                self._last = self._before(fd, self._known)
        return sent

    def _end(self, size: int, *, ended: bool) -> int:
        """Return up to where the stored text can be told now."""
        if size <= self._limit:
            return size if ended else min(size, self._head)
        end = self._head + len(self._line)
        return end + self._limit - self._head if ended else end

    def _tail(self, fd: int, size: int) -> int:
        """Return where the tail starts in the file: at a line's start where there is one."""
        start = size - (self._limit - self._head)
        newline = os.pread(fd, 64 << 10, start).find(b"\n")
        return start + newline + 1 if newline >= 0 else start

    def _piece(self, fd: int, end: int, size: int, tail: int) -> bytes:
        """Return the stored text from `offset` on, at most PIECE_MAX_BYTES of one part."""
        length = min(PIECE_MAX_BYTES, end - self.offset)
        if size <= self._limit:
            return os.pread(fd, length, self.offset)
        if self.offset < self._head:
            return os.pread(fd, min(length, self._head - self.offset), self.offset)
        into = self.offset - self._head
        if into < len(self._line):
            return self._line[into : into + length]
        return os.pread(fd, length, tail + into - len(self._line))

    def _send(self, piece: bytes) -> int:
        try:
            answer = self._client.request(
                "PUT",
                self._url,
                body=piece,
                query={"offset": self.offset},
                headers={"Content-Type": "application/octet-stream"},
            )
        except Refused as problem:
            stored = problem.facts.get("offset")
            if problem.code != "offset.conflict" or not isinstance(stored, int):
                raise
            if stored == self.offset:
                raise
            self.offset = stored
            return 0
        self.offset = int(answer["offset"])
        return len(piece)

    def _check(self, fd: int, status: os.stat_result) -> None:
        if not self._inode:
            return
        replaced = self._inode != status.st_ino
        cut = status.st_size < min(self.offset, self._head)
        other = os.pread(fd, len(self._first), 0) != self._first
        # Not before `offset`: a pass that was cut short has moved that on by itself.
        if replaced or cut or other or self._before(fd, self._known) != self._last:
            raise Rewritten(self.name)

    @staticmethod
    def _before(fd: int, offset: int) -> bytes:
        length = min(_REMEMBERED_BYTES, offset)
        return os.pread(fd, length, offset - length)
