"""HTTP/1.1 as uvicorn reads and writes it, but for three things.

Refused: a request line that names a host. `GET http://evil.example/path` is for proxies. Its host
beats the Host header (RFC 9112, 3.2.2), and uvicorn drops it before the door could look at it.

One write a response: uvicorn writes the head by itself, at once. The head waits here for the first
piece of the body, or for the end of the event loop's turn, so a small answer is one packet: one
system call here, one wake-up there (a fifth of a small request's time: measured).

Large bodies may be read past the parser (`server.http.straight`).
"""

from __future__ import annotations

import asyncio
import functools
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from zaffre.server.http.straight import EXTENSION, PIECE_BYTES, Straight

#: A longer first piece is not copied to join its head.
_JOINED_MAX_BYTES = 64 << 10


class OriginFormProtocol(HttpToolsProtocol):
    """Refuses request targets that do not begin with '/'; sends head and body together."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Put the transport that waits for the body in front of the connection's own."""
        super().connection_made(_HeadWaits(transport))  # pyright: ignore[reportArgumentType]

    def on_headers_complete(self) -> None:
        """Check the target, then go on as usual."""
        if not self.url.startswith(b"/"):
            raise ValueError("the request target is not a path")
        super().on_headers_complete()
        begin: Any = functools.partial(self._begin_straight, self.cycle)
        self.scope["extensions"] = {EXTENSION: begin}

    def _begin_straight(self, cycle: RequestResponseCycle) -> Straight | None:
        """Read the rest of a request's body past the parser; None if little of it is left."""
        if cycle is not self.cycle or not cycle.more_body or cycle.waiting_for_100_continue:
            return None
        length = dict(self.headers).get(b"content-length", b"")
        left = int(length) - len(cycle.body) if length.isdigit() else 0
        if left < PIECE_BYTES:
            return None
        begun = bytes(cycle.body)
        cycle.body.clear()
        # What is said here of reading is taken back when the response is complete.
        self.flow.pause_reading()
        straight = Straight(self, begun, left)
        self.transport.set_protocol(straight)
        self.transport.resume_reading()
        return straight

    def end_straight(self) -> None:
        """The body has come: wait for the next request once this one is answered."""
        self.parser = httptools.HttpRequestParser(self)
        self.cycle.more_body = False
        self.cycle.message_event.set()
        if self.cycle.response_complete:
            self.flow.read_paused = True
            self.flow.resume_reading()


class _HeadWaits:
    """A transport whose `write` keeps a response's head until more comes."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""
        self._loop = asyncio.get_running_loop()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Write `data`, behind the head that waits; a head alone waits."""
        if self._head:
            head, self._head = self._head, b""
            if len(data) > _JOINED_MAX_BYTES:
                self._transport.write(head)
            else:
                data = head + data
        elif data.startswith(b"HTTP/1.1 ") and data.endswith(b"\r\n\r\n"):
            self._head = data
            self._loop.call_soon(self._flush)
            return
        self._transport.write(data)

    def close(self) -> None:
        """Close once all is written."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._head:
            head, self._head = self._head, b""
            if not self._transport.is_closing():
                self._transport.write(head)
