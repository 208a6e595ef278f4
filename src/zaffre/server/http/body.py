"""Bodies of any size, in and out, with flat memory and no time limit while bytes move.

Disk work happens in threads of its own (`_disk`), a megabyte a time and one piece beside the
network, so that an upload of gigabytes delays nobody's log.
"""

from __future__ import annotations

import asyncio
import contextlib
import mimetypes
import re
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO
from urllib.parse import quote

from litestar import Response
from litestar.types import Receive, Scope, Send

from zaffre.contract.errors import Invalid, ZaffreError
from zaffre.server.http.request import Request
from zaffre.server.http.straight import PIECE_BYTES, go_straight

#: Files up to here are read at once, in the thread that has opened them.
_WHOLE_BYTES = 256 << 10

_RANGE = re.compile(r"bytes=(?P<first>[0-9]{0,18})-(?P<last>[0-9]{0,18})\Z")
#: Content that a browser may show by itself; all else is an attachment, HTML and SVG above all.
_SHOWN = re.compile(r"(text/(plain|csv|markdown)|image/(png|jpeg|gif|webp|bmp)|application/json)\Z")

_disk = ThreadPoolExecutor(4, "disk")


class TooLong(ZaffreError):
    """The body is longer than the route takes."""

    code = "too_long"
    status = 413

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"The request's body is too long: at most {limit_bytes} bytes.")


async def pour(
    request: Request,
    sink: Callable[[bytes | memoryview], object],
    *,
    limit_bytes: int | None = None,
) -> None:
    """Hand a request's body to `sink`, piece by piece, in a thread; it may not keep a piece.

    Raises what `sink` raises, TooLong, or Invalid when the connection ends within the body.
    """
    declared = request.headers.get("content-length", "")
    if limit_bytes is not None and declared.isdigit() and int(declared) > limit_bytes:
        raise TooLong(limit_bytes)
    straight = go_straight(request.scope)
    pieces = straight.pieces() if straight else _parsed_pieces(request.receive, limit_bytes)
    loop = asyncio.get_running_loop()
    async with contextlib.aclosing(pieces):
        async for piece in pieces:
            under_way = loop.run_in_executor(_disk, sink, piece)
            try:
                await asyncio.shield(under_way)
            finally:
                # Also when this is cancelled: the sink's file must not be taken from under it.
                await asyncio.wait([under_way])


async def _parsed_pieces(
    receive: Receive, limit_bytes: int | None
) -> AsyncGenerator[bytes | memoryview]:
    """Yield a body, in pieces of about a megabyte, as it comes from the parser."""
    piece = bytearray()
    total = 0
    more = True
    while more:
        message: Any = await receive()
        if message["type"] != "http.request":
            if piece:
                yield memoryview(piece)
            raise Invalid("body", "the connection ended within it")
        chunk: bytes = message.get("body", b"")
        more = message.get("more_body", False)
        total += len(chunk)
        if limit_bytes is not None and total > limit_bytes:
            raise TooLong(limit_bytes)
        piece += chunk
        if len(piece) >= PIECE_BYTES or (piece and not more):
            yield memoryview(piece)
            piece = bytearray()


async def on_disk_thread(work: Callable[[], Any]) -> Any:
    """Run `work` in a thread that may wait for the disk."""
    return await asyncio.get_running_loop().run_in_executor(_disk, work)


class Content(Response[bytes]):
    """The answer that sends a file: whole, or the one range that was asked for.

    name: decides the content type. etag: of content that never changes. Browsers get no script
    to run: HTML, SVG and the like are sandboxed attachments.
    """

    def __init__(
        self,
        file: BinaryIO,
        *,
        name: str,
        range_header: str | None = None,
        if_range: str | None = None,
        etag: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(b"")
        self._file = file
        size = file.seek(0, 2)
        ranged = range_header if if_range is None or if_range == f'"{etag}"' else None
        first, end, status = _find_range(ranged, size)
        self._left = end - first
        self._status = status
        self._headers = _headers(name, etag)
        self._headers |= {"content-length": str(self._left), **(headers or {})}
        if status == 206:
            self._headers["content-range"] = f"bytes {first}-{end - 1}/{size}"
        elif status == 416:
            self._headers["content-range"] = f"bytes */{size}"
        file.seek(first)
        self._whole: bytes | None = None
        if self._left <= _WHOLE_BYTES:
            with file:
                self._whole = file.read(self._left) if self._left else b""

    def to_asgi_response(self, *_given: Any, **_options: Any) -> Any:
        """Return the ASGI application that sends it."""
        return self._send

    async def _send(self, _scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(k.encode(), v.encode("latin-1", "replace")) for k, v in self._headers.items()]
        await send({"type": "http.response.start", "status": self._status, "headers": headers})
        if self._whole is not None:
            await send({"type": "http.response.body", "body": self._whole, "more_body": False})
            return
        await send_pieces(self._pieces(), receive, send)

    def _pieces(self) -> Iterator[bytes]:
        with self._file:
            while self._left:
                piece = self._file.read(min(self._left, PIECE_BYTES))
                if not piece:
                    raise OSError("a file became shorter while it was sent")
                self._left -= len(piece)
                yield piece


class Pieces(Response[bytes]):
    """The answer that sends what an iterator yields, of unknown length."""

    def __init__(self, pieces: Iterator[bytes], *, media_type: str) -> None:
        super().__init__(b"")
        self._pieces = pieces
        self._type = media_type

    def to_asgi_response(self, *_given: Any, **_options: Any) -> Any:
        """Return the ASGI application that sends it."""
        return self._send

    async def _send(self, _scope: Scope, receive: Receive, send: Send) -> None:
        headers = [
            (b"content-type", self._type.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"cache-control", b"no-store"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send_pieces(self._pieces, receive, send)


async def send_pieces(pieces: Iterator[bytes], receive: Receive, send: Send) -> None:
    """Send pieces, each read in a thread while the one before is sent; stop if nobody listens."""
    gone = asyncio.ensure_future(_disconnected(receive))
    loop = asyncio.get_running_loop()
    following = loop.run_in_executor(_disk, next, pieces, None)
    try:
        while True:
            piece = await following
            if piece is None or gone.done():
                break
            following = loop.run_in_executor(_disk, next, pieces, None)
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        gone.cancel()
        if not following.done():
            await asyncio.wait([following])
        pieces.close()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _find_range(header: str | None, size: int) -> tuple[int, int, int]:
    """Return first byte, end and status for a Range header. Several ranges: the whole file."""
    match = _RANGE.match(header.replace(" ", "")) if header else None
    if match is None or (not match["first"] and not match["last"]):
        return 0, size, 200
    if not match["first"]:
        first, end = max(0, size - int(match["last"])), size
    else:
        first = int(match["first"])
        end = min(size, int(match["last"]) + 1) if match["last"] else size
        if match["last"] and int(match["last"]) < first:
            return 0, size, 200
    if first >= size:
        return 0, 0, 416
    return first, end, 206


def _headers(name: str, etag: str | None) -> dict[str, str]:
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    headers = {
        "content-type": f"{kind}; charset=utf-8" if kind.startswith("text/") else kind,
        "accept-ranges": "bytes",
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
        "content-security-policy": "sandbox; default-src 'none'",
    }
    if not _SHOWN.match(kind):
        base = quote(name.rpartition("/")[2], safe="")
        headers["content-disposition"] = f"attachment; filename*=UTF-8''{base}"
    if etag is not None:
        headers["etag"] = f'"{etag}"'
    return headers
