"""Bundles as they come from a server: many small blobs in one body.

Repeated: one line `SHA256 SIZE`, then SIZE raw bytes.
"""

from __future__ import annotations

from zaffre.client.http import AnswerCut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Iterator

_CHUNK_BYTES = 1 << 20


def read_blobs(read: Callable[[int], bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield (sha256, content) of each blob of a bundle; whether they fit is not looked at.

    read: returns the next bytes of the bundle, at most as many as it is asked for, b'' at its end.
    Raises AnswerCut when the bundle ends within a blob or its line, and what `read` raises.
    """
    data, at = b"", 0
    while True:
        end = data.find(b"\n", at)
        while end < 0:
            more = read(_CHUNK_BYTES)
            if not more and at == len(data):
                return
            if not more:
                raise AnswerCut("the bundle ends within a line")
            data, at = data[at:] + more, 0
            end = data.find(b"\n")
        sha256, size = data[at:end].decode("ascii").split()
        at = end + 1
        while len(data) - at < int(size):
            more = read(_CHUNK_BYTES)
            if not more:
                raise AnswerCut("the bundle ends within a blob")
            data, at = data[at:] + more, 0
        yield sha256, data[at : at + int(size)]
        at += int(size)
