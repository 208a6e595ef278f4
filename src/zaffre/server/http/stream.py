"""The live stream of a run: server-sent events.

A stream holds no thread while it waits: it wakes by the hub's topics, reads what is new in a
thread, and sends it. The last event of each reading carries the id to go on from.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from litestar import Response, get
from litestar.types import Receive, Scope, Send

from zaffre.server.http.request import Request
from zaffre.server.store.store import Store
from zaffre.server.usecases import stream as usecase
from zaffre.server.usecases.stream import Cursor, Reading

#: How often a silent stream says that it is alive, seconds.
PING_S = 15.0
#: Readings of one stream are at least so far apart: a busy run must not keep a thread busy.
PAUSE_S = 0.05


class EventStream(Response[bytes]):
    """The answer that sends a run's events as they happen."""

    def __init__(self, run_id: str, cursor: Cursor, store: Store) -> None:
        super().__init__(b"")
        self._run_id = run_id
        self._cursor = cursor
        self._store = store

    def to_asgi_response(self, *_given: Any, **_options: Any) -> Any:
        """Return the ASGI application that sends it."""
        return self._send

    async def _send(self, _scope: Scope, receive: Receive, send: Send) -> None:
        headers = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
            (b"x-accel-buffering", b"no"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        telling = asyncio.create_task(self._tell(send))
        gone = asyncio.create_task(_disconnected(receive))
        try:
            await asyncio.wait([telling, gone], return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            telling.cancel()
        if telling.done() and not telling.cancelled():
            telling.result()
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _tell(self, send: Send) -> None:
        hub = self._store.hub
        topics = [f"{kind}:{self._run_id}" for kind in ("run", "log", "metric")]
        with hub.watch(*topics) as watch:
            while not hub.closing:
                reading = await asyncio.to_thread(
                    usecase.read, self._run_id, self._cursor, store=self._store
                )
                self._cursor = reading.cursor
                if reading.events:
                    await _send_piece(send, _encode(reading))
                if reading.ended:
                    return
                if reading.more:
                    continue
                await asyncio.sleep(PAUSE_S)
                if not await watch.wait(PING_S) and not hub.closing:
                    await _send_piece(send, b": ping\n\n")


@get("/api/v1/runs/{run_id:str}/events")
async def listen(run_id: str, request: Request, since: str = "") -> Response[bytes]:
    """Send a run's states, log text and points as server-sent events, until after its end.

    `since` or the header Last-Event-ID: the id of the last event that was received.
    """
    cursor = usecase.parse_cursor(request.headers.get("last-event-id") or since)
    await asyncio.to_thread(usecase.check, run_id, caller=request.caller, store=request.store)
    return EventStream(run_id, cursor, request.store)


def _encode(reading: Reading) -> bytes:
    lines: list[bytes] = []
    for position, event in enumerate(reading.events, start=1):
        lines.append(b"event: %b\n" % event.kind.encode())
        if position == len(reading.events):
            lines.append(b"id: %b\n" % usecase.encode_cursor(reading.cursor).encode())
        lines.append(b"data: %b\n\n" % msgspec.json.encode(event.data))
    return b"".join(lines)


async def _send_piece(send: Send, piece: bytes) -> None:
    await send({"type": "http.response.body", "body": piece, "more_body": True})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


HANDLERS = [listen]
