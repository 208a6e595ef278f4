"""Large bodies straight off the socket, past the HTTP parser.

The parser's way copies each byte four times, in pieces of at most 256 KB, and a file of 300 MB
spent as long there as in being hashed and written. Once a request's head has come, how long its
body is is known; until its last byte the connection then belongs to `Straight`, which has the
kernel write into one of two buffers while the other is worked on. What the connection is given
back with is a new parser: the old one waits for the body still.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

from litestar.types import Scope

from zaffre.contract.errors import Invalid

if TYPE_CHECKING:
    from zaffre.server.http.protocol import OriginFormProtocol

#: Size of each of the two buffers.
PIECE_BYTES = 1 << 20
#: What begins it, in a request's scope.
EXTENSION = "zaffre.straight"


class Straight(asyncio.BufferedProtocol):
    """Takes one body off a connection."""

    def __init__(self, protocol: OriginFormProtocol, begun: bytes, left: int) -> None:
        self._protocol = protocol
        self._transport = protocol.transport
        self._begun = begun
        self._left = left
        self._buffer: memoryview | None = memoryview(bytearray(PIECE_BYTES))
        self._spare = [memoryview(bytearray(PIECE_BYTES))]
        self._filled = 0
        self._pieces: deque[tuple[memoryview, int]] = deque()
        self._news = asyncio.Event()
        self._is_lost = False
        self._is_unwanted = False

    async def pieces(self) -> AsyncGenerator[bytes | memoryview]:
        """Yield the body; a piece is good until the next is asked for.

        Raises Invalid when the connection ends within the body.
        """
        try:
            yield self._begun
            while self._pieces or self._left:
                while not self._pieces:
                    if self._is_lost:
                        raise Invalid("body", "the connection ended within it")
                    self._news.clear()
                    await self._news.wait()
                buffer, size = self._pieces.popleft()
                yield buffer[:size]
                self._take_back(buffer)
        finally:
            # What nobody wants must not be taken for the next request.
            self._is_unwanted = True
            if self._left and self._buffer is None:
                self._take_back(memoryview(bytearray(PIECE_BYTES)))

    def _take_back(self, buffer: memoryview) -> None:
        """Have a buffer to fill again; go on reading if that was waited for."""
        if self._buffer is not None:
            self._spare.append(buffer)
            return
        self._buffer = buffer
        if self._left and not self._transport.is_closing():
            self._transport.resume_reading()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return where the next bytes of the body, and no others, go."""
        del sizehint
        assert self._buffer is not None  # noqa: S101 - else reading is paused
        return self._buffer[self._filled : min(PIECE_BYTES, self._filled + self._left)]

    def buffer_updated(self, nbytes: int) -> None:
        """Hand a full buffer on, and what is the last one."""
        self._filled += nbytes
        self._left -= nbytes
        if self._is_unwanted:
            self._filled = 0
        elif self._filled == PIECE_BYTES or not self._left:
            self._hand_on()
        if not self._left:
            self._transport.pause_reading()
            self._transport.set_protocol(self._protocol)
            self._protocol.end_straight()
        elif self._buffer is None:
            self._transport.pause_reading()

    def _hand_on(self) -> None:
        if self._buffer is not None and self._filled:
            self._pieces.append((self._buffer, self._filled))
            self._buffer = self._spare.pop() if self._spare else None
            self._filled = 0
        self._news.set()

    def eof_received(self) -> None:
        """Let the transport close, which is the end of the connection."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Hand on what has come, and tell the protocol."""
        self._is_lost = True
        self._hand_on()
        self._protocol.connection_lost(exc)

    def pause_writing(self) -> None:
        """As the protocol does."""
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """As the protocol does."""
        self._protocol.resume_writing()


def go_straight(scope: Scope) -> Straight | None:
    """Have a request's body come straight off its connection; None if it is not worth it."""
    begin: Any = (scope.get("extensions") or {}).get(EXTENSION)
    return None if begin is None else begin()
