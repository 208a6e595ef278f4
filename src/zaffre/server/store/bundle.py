"""Bundles: many small blobs in one body.

Repeated: one line `SHA256 SIZE`, then SIZE raw bytes. What comes in is not trusted: a line has a
limit, sizes have a sum, and each blob is hashed as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from zaffre.contract.errors import Invalid
from zaffre.server.store.blob import Arrived, BlobFolder, BlobMismatch, Held, Incoming

#: Most bytes of content in one bundle. Larger blobs travel alone.
BUNDLE_MAX_BYTES = 64 * 1024 * 1024
#: Most blobs in one bundle.
BUNDLE_MAX_COUNT = 100_000

#: So many bytes of one bundle are held in memory, since small files are written faster so; what
#: comes then goes through tmp/.
_HELD_MAX_BYTES = 8 * 1024 * 1024

_LINE = re.compile(rb"(?P<sha256>[0-9a-f]{64}) (?P<size>0|[1-9][0-9]{0,9})\Z")
_LINE_MAX_BYTES = 64 + 1 + 10
_CHUNK_BYTES = 1 << 20


class Unpacking:
    """A bundle on its way in: fed with pieces of any length, it keeps finished blobs.

    A context manager: what was not recorded when the block ends is removed. Raises Invalid,
    BlobMismatch and StoreFull; nothing of the bundle is stored then.
    """

    def __init__(self, folder: BlobFolder) -> None:
        self.arrived: list[Arrived] = []
        self._folder = folder
        self._line = b""
        self._current: Incoming | bytearray | None = None
        self._expected = ""
        self._left = 0
        self._total = 0

    def feed(self, piece: bytes | bytearray | memoryview) -> None:
        """Take the next bytes."""
        view = memoryview(piece)
        while view:
            view = view[self._take(view) :]

    def finish(self) -> list[Arrived]:
        """All has come; return the blobs."""
        if self._current is not None or self._line:
            raise Invalid("body", "the bundle ends within a blob or its line")
        return self.arrived

    def __enter__(self) -> Unpacking:
        """Return self."""
        return self

    def __exit__(self, *_problem: object) -> None:
        """Remove what was not recorded."""
        for one in self.arrived:
            one.discard()
        if isinstance(self._current, Incoming):
            self._current.discard()

    def _take(self, view: memoryview) -> int:
        """Use the start of `view`; return how many bytes."""
        if self._current is not None:
            part = view[: self._left]
            if isinstance(self._current, Incoming):
                self._current.write(part)
            else:
                self._current += part
            self._left -= len(part)
            self._close_if_whole()
            return len(part)
        head = bytes(view[: _LINE_MAX_BYTES + 1])
        end = head.find(b"\n")
        self._line += head if end < 0 else head[:end]
        if len(self._line) > _LINE_MAX_BYTES:
            raise Invalid("body", "a bundle's line is 'SHA256 SIZE'")
        if end < 0:
            return len(head)
        self._open()
        return end + 1

    def _open(self) -> None:
        match = _LINE.match(self._line)
        if match is None:
            raise Invalid("body", "a bundle's line is 'SHA256 SIZE'")
        self._line = b""
        self._expected = match["sha256"].decode()
        self._left = int(match["size"])
        self._total += self._left
        if self._total > BUNDLE_MAX_BYTES or len(self.arrived) >= BUNDLE_MAX_COUNT:
            limit = f"at most {BUNDLE_MAX_BYTES} bytes and {BUNDLE_MAX_COUNT} blobs a bundle"
            raise Invalid("body", limit)
        held = self._total <= _HELD_MAX_BYTES
        self._current = bytearray() if held else self._folder.receive()
        self._close_if_whole()

    def _close_if_whole(self) -> None:
        if self._left > 0 or self._current is None:
            return
        whole, self._current = self._current, None
        if isinstance(whole, Incoming):
            self.arrived.append(whole)
            whole.finish(self._expected)
            return
        held = Held(bytes(whole))
        if held.sha256 != self._expected:
            raise BlobMismatch(expected=self._expected, actual=held.sha256)
        self.arrived.append(held)


def pack(folder: BlobFolder, names: list[str]) -> Iterator[bytes]:
    """Yield the bundle of these blobs in pieces of about a megabyte. Raises NotFound."""
    piece = bytearray()
    for name in names:
        with folder.open(name) as file:
            size = file.seek(0, 2)
            file.seek(0)
            piece += b"%b %d\n" % (name.encode(), size)
            yield from _contents(file, size, piece)
    if piece:
        yield bytes(piece)


def _contents(file: BinaryIO, size: int, piece: bytearray) -> Iterator[bytes]:
    while size > 0:
        chunk = file.read(min(size, _CHUNK_BYTES))
        if not chunk:
            raise OSError("a blob is shorter than its file was")
        size -= len(chunk)
        piece += chunk
        if len(piece) >= _CHUNK_BYTES:
            yield bytes(piece)
            piece.clear()
